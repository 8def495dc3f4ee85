!q = tensor<2x?x4096xf32>
!v = tensor<2x?x64xf32>
func.func @scratch(%q: !q, %k: !q, %v: !v, %g: tensor<2x?xf32>) -> !v {
  // A state of all tokens, for the function.
  %s = attn.contract %k, %v subscripts "hmd,hmv->hdv" : !q, !v -> tensor<2x4096x64xf32>
  %x = attn.contract %q, %s subscripts "hnd,hdv->hnv" : !q, tensor<2x4096x64xf32> -> !v
  // A state for each iteration.
  %a = attn.causal_score %q, %k decay(%g : tensor<2x?xf32>) : !q, !q -> tensor<2x?x?xf32>
  %y = attn.apply %a, %v : tensor<2x?x?xf32>, !v -> !v
  %o = arith.addf %x, %y : !v
  return %o : !v
}
