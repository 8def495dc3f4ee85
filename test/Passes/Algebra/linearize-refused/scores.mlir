// RUN: attn-opt %s --mlir-disable-threading --attn-linearize --remarks-filter=attn-linearize --remark-policy=all -o /dev/null 2>&1 | FileCheck %s

// What stands between scores and values and is not a linear map of the scores.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: the softmax has no finite features
// CHECK: Function=softmax | Remark="not linearised: the exponential of a softmax does not factor"
func.func @softmax(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m = attn.mask %a, #attn.causal else -inf : !s
  %p = attn.softmax %m : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a softmax of decayed scores
// CHECK: Function=softmax_of_decayed | Remark="not linearised: the exponential of a softmax does not factor"
func.func @softmax_of_decayed(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %p = attn.softmax %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=exp_of_scores | Remark="not linearised: a feature map of the scores is not linear in them"
func.func @exp_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.feature_map %a { ^bb0(%x: f32):
    %y = math.exp %x : f32
    attn.yield %y : f32
  } : !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=tanh_of_scores | Remark="not linearised: a feature map of the scores is not linear in them"
func.func @tanh_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.feature_map %a { ^bb0(%x: f32):
    %y = math.tanh %x : f32
    attn.yield %y : f32
  } : !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=relu_of_scores | Remark="not linearised: a feature map of the scores is not linear in them"
func.func @relu_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.feature_map %a, #attn.relu : !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=squared_relu_of_scores | Remark="not linearised: a feature map of the scores is not linear in them"
func.func @squared_relu_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.feature_map %a, #attn.squared_relu : !s -> !s
  %p = attn.normalize %e : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=elementwise_exp | Remark="not linearised: 'math.exp' is not linear in the scores"
func.func @elementwise_exp(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = math.exp %a : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=absolute_scores | Remark="not linearised: 'math.absf' is not linear in the scores"
func.func @absolute_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = math.absf %a : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=clamped_scores | Remark="not linearised: 'arith.maximumf' is not linear in the scores"
func.func @clamped_scores(%q: !t, %k: !t, %v: !t, %c: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = arith.maximumf %a, %c : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: scores times scores
// CHECK: Function=squared_scores | Remark="not linearised: a product of scores is not linear in them"
func.func @squared_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.gate %a, %a : !s, !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: scores times scores
// CHECK: Function=scores_times_scores | Remark="not linearised: a product of scores is not linear in them"
func.func @scores_times_scores(%q: !t, %k: !t, %v: !t, %r: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.causal_score %r, %k : !t, !t -> !s
  %e = attn.gate %a, %b : !s, !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: scores times scores
// CHECK: Function=mulf_of_scores | Remark="not linearised: 'arith.mulf' is not linear in the scores"
func.func @mulf_of_scores(%q: !t, %k: !t, %v: !t, %r: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.causal_score %r, %k : !t, !t -> !s
  %e = arith.mulf %a, %b : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a nonlinear function of the scores
// CHECK: Function=divided_scores | Remark="not linearised: 'arith.divf' is not linear in the scores"
func.func @divided_scores(%q: !t, %k: !t, %v: !t, %r: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.causal_score %r, %k : !t, !t -> !s
  %e = arith.divf %a, %b : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a gate that depends on query and key
// CHECK: Function=gate_of_query_and_key | Remark="not linearised: a factor of both the query and the key does not factor"
func.func @gate_of_query_and_key(%q: !t, %k: !t, %v: !t, %w: tensor<?x?xf32>) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.gate %a, %w subscripts "hnm,nm->hnm" : !s, tensor<?x?xf32> -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a gate that depends on query and key
// CHECK: Function=gate_by_every_pair | Remark="not linearised: a factor of both the query and the key does not factor"
func.func @gate_by_every_pair(%q: !t, %k: !t, %v: !t, %w: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = attn.gate %a, %w : !s, !s -> !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a gate that depends on the row's query and on the key
// CHECK: Function=sigmoid_gate_of_the_query | Remark="not linearised: a product of scores is not linear in them"
func.func @sigmoid_gate_of_the_query(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.score %q, %k : !t, !t -> !s
  %e = attn.feature_map %b { ^bb0(%x: f32):
    %c1 = arith.constant 1.0 : f32
    %n = arith.negf %x : f32
    %z = math.exp %n : f32
    %d = arith.addf %c1, %z : f32
    %y = arith.divf %c1, %d : f32
    attn.yield %y : f32
  } : !s -> !s
  %p = attn.gate %a, %e : !s, !s -> !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a bias that depends on query and key
// CHECK: Function=bias_on_scores | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @bias_on_scores(%q: !t, %k: !t, %v: !t, %w: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %e = arith.addf %a, %w : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser of normalised scores
// CHECK: Function=normalized_twice | Remark="not linearised: a mask, a factor or another normaliser follows the normaliser"
func.func @normalized_twice(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.normalize %a eps 1.0 : !s
  %r = attn.normalize %p : !s
  %o = attn.apply %r, %v : !s, !t -> !t
  return %o : !t
}

// refused: a softmax of normalised scores
// CHECK: Function=softmax_of_normalized | Remark="not linearised: the exponential of a softmax does not factor"
func.func @softmax_of_normalized(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %r = attn.softmax %p : !s
  %o = attn.apply %r, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser of scores with two decays
// CHECK: Function=sum_of_two_decays | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @sum_of_two_decays(%q: !t, %k: !t, %v: !t, %g: !g, %j: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %b = attn.causal_score %q, %k decay(%j : !g) : !t, !t -> !s
  %c = arith.addf %a, %b : !s
  %p = attn.normalize %c : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a softmax in one of two summands
// CHECK: Function=difference_with_softmax | Remark="not linearised: 'arith.subf' is not linear in the scores"
func.func @difference_with_softmax(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.softmax %a : !s
  %e = arith.subf %a, %p : !s
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}
