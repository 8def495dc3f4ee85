// RetNet: S_t = gamma_h S_{t-1} + k_t v_t^T, o_t = S_t^T q_t / sqrt(64), with
// gamma_h = 1 - 2^(-5-h) for head h = 0 to 7; %g is log gamma.
// Sun et al., "Retentive Network", 2023 (arXiv:2307.08621).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %g = arith.constant dense<[-0.031748698314580298, -0.015748356968139168, -0.0078431774610258926, -0.0039138993211363287, -0.0019550348358033506, -0.00097703964782661274, -0.00048840049810887451, -0.00024417043217391448]> : tensor<8xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %k decay(%g "h" : tensor<8xf32>) : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
