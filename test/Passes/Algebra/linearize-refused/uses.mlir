// RUN: attn-opt %s --mlir-disable-threading --attn-linearize --remarks-filter=attn-linearize --remark-policy=all -o /dev/null 2>&1 | FileCheck %s

// Scores that are more than the left side of a product over their keys.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: the scores are returned
// CHECK: Function=returned | Remark="not linearised: the scores have another use"
func.func @returned(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o, %a : !t, !s
}

// refused: the scores are returned
// CHECK: Function=normalized_returned | Remark="not linearised: the scores have another use"
func.func @normalized_returned(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o, %p : !t, !s
}

// refused: one of two uses is a softmax
// CHECK: Function=second_use_in_softmax | Remark="not linearised: the exponential of a softmax does not factor"
func.func @second_use_in_softmax(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.softmax %a : !s
  %x = attn.apply %a, %v : !s, !t -> !t
  %y = attn.apply %p, %v : !s, !t -> !t
  %o = arith.addf %x, %y : !t
  return %o : !t
}

// refused: the scores go into a call
func.func private @other(%a: !s) -> !s {
  %b = attn.scale %a by 2.0 : !s -> !s
  return %b : !s
}

// CHECK: Function=called | Remark="not linearised: its scores are not applied to values"
func.func @called(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = call @other(%a) : (!s) -> !s
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the scores go through control flow
// CHECK: Function=chosen | Remark="not linearised: its scores are not applied to values"
func.func @chosen(%q: !t, %k: !t, %v: !t, %c: i1) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.causal_score %k, %q : !t, !t -> !s
  %e = scf.if %c -> !s {
    scf.yield %a : !s
  } else {
    scf.yield %b : !s
  }
  %o = attn.apply %e, %v : !s, !t -> !t
  return %o : !t
}

// refused: a slice of the scores
// CHECK: Function=sliced | Remark="not linearised: its scores are not applied to values"
func.func @sliced(%q: !t, %k: !t, %v: !t, %n: index) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = tensor.extract_slice %a[0, 1, 0] [2, %n, %n] [1, 1, 1] : !s to !s
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the scores are transposed: each key reads later queries
// CHECK: Function=transposed | Remark="not linearised: its scores are not applied to values"
func.func @transposed(%q: !t, %k: !t, %v: !t, %x: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = linalg.transpose ins(%a : !s) outs(%x : !s) permutation = [0, 2, 1]
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
// CHECK: Function=anti_causal | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @anti_causal(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnv->hmv" : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
// CHECK: Function=anti_causal_decay | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @anti_causal_decay(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnv->hmv" : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
// CHECK: Function=anti_causal_contract | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @anti_causal_contract(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.contract %v, %a subscripts "hnv,hnm->hmv" : !t, !s -> !t
  return %o : !t
}

// refused: heads are mixed between scores and values
// CHECK: Function=heads_mixed | Remark="not linearised: its scores are not applied to values"
func.func @heads_mixed(%q: !t, %k: !t, %v: !t, %w: tensor<2xf32>) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.apply %a, %w subscripts "hnm,h->nm" : !s, tensor<2xf32> -> tensor<?x?xf32>
  %p = attn.normalize %b : tensor<?x?xf32>
  %o = attn.apply %p, %v subscripts "nm,hmv->hnv" : tensor<?x?xf32>, !t -> !t
  return %o : !t
}

// refused: values that depend on query and key
// CHECK: Function=values_of_pairs | Remark="not linearised: the values differ for each query"
func.func @values_of_pairs(%q: !t, %k: !t, %v: tensor<2x?x?x16xf32>) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnmv->hnv" : !s, tensor<2x?x?x16xf32> -> !t
  return %o : !t
}

// refused: scores whose queries are scores
// CHECK: Function=scores_of_scores | Remark="not linearised: the number of key channels is not static"
func.func @scores_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.score %a, %a subscripts "hns,hms->hnm" : !s, !s -> !s
  %c = attn.mask %b, #attn.causal else 0.0 : !s
  %o = attn.apply %c, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser over a product of scores
// CHECK: Function=product_of_scores | Remark="not linearised: 'math.absf' is not linear in the scores"
func.func @product_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.apply %a, %a subscripts "hns,hsm->hnm" : !s, !s -> !s
  %c = math.absf %b : !s
  %p = attn.normalize %c : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: the rows of the scores are keys: each key reads later queries
// CHECK: Function=swapped_result | Remark="not linearised: the product is summed over the queries, so that a token reads those after it"
func.func @swapped_result(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %k, %q subscripts "hmd,hnd->hmn" : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hmn,hmv->hnv" : !s, !t -> !t
  return %o : !t
}

// refused: the number of features is dynamic
// CHECK: Function=dynamic_features | Remark="not linearised: the number of key channels is not static"
func.func @dynamic_features(%q: !s, %k: !s, %v: !t) -> !t {
  %a = attn.causal_score %q, %k subscripts "hnd,hmd->hnm" : !s, !s -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: the number of value channels is dynamic
// CHECK: Function=dynamic_values | Remark="not linearised: the number of value channels is not static"
func.func @dynamic_values(%q: !t, %k: !t, %v: !s) -> !s {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hmv->hnv" : !s, !s -> !s
  return %o : !s
}
