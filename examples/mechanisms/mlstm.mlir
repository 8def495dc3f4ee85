// mLSTM with the exponential input gate: f_t = log_sigmoid(f~_t),
// C_t = e^{f_t} C_{t-1} + e^{i_t} k_t v_t^T,
// n_t = e^{f_t} n_{t-1} + e^{i_t} k_t, h_t = C_t^T q_t / max(|n_t . q_t|, 1),
// q_t scaled by 1 / sqrt(64). The paper divides C and n by e^{m_t},
// m_t = max(f_t + m_{t-1}, i_t), and so has the floor e^{-m_t}.
// Beck et al., "xLSTM", 2024 (arXiv:2405.04517).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %f: tensor<1x8x?xf32>,
                %i: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %g = attn.feature_map %f, #attn.log_sigmoid : tensor<1x8x?xf32> -> tensor<1x8x?xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k decay(%g : tensor<1x8x?xf32>) log_gate(%i : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a floor 1.0 : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
