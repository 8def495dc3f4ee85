// Grouped-query attention: 8 query heads share 2 heads of keys and values,
// O = softmax(mask(Q K^T / sqrt(64))) V, causal.
// Ainslie et al., "GQA", 2023 (arXiv:2305.13245).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>,
                %v: tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.scale %s by 1.250000e-01 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %m = attn.mask %c, #attn.causal else -inf : tensor<1x8x?x?xf32>
  %p = attn.softmax %m : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x2x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
