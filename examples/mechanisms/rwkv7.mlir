// RWKV-7: S_t = diag(e^{w_t}) S_{t-1} + b_t (a_t^T S_{t-1}) + k_t v_t^T,
// o_t = S_t^T r_t, with a = -kappa, b = kappa * eta, |kappa| = 1,
// w = -e^{-1/2} sigmoid(w~). With scores A under the decay and N under the
// decay up to the token before, (I - N_ab) U = N_ak V and O = A_rk V + A_rb U:
// two keys a token, k and b, share the state.
// Peng et al., "RWKV-7 Goose", 2025 (arXiv:2503.14456).
func.func @main(%r: tensor<1x8x?x64xf32>, %w: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>, %a: tensor<1x8x?x64xf32>,
                %b: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %n = attn.causal_score %a, %b decay(%w : tensor<1x8x?x64xf32>) exclusive strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.scale %n by -1.0 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %m = attn.causal_score %a, %k decay(%w : tensor<1x8x?x64xf32>) exclusive strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.apply %m, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %u = attn.solve %l, %c : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %p = attn.causal_score %r, %k decay(%w : tensor<1x8x?x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %s = attn.causal_score %r, %b decay(%w : tensor<1x8x?x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %x = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %y = attn.apply %s, %u : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %o = arith.addf %x, %y : tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
