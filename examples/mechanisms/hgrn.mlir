// HGRN: h_t = e^{g_t} h_{t-1} + (1 - e^{g_t}) i_t, o_t = h_t, element by
// element: the channels c are a batch, with one key channel and one value a
// channel.
// Qin et al., "Hierarchically Gated Recurrent Neural Network", 2023
// (arXiv:2311.04823).
func.func @main(%g: tensor<1x?x64xf32>,
                %i: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %k = attn.feature_map %g { ^bb0(%x: f32):
    %e = math.expm1 %x : f32
    %y = arith.negf %e : f32
    attn.yield %y : f32
  } : tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %ki = attn.gate %k, %i : tensor<1x?x64xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %a = attn.causal_score %one, %one subscripts "d,d->bcnm" decay(%g "bnc" : tensor<1x?x64xf32>) : tensor<1xf32>, tensor<1xf32> -> tensor<1x64x?x?xf32>
  %o = attn.apply %a, %ki subscripts "bcnm,bmc->bnc" : tensor<1x64x?x?xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  return %o : tensor<1x?x64xf32>
}
