// RWKV-5 (Eagle): S_t = diag(e^{-exp(w)}) S_{t-1} + k_t v_t^T,
// o_t = (S_{t-1} + diag(u) k_t v_t^T)^T r_t, a constant decay and a bonus a
// channel.
// Peng et al., "Eagle and Finch", 2024 (arXiv:2404.05892).
func.func @main(%r: tensor<1x8x?x64xf32>, %w: tensor<8x64xf32>,
                %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>,
                %u: tensor<8x64xf32>) -> tensor<1x8x?x64xf32> {
  %g = attn.feature_map %w, #attn.negative_exp : tensor<8x64xf32> -> tensor<8x64xf32>
  %a = attn.causal_score %r, %k decay(%g "hd" : tensor<8x64xf32>) exclusive bonus(%u : tensor<8x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
