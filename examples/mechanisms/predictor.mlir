// A predictor of our own: u_t = beta_t (v_t - S_{t-1}^T k_t), S_t =
// diag(e^{g_t}) S_{t-1} + k_t u_t^T, o_t = S_{t-1}^T q_t. The state before the
// token predicts, and what is written is the prediction's error u, so that a
// token that was foreseen leaves the memory as it decays. With unit keys of
// positive features k . k' is in [0, 1]: an error is spread to similar keys,
// never with the opposite sign, and beta <= 1 keeps diag(e^{g_t}) - beta_t k_t
// k_t^T a contraction. The output does not see its own token, which the
// residual stream carries anyway.
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
