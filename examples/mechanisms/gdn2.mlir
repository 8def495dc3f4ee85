// Gated DeltaNet-2: S_t = (I - k_t (b_t * k_t)^T) diag(e^{g_t}) S_{t-1} + k_t
// (w_t * v_t)^T, o_t = S_t^T q_t / sqrt(64), |k| = 1: gates b and w of their
// own to erase and to write.
// Hatamizadeh et al., "Gated DeltaNet-2", 2026 (arXiv:2605.22791).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %g: tensor<1x8x?x64xf32>,
                %b: tensor<1x8x?x64xf32>,
                %w: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %bk = attn.gate %k, %b in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %wv = attn.gate %v, %w in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %l = attn.causal_score %bk, %k decay(%g : tensor<1x8x?x64xf32>) strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %u = attn.solve %l, %wv : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k decay(%g : tensor<1x8x?x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %u : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
