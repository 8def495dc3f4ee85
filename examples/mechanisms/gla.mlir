// Gated linear attention: S_t = diag(e^{g_t}) S_{t-1} + k_t v_t^T,
// o_t = S_t^T q_t / sqrt(64), one data-dependent decay a key channel.
// Yang et al., "Gated Linear Attention Transformers with Hardware-Efficient
// Training", 2023 (arXiv:2312.06635).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %g: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k decay(%g : tensor<1x8x?x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
