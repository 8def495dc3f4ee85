// A predictor of our own: u_t = beta_t (v_t - S_{t-1}^T k_t),
// S_t = diag(e^{g_t}) S_{t-1} + k_t u_t^T, o_t = S_{t-1}^T q_t, |k| = 1. What
// is written is the error of the prediction, so that a token that was foreseen
// leaves the memory alone; unit keys of positive features have products from 0
// to 1, and beta <= 1 keeps diag(e^{g_t}) - beta_t k_t k_t^T a contraction.
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %g: tensor<1x8x?x64xf32>,
                %beta: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %eq = attn.feature_map %q, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %ek = attn.feature_map %k, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %uq = attn.feature_map %eq, #attn.l2_norm : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %uk = attn.feature_map %ek, #attn.l2_norm : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %n = attn.causal_score %uk, %uk decay(%g : tensor<1x8x?x64xf32>) exclusive strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.gate %n, %beta in [0.0, 1.0] : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
  %b = attn.gate %v, %beta in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %u = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %uq, %uk decay(%g : tensor<1x8x?x64xf32>) exclusive strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %u : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
