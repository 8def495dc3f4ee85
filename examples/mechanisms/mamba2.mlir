// Mamba-2 (SSD): S_t = e^{dt_t A_h} S_{t-1} + B_t (dt_t x_t)^T,
// y_t = S_t^T C_t + D_h x_t, A_h = -exp(a_h),
// dt = softplus(delta). 8 heads share B and C in 2 groups.
// Dao and Gu, "Transformers are SSMs", 2024 (arXiv:2405.21060).
func.func @main(%x: tensor<1x?x8x64xf32>, %delta: tensor<1x?x8xf32>,
                %a: tensor<8xf32>, %B: tensor<1x?x2x64xf32>,
                %C: tensor<1x?x2x64xf32>,
                %D: tensor<8xf32>) -> tensor<1x?x8x64xf32> {
  %dt = attn.feature_map %delta, #attn.softplus : tensor<1x?x8xf32> -> tensor<1x?x8xf32>
  %A = attn.feature_map %a, #attn.negative_exp : tensor<8xf32> -> tensor<8xf32>
  %g = attn.gate %dt, %A subscripts "bnh,h->bnh" : tensor<1x?x8xf32>, tensor<8xf32> -> tensor<1x?x8xf32>
  %dx = attn.gate %x, %dt : tensor<1x?x8x64xf32>, tensor<1x?x8xf32> -> tensor<1x?x8x64xf32>
  %s = attn.causal_score %C, %B subscripts "bngd,bmgd->b(gr)nm" decay(%g "bn(gr)" : tensor<1x?x8xf32>) : tensor<1x?x2x64xf32>, tensor<1x?x2x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %s, %dx subscripts "bhnm,bmhv->bnhv" : tensor<1x8x?x?xf32>, tensor<1x?x8x64xf32> -> tensor<1x?x8x64xf32>
  %xD = attn.gate %x, %D subscripts "bnhv,h->bnhv" : tensor<1x?x8x64xf32>, tensor<8xf32> -> tensor<1x?x8x64xf32>
  %y = arith.addf %o, %xD : tensor<1x?x8x64xf32>
  return %y : tensor<1x?x8x64xf32>
}
