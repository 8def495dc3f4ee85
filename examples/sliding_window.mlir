// A causal window of 256 tokens: O = softmax(mask(Q K^T / sqrt(64))) V.
// Beltagy et al., "Longformer", 2020 (arXiv:2004.05150).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.scale %s by 1.250000e-01 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %m = attn.mask %c, #attn.sliding_window<left = 255, right = 0> else -inf : tensor<1x8x?x?xf32>
  %p = attn.softmax %m : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
