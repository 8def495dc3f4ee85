// Softmax attention: O = softmax(Q K^T / sqrt(64)) V, exact.
// Vaswani et al., "Attention Is All You Need", 2017 (arXiv:1706.03762).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.scale %s by 1.250000e-01 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %p = attn.softmax %c : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
