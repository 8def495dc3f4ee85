// DeltaProduct with 2 steps a token, gated: for steps j = 2t, 2t + 1 of token
// t, S_j = e^{g_j} (I - beta_j k_j k_j^T) S_{j-1} + beta_j k_j v_j^T,
// o_t = S_{2t+1}^T q_t / sqrt(64). k, v, g and beta have 2N tokens, q has N. A
// beta up to 2 allows reflections.
// Siems et al., "DeltaProduct", 2025 (arXiv:2502.10297).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %g: tensor<1x8x?xf32>,
                %beta: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %q2 = attn.expand_steps %s steps 2 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %c = attn.causal_score %k, %k decay(%g : tensor<1x8x?xf32>) strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.gate %c, %beta in [0.0, 2.0] : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
  %b = attn.gate %v, %beta : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %w = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %q2, %k decay(%g : tensor<1x8x?xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %x = attn.apply %a, %w : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %o = attn.take_steps %x steps 2 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
