// cosFormer: O = normalize(phi(Q) phi(K)^T) V, where token i has the features
// relu(x) [cos(pi i / 2M), sin(pi i / 2M)], M = 4096 at most.
// Qin et al., "cosFormer", 2022 (arXiv:2202.08791).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.cosformer<max_len = 4096> : tensor<1x8x?x64xf32> -> tensor<1x8x?x128xf32>
  %fk = attn.feature_map %k, #attn.cosformer<max_len = 4096> : tensor<1x8x?x64xf32> -> tensor<1x8x?x128xf32>
  %a = attn.score %fq, %fk : tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
