// cosFormer, causal: S_t = S_{t-1} + phi(k_t) v_t^T, z_t = z_{t-1} + phi(k_t),
// o_t = S_t^T phi(q_t) / (z_t . phi(q_t)), where token t has the features
// relu(x) [cos(pi t / 2M), sin(pi t / 2M)], M = 4096 tokens at most.
// Qin et al., "cosFormer", 2022 (arXiv:2202.08791).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.cosformer<max_len = 4096> : tensor<1x8x?x64xf32> -> tensor<1x8x?x128xf32>
  %fk = attn.feature_map %k, #attn.cosformer<max_len = 4096> : tensor<1x8x?x64xf32> -> tensor<1x8x?x128xf32>
  %a = attn.causal_score %fq, %fk : tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
