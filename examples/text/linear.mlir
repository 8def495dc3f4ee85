// Linear attention over a text, 4 heads of 64 features:
// O = normalize(phi(Q) phi(K)^T) V, phi(x) = elu(x) + 1 (arXiv:2006.16236).
func.func @main(%q: tensor<4x?x64xf32>, %k: tensor<4x?x64xf32>,
                %v: tensor<4x?x64xf32>) -> tensor<4x?x64xf32> {
  %fq = attn.feature_map %q, #attn.elu1 : tensor<4x?x64xf32> -> tensor<4x?x64xf32>
  %fk = attn.feature_map %k, #attn.elu1 : tensor<4x?x64xf32> -> tensor<4x?x64xf32>
  %a = attn.score %fq, %fk : tensor<4x?x64xf32>, tensor<4x?x64xf32> -> tensor<4x?x?xf32>
  %p = attn.normalize %a : tensor<4x?x?xf32>
  %o = attn.apply %p, %v : tensor<4x?x?xf32>, tensor<4x?x64xf32> -> tensor<4x?x64xf32>
  return %o : tensor<4x?x64xf32>
}
