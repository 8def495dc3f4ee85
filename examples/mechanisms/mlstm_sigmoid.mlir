// mLSTM with the sigmoid input gate, without normaliser:
// C_t = sigmoid(f_t) C_{t-1} + sigmoid(i_t) k_t v_t^T,
// h_t = C_t^T q_t / sqrt(64).
// Beck et al., "Tiled Flash Linear Attention", 2025 (arXiv:2503.14376).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %f: tensor<1x8x?xf32>,
                %i: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %g = attn.feature_map %f, #attn.log_sigmoid : tensor<1x8x?xf32> -> tensor<1x8x?xf32>
  %si = attn.feature_map %i, #attn.sigmoid : tensor<1x8x?xf32> -> tensor<1x8x?xf32>
  %ik = attn.gate %k, %si : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %ik decay(%g : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
