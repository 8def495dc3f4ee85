// Linear Transformer: O = normalize(phi(Q) phi(K)^T) V, phi(x) = elu(x) + 1.
// Katharopoulos et al., "Transformers are RNNs", 2020 (arXiv:2006.16236).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fk = attn.feature_map %k, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
