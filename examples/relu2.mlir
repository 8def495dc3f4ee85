// Squared relu: O = normalize(phi(Q) phi(K)^T) V, phi(x) = max(x, 0)^2.
// So et al., "Primer", 2021 (arXiv:2109.08668).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.squared_relu : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fk = attn.feature_map %k, #attn.squared_relu : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
