// RUN: attn-opt %s --mlir-disable-threading --attn-linearize --remarks-filter=attn-linearize --remark-policy=all -o /dev/null 2>&1 | FileCheck %s

// Masks that are no product of decays, and masks on other pairs than they seem.
// Each function is refused for the reason above it.

!t = tensor<2x?x16xf32>
!s = tensor<2x?x?xf32>
!g = tensor<2x?xf32>

// refused: a window does not factor
// CHECK: Function=sliding_window | Remark="not linearised: the mask #attn.sliding_window<left = 7, right = 0> does not factor"
func.func @sliding_window(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.sliding_window<left = 7, right = 0> else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: a window does not factor
// CHECK: Function=window_both_ways | Remark="not linearised: the mask #attn.sliding_window<left = 7, right = 7> does not factor"
func.func @window_both_ways(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.sliding_window<left = 7, right = 7> else 0.0 : !s
  %m1 = attn.mask %m0, #attn.causal else 0.0 : !s
  %o = attn.apply %m1, %v : !s, !t -> !t
  return %o : !t
}

// refused: a window on decayed scores
// CHECK: Function=window_of_decayed | Remark="not linearised: the mask #attn.sliding_window<left = 7, right = 0> does not factor"
func.func @window_of_decayed(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %m0 = attn.mask %a, #attn.sliding_window<left = 7, right = 0> else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: a dense mask does not factor
// CHECK: Function=dense | Remark="not linearised: the mask #attn.dense does not factor"
func.func @dense(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t, %b: tensor<?x?xi1>) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal else 0.0 : !s
  %m1 = attn.mask %m0, #attn.dense(%b : tensor<?x?xi1>) else 0.0 : !s
  %o = attn.apply %m1, %v : !s, !t -> !t
  return %o : !t
}

// refused: a dense mask, even if its rows are equal
// CHECK: Function=dense_of_keys | Remark="not linearised: the mask #attn.dense does not factor"
func.func @dense_of_keys(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t, %b: tensor<1x?xi1>) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal else 0.0 : !s
  %m1 = attn.mask %m0, #attn.dense(%b : tensor<1x?xi1>) else 0.0 : !s
  %o = attn.apply %m1, %v : !s, !t -> !t
  return %o : !t
}

// refused: a dense mask on decayed scores
// CHECK: Function=dense_of_decayed | Remark="not linearised: the mask #attn.dense does not factor"
func.func @dense_of_decayed(%q: !t, %k: !t, %v: !t, %g: !g, %b: tensor<?x?xi1>) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %m0 = attn.mask %a, #attn.dense(%b : tensor<?x?xi1>) else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: queries see later keys
// CHECK: Function=offset_ahead | Remark="not linearised: the mask #attn.causal<offset = 3> does not factor"
func.func @offset_ahead(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal<offset = 3> else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: queries see keys with a delay of 4 tokens
// CHECK: Function=offset_behind | Remark="not linearised: the mask #attn.causal<offset = -4> does not factor"
func.func @offset_behind(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal<offset = -4> else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: keys are cut at other tokens than queries
// CHECK: Function=packed_other_keys | Remark="not linearised: the mask #attn.packed does not factor"
func.func @packed_other_keys(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t, %c: tensor<?xi32> {attn.axes = "s"}, %d: tensor<?xi32> {attn.axes = "s"}) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.packed(%c, %d : tensor<?xi32>, tensor<?xi32>) else 0.0 : !s
  %m1 = attn.mask %m0, #attn.causal else 0.0 : !s
  %o = attn.apply %m1, %v : !s, !t -> !t
  return %o : !t
}

// refused: two different cuts of the sequence
// CHECK: Function=packed_twice | Remark="not linearised: two masks have different segments"
func.func @packed_twice(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t, %c: tensor<?xi32>, %d: tensor<?xi32>) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.packed(%c : tensor<?xi32>) else 0.0 : !s
  %m1 = attn.mask %m0, #attn.packed(%d : tensor<?xi32>) else 0.0 : !s
  %m2 = attn.mask %m1, #attn.causal else 0.0 : !s
  %o = attn.apply %m2, %v : !s, !t -> !t
  return %o : !t
}

// refused: whole segments are seen
// CHECK: Function=packed_not_causal | Remark="not linearised: packed scores without a causal mask"
func.func @packed_not_causal(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t, %c: tensor<?xi32>) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.packed(%c : tensor<?xi32>) else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: excluded pairs weigh -inf
// CHECK: Function=infinite_fill | Remark="not linearised: the fill -inf of a mask is not neutral in a sum"
func.func @infinite_fill(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal else -inf : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: excluded pairs weigh -inf
// CHECK: Function=infinite_fill_of_decayed | Remark="not linearised: the fill -inf of a mask is not neutral in a sum"
func.func @infinite_fill_of_decayed(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %a = attn.causal_score %q, %k decay(%g : !g) : !t, !t -> !s
  %m0 = attn.mask %a, #attn.strictly_causal else -inf : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: queries and keys are not known to be as many
// CHECK: Function=unknown_sizes | Remark="not linearised: as many queries as keys are not known: give both the same letter in 'attn.axes'"
func.func @unknown_sizes(%q: !t, %k: !t, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %m0 = attn.mask %a, #attn.causal else 0.0 : !s
  %o = attn.apply %m0, %v : !s, !t -> !t
  return %o : !t
}

// refused: fewer queries than keys
// CHECK: Function=fewer_queries | Remark="not linearised: as many queries as keys are not known: give both the same letter in 'attn.axes'"
func.func @fewer_queries(%q: tensor<2x64x16xf32>, %k: tensor<2x128x16xf32>, %v: tensor<2x128x16xf32>) -> tensor<2x64x16xf32> {
  %a = attn.score %q, %k : tensor<2x64x16xf32>, tensor<2x128x16xf32> -> tensor<2x64x128xf32>
  %m = attn.mask %a, #attn.causal else 0.0 : tensor<2x64x128xf32>
  %o = attn.apply %m, %v : tensor<2x64x128xf32>, tensor<2x128x16xf32> -> tensor<2x64x16xf32>
  return %o : tensor<2x64x16xf32>
}

// refused: the normaliser sees later keys
// CHECK: Function=mask_after_normalizer | Remark="not linearised: a mask, a factor or another normaliser follows the normaliser"
func.func @mask_after_normalizer(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %m = attn.mask %p, #attn.causal else 0.0 : !s
  %o = attn.apply %m, %v : !s, !t -> !t
  return %o : !t
}

// refused: a normaliser of normalised scores
// CHECK: Function=mask_between_normalizers | Remark="not linearised: a mask, a factor or another normaliser follows the normaliser"
func.func @mask_between_normalizers(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k : !t, !t -> !s
  %p = attn.normalize %a : !s
  %m = attn.mask %p, #attn.causal else 0.0 : !s
  %r = attn.normalize %m : !s
  %o = attn.apply %r, %v : !s, !t -> !t
  return %o : !t
}

// refused: the rows of the mask are heads, not queries
// CHECK: Function=mask_on_heads | Remark="not linearised: the mask acts on other axes than queries and keys"
func.func @mask_on_heads(%q: tensor<2x?x16xf32> {attn.axes = "hnd"}, %k: tensor<2x?x16xf32> {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k subscripts "hnd,hmd->nhm" : !t, !t -> tensor<?x2x?xf32>
  %m = attn.mask %a, #attn.causal else 0.0 : tensor<?x2x?xf32>
  %o = attn.apply %m, %v subscripts "nhm,hmv->hnv" : tensor<?x2x?xf32>, !t -> !t
  return %o : !t
}

// refused: the columns of the mask are heads, not keys
// CHECK: Function=mask_on_keys_and_heads | Remark="not linearised: the mask acts on other axes than queries and keys"
func.func @mask_on_keys_and_heads(%q: tensor<2x?x16xf32> {attn.axes = "hnd"}, %k: tensor<2x?x16xf32> {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k subscripts "hnd,hmd->mnh" : !t, !t -> tensor<?x?x2xf32>
  %m = attn.mask %a, #attn.causal else 0.0 : tensor<?x?x2xf32>
  %o = attn.apply %m, %v subscripts "mnh,hmv->hnv" : tensor<?x?x2xf32>, !t -> !t
  return %o : !t
}

// refused: the mask keeps later keys: its rows are keys
// CHECK: Function=mask_on_transposed | Remark="not linearised: the mask acts on other axes than queries and keys"
func.func @mask_on_transposed(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %q, %k subscripts "hnd,hmd->hmn" : !t, !t -> !s
  %m = attn.mask %a, #attn.causal else 0.0 : !s
  %o = attn.apply %m, %v subscripts "hmn,hmv->hnv" : !s, !t -> !t
  return %o : !t
}

// refused: the normaliser sums over queries
// CHECK: Function=normalized_over_queries | Remark="not linearised: the normaliser does not sum over the keys"
func.func @normalized_over_queries(%q: !t {attn.axes = "hnd"}, %k: !t {attn.axes = "hnd"}, %v: !t) -> !t {
  %a = attn.score %k, %q subscripts "hmd,hnd->hmn" : !t, !t -> !s
  %m = attn.mask %a, #attn.causal else 0.0 : !s
  %p = attn.normalize %m : !s
  %o = attn.apply %p, %v subscripts "hmn,hmv->hnv" : !s, !t -> !t
  return %o : !t
}
