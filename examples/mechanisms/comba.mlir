// Comba: S_t = e^{g_t} S_{t-1} - beta_t k_t (p_t^T S_{t-1}) + beta_t k_t v_t^T,
// p_t = c_h k_t, o_t = S_t^T (q_t / sqrt(64) - d_h k_t), |k| = 1: the
// correction reads the state before its decay, and the output is corrected too.
// Hu et al., "Comba", 2025 (arXiv:2506.02475).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>, %g: tensor<1x8x?xf32>,
                %beta: tensor<1x8x?xf32>, %c: tensor<8xf32>, %d: tensor<8xf32>) -> tensor<1x8x?x64xf32> {
  %p = attn.gate %k, %c subscripts "bhnd,h->bhnd" : tensor<1x8x?x64xf32>, tensor<8xf32> -> tensor<1x8x?x64xf32>
  %e = attn.gate %k, %d subscripts "bhnd,h->bhnd" : tensor<1x8x?x64xf32>, tensor<8xf32> -> tensor<1x8x?x64xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %f = arith.subf %s, %e : tensor<1x8x?x64xf32>
  %n = attn.causal_score %p, %k decay(%g : tensor<1x8x?xf32>) exclusive strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.gate %n, %beta in [0.0, 1.0] : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
  %b = attn.gate %v, %beta : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %u = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %f, %k decay(%g : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %u : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
