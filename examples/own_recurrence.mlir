// A recurrence of one's own, written for one token: a state S[d, v] whose key
// channels are forgotten by a gate of their own, from which a part of what the
// key already finds is taken out, and which is read before the token's own pair
// is written, by a gated output:
//
//   S' = diag(a) S + k (v - b k^T S)^T,  a = 1 / (1 + exp(-w))
//   o  = z * (q^T S)
//
// attn-analyze-scans finds that S' is linear in S: a diagonal decay and one
// low-rank correction. A region that is not linear is refused, with the reason.
func.func @main(%q: tensor<1x8x?x64xf32> {attn.axes = "bhnd"}, %k: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %v: tensor<1x8x?x32xf32> {attn.axes = "bhnv"}, %w: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %b: tensor<8xf32>, %z: tensor<1x8x?x32xf32> {attn.axes = "bhnv"}) -> tensor<1x8x?x32xf32> {
  %u = attn.scale %k by 1.250000e-01 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %o = attn.scan inputs(%q "bhnd", %u "bhnd", %v "bhnv", %w "bhnd", %b "h", %z "bhnv") over "bhdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>,
       %wt: tensor<64xf32>, %bt: tensor<f32>, %zt: tensor<32xf32>):
    %one = arith.constant dense<1.0> : tensor<64xf32>
    %x = arith.negf %wt : tensor<64xf32>
    %e = math.exp %x : tensor<64xf32>
    %f = arith.addf %one, %e : tensor<64xf32>
    %a = arith.divf %one, %f : tensor<64xf32>
    %d = attn.gate %s, %a subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %br = attn.gate %r, %bt subscripts "v,->v" : tensor<32xf32>, tensor<f32> -> tensor<32xf32>
    %c = arith.subf %vt, %br : tensor<32xf32>
    %kc = attn.gate %kt, %c subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kc : tensor<64x32xf32>
    %y = attn.contract %qt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %zy = arith.mulf %zt, %y : tensor<32xf32>
    attn.yield %n, %zy : tensor<64x32xf32>, tensor<32xf32>
  } -> "bhnv" : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x32xf32>, tensor<1x8x?x64xf32>, tensor<8xf32>, tensor<1x8x?x32xf32>) -> tensor<1x8x?x32xf32>
  return %o : tensor<1x8x?x32xf32>
}
