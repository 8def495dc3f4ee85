// Mamba (S6):
// h_t[d, v] = e^{dt_t[v] A[v, d]} h_{t-1}[d, v] + B_t[d] dt_t[v] x_t[v],
// y_t[v] = (sum_d C_t[d] h_t[d, v] + D[v] x_t[v]) silu(z_t[v]),
// A = -exp(a), dt = softplus(delta): one decay an element of the state.
// Gu and Dao, "Mamba", 2023 (arXiv:2312.00752).
func.func @main(%x: tensor<1x?x64xf32>, %delta: tensor<1x?x64xf32>, %a: tensor<64x16xf32>, %B: tensor<1x?x16xf32>,
                %C: tensor<1x?x16xf32>, %D: tensor<64xf32>, %z: tensor<1x?x64xf32>) -> tensor<1x?x64xf32> {
  %dt = attn.feature_map %delta, #attn.softplus : tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %A = attn.feature_map %a, #attn.negative_exp : tensor<64x16xf32> -> tensor<64x16xf32>
  %g = attn.gate %dt, %A subscripts "bnv,vd->bnvd" : tensor<1x?x64xf32>, tensor<64x16xf32> -> tensor<1x?x64x16xf32>
  %dx = attn.gate %x, %dt : tensor<1x?x64xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %s = attn.causal_score %C, %B subscripts "bnd,bmd->bvnm" decay(%g "bnvd" : tensor<1x?x64x16xf32>) : tensor<1x?x16xf32>, tensor<1x?x16xf32> -> tensor<1x64x?x?xf32>
  %h = attn.apply %s, %dx subscripts "bvnm,bmv->bnv" : tensor<1x64x?x?xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %xD = attn.gate %x, %D subscripts "bnv,v->bnv" : tensor<1x?x64xf32>, tensor<64xf32> -> tensor<1x?x64xf32>
  %y = arith.addf %h, %xD : tensor<1x?x64xf32>
  %sz = attn.feature_map %z, #attn.silu : tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  %o = attn.gate %y, %sz : tensor<1x?x64xf32>, tensor<1x?x64xf32> -> tensor<1x?x64xf32>
  return %o : tensor<1x?x64xf32>
}
