// RWKV-4: o_t = (a_{t-1} + e^{u + k_t} v_t) / (b_{t-1} + e^{u + k_t}) for each
// channel c, a_t = e^{-exp(w)} a_{t-1} + e^{k_t} v_t,
// b_t = e^{-exp(w)} b_{t-1} + e^{k_t}: channels are a batch, with one key
// channel of 1.
// Peng et al., "RWKV", 2023 (arXiv:2305.13048).
func.func @main(%w: tensor<64xf32>, %u: tensor<64xf32>, %k: tensor<1x?x64xf32>,
                %v: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %one = arith.constant dense<1.0> : tensor<1xf32>
  %g = attn.feature_map %w, #attn.negative_exp : tensor<64xf32> -> tensor<64xf32>
  %eu = attn.feature_map %u { ^bb0(%x: f32):
    %y = math.exp %x : f32
    attn.yield %y : f32
  } : tensor<64xf32> -> tensor<64xf32>
  %a = attn.causal_score %one, %one subscripts "d,d->bcnm" decay(%g "c" : tensor<64xf32>) exclusive bonus(%eu "c" : tensor<64xf32>) log_gate(%k "bmc" : tensor<1x?x64xf32>) : tensor<1xf32>, tensor<1xf32> -> tensor<1x64x?x?xf32>
  %p = attn.normalize %a : tensor<1x64x?x?xf32>
  %o = attn.apply %p, %v subscripts "bcnm,bmc->bnc" : tensor<1x64x?x?xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  return %o : tensor<1x?x64xf32>
}
