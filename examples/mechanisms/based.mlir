// Based, causal: S_t = S_{t-1} + phi(k_t) v_t^T, z_t = z_{t-1} + phi(k_t),
// o_t = S_t^T phi(q_t) / (z_t . phi(q_t)), where
// phi(q) . phi(k) = 1 + s + s^2 / 2, s = q . k / sqrt(16).
// Arora et al., "Simple linear attention language models balance the
// recall-throughput tradeoff", 2024 (arXiv:2402.18668).
func.func @main(%q: tensor<1x8x?x16xf32>, %k: tensor<1x8x?x16xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.taylor2 : tensor<1x8x?x16xf32> -> tensor<1x8x?x273xf32>
  %fk = attn.feature_map %k, #attn.taylor2 : tensor<1x8x?x16xf32> -> tensor<1x8x?x273xf32>
  %a = attn.causal_score %fq, %fk : tensor<1x8x?x273xf32>, tensor<1x8x?x273xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
