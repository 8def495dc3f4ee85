// Softmax attention over a text, exact, 4 heads of 64 features:
// O = softmax(Q K^T / sqrt(64)) V.
func.func @main(%q: tensor<4x?x64xf32>, %k: tensor<4x?x64xf32>,
                %v: tensor<4x?x64xf32>) -> tensor<4x?x64xf32> {
  %a = attn.score %q, %k : tensor<4x?x64xf32>, tensor<4x?x64xf32> -> tensor<4x?x?xf32>
  %s = attn.scale %a by 1.250000e-01 : tensor<4x?x?xf32> -> tensor<4x?x?xf32>
  %p = attn.softmax %s : tensor<4x?x?xf32>
  %o = attn.apply %p, %v : tensor<4x?x?xf32>, tensor<4x?x64xf32> -> tensor<4x?x64xf32>
  return %o : tensor<4x?x64xf32>
}
