// Packed sequences: segment i holds the tokens cu[i] to cu[i + 1], and no token
// sees another segment: O = softmax(mask(mask(Q K^T / sqrt(64)))) V, causal.
// Krell et al., "Efficient Sequence Packing without Cross-contamination", 2021
// (arXiv:2107.02027).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %cu: tensor<?xi32>) -> tensor<1x8x?x64xf32> {
  %s = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.scale %s by 1.250000e-01 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %m = attn.mask %c, #attn.packed(%cu : tensor<?xi32>) else -inf : tensor<1x8x?x?xf32>
  %n = attn.mask %m, #attn.causal else -inf : tensor<1x8x?x?xf32>
  %p = attn.softmax %n : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
