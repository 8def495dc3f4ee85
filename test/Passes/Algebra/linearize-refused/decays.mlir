// RUN: attn-opt %s --mlir-disable-threading --attn-linearize --remarks-filter=attn-linearize --remark-policy=all -o /dev/null 2>&1 | FileCheck %s

// Decays that a state cannot have, and states that do not agree.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: the decay may exceed 1
// CHECK: Function=unbounded | Remark="not linearised: the decay is declared unbounded: a state that may grow has no stable form in time linear in the tokens"
func.func @unbounded(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) unbounded : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: the decay may exceed 1
// CHECK: Function=unbounded_channels | Remark="not linearised: the decay is declared unbounded: a state that may grow has no stable form in time linear in the tokens"
func.func @unbounded_channels(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !t) unbounded : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: the decay may exceed 1
// CHECK: Function=unbounded_normalized | Remark="not linearised: the decay is declared unbounded: a state that may grow has no stable form in time linear in the tokens"
func.func @unbounded_normalized(%q: !t, %k: !t, %v: !t, %g: !g, %i: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) unbounded log_gate(%i : !g) : !t, !t -> !s
  %p = attn.normalize %a floor 1.0 : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: the decay of one summand may exceed 1
// CHECK: Function=unbounded_summand | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @unbounded_summand(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) unbounded : !t, !t -> !s
  %b = attn.causal_score %k, %q decay(%g : !g) : !t, !t -> !s
  %c = arith.addf %a, %b : !s
  %o = attn.apply %c, %v : !s, !t -> !t
  return %o : !t
}

// refused: the decay exceeds 1
// CHECK: Function=positive_constant | Remark="not linearised: a logarithm of the decay is above 0"
func.func @positive_constant(%q: !t, %k: !t, %v: !t) -> !t {
  %g = arith.constant dense<[-0.1, 0.1]> : tensor<2xf32>
  %a = attn.causal_score %q, %k decay(%g "h" : tensor<2xf32>) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: the decay is not a number
// CHECK: Function=nan_constant | Remark="not linearised: a logarithm of the decay is above 0"
func.func @nan_constant(%q: !t, %k: !t, %v: !t) -> !t {
  %g = arith.constant dense<0x7FC00000> : tensor<2xf32>
  %a = attn.causal_score %q, %k decay(%g "h" : tensor<2xf32>) : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: a second weight on decayed scores depends on query and key
// CHECK: Function=decay_on_decay | Remark="not linearised: a product of scores is not linear in them"
func.func @decay_on_decay(%q: !t, %k: !t, %v: !t, %g: !g, %j: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %b = attn.causal_score %q, %k decay(%j : !g) : !t, !t -> !s
  %c = attn.gate %a, %b : !s, !s -> !s
  %o = attn.apply %c, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser of scores with two gates
// CHECK: Function=gates_differ_under_one_normalizer | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @gates_differ_under_one_normalizer(%q: !t, %k: !t, %v: !t, %g: !g, %i: !g, %j: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) log_gate(%i : !g) : !t, !t -> !s
  %b = attn.causal_score %q, %k decay(%g : !g) log_gate(%j : !g) : !t, !t -> !s
  %c = arith.addf %a, %b : !s
  %p = attn.normalize %c floor 1.0 : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser of scores with two bonuses
// CHECK: Function=bonuses_differ_under_one_normalizer | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @bonuses_differ_under_one_normalizer(%q: !t, %k: !t, %v: !t, %g: !g, %u: tensor<2x16xf32>, %w: tensor<2x16xf32>) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) exclusive bonus(%u : tensor<2x16xf32>) : !t, !t -> !s
  %b = attn.causal_score %q, %k decay(%g : !g) exclusive bonus(%w : tensor<2x16xf32>) : !t, !t -> !s
  %c = arith.addf %a, %b : !s
  %p = attn.normalize %c : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: one summand sees later keys
// CHECK: Function=future_in_one_summand | Remark="not linearised: 'arith.addf' is not linear in the scores"
func.func @future_in_one_summand(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %b = attn.score %q, %k : !t, !t -> !s
  %c = arith.addf %a, %b : !s
  %o = attn.apply %c, %v : !s, !t -> !t
  return %o : !t
}
