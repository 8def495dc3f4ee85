// Gated DeltaNet:
// S_t = e^{g_t} (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T,
// o_t = S_t^T q_t / sqrt(64), |k| = 1.
// Yang et al., "Gated Delta Networks", 2024 (arXiv:2412.06464).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %g: tensor<1x8x?xf32>,
                %beta: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %u = attn.feature_map %k, #attn.l2_norm : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %c = attn.causal_score %u, %u decay(%g : tensor<1x8x?xf32>) strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.gate %c, %beta in [0.0, 1.0] : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
  %b = attn.gate %v, %beta in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %w = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %u decay(%g : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %w : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
