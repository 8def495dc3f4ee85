// HGRN2: S_t = diag(e^{g_t}) S_{t-1} + (1 - e^{g_t}) v_t^T, o_t = S_t^T q_t:
// the key is what the decay leaves.
// Qin et al., "HGRN2", 2024 (arXiv:2404.07904).
func.func @main(%q: tensor<1x8x?x64xf32>, %g: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %k = attn.feature_map %g { ^bb0(%x: f32):
    %e = math.expm1 %x : f32
    %y = arith.negf %e : f32
    attn.yield %y : f32
  } : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %q, %k decay(%g : tensor<1x8x?x64xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
