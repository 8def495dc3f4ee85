// RUN: attn-opt %s -o /dev/null

// Scores that are more than the left side of a product over their keys.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: the scores are returned
func.func @returned(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o, %a : !t, !s
}

// refused: the scores are returned
func.func @normalized_returned(%q: !t, %k: !t, %v: !t) -> (!t, !s) {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o, %p : !t, !s
}

// refused: one of two uses is a softmax
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

func.func @called(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = call @other(%a) : (!s) -> !s
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the scores go through control flow
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
func.func @sliced(%q: !t, %k: !t, %v: !t, %n: index) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = tensor.extract_slice %a[0, 1, 0] [2, %n, %n] [1, 1, 1] : !s to !s
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the scores are transposed: each key reads later queries
func.func @transposed(%q: !t, %k: !t, %v: !t, %x: !s) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = linalg.transpose ins(%a : !s) outs(%x : !s) permutation = [0, 2, 1]
  %o = attn.apply %b, %v : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
func.func @anti_causal(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnv->hmv" : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
func.func @anti_causal_decay(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnv->hmv" : !s, !t -> !t
  return %o : !t
}

// refused: the product sums over queries: each key reads later tokens
func.func @anti_causal_contract(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.contract %v, %a subscripts "hnv,hnm->hmv" : !t, !s -> !t
  return %o : !t
}

// refused: heads are mixed between scores and values
func.func @heads_mixed(%q: !t, %k: !t, %v: !t, %w: tensor<2xf32>) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.apply %a, %w subscripts "hnm,h->nm" : !s, tensor<2xf32> -> tensor<?x?xf32>
  %p = attn.normalize %b : tensor<?x?xf32>
  %o = attn.apply %p, %v subscripts "nm,hmv->hnv" : tensor<?x?xf32>, !t -> !t
  return %o : !t
}

// refused: values that depend on query and key
func.func @values_of_pairs(%q: !t, %k: !t, %v: tensor<2x?x?x16xf32>) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hnmv->hnv" : !s, tensor<2x?x?x16xf32> -> !t
  return %o : !t
}

// refused: scores whose queries are scores
func.func @scores_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.score %a, %a subscripts "hns,hms->hnm" : !s, !s -> !s
  %c = attn.mask %b, #attn.causal else 0.0 : !s
  %o = attn.apply %c, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser over a product of scores
func.func @product_of_scores(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %b = attn.apply %a, %a subscripts "hns,hsm->hnm" : !s, !s -> !s
  %c = math.absf %b : !s
  %p = attn.normalize %c : !s
  %o = attn.apply %p, %v : !s, !t -> !t
  return %o : !t
}

// refused: the rows of the scores are keys: each key reads later queries
func.func @swapped_result(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.causal_score %k, %q subscripts "hmd,hnd->hmn" : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hmn,hmv->hnv" : !s, !t -> !t
  return %o : !t
}

// refused: the number of features is dynamic
func.func @dynamic_features(%q: !s, %k: !s, %v: !t) -> !t {
  %a = attn.causal_score %q, %k subscripts "hnd,hmd->hnm" : !s, !s -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}

// refused: the number of value channels is dynamic
func.func @dynamic_values(%q: !t, %k: !t, %v: !s) -> !s {
  %a = attn.causal_score %q, %k : !t, !t -> !s
  %o = attn.apply %a, %v subscripts "hnm,hmv->hnv" : !s, !s -> !s
  return %o : !s
}
