// Lightning attention: S_t = e^{g_h} S_{t-1} + k_t v_t^T,
// o_t = S_t^T q_t / sqrt(64), with a constant slope g_h <= 0 that the head and
// the layer determine.
// Qin et al., "Lightning Attention-2", 2024 (arXiv:2401.04658).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %g: tensor<8xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k decay(%g "h" : tensor<8xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
