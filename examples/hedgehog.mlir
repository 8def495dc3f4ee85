// Hedgehog: O = normalize(phi(Q) phi(K)^T) V with a learned softmax pair,
// phi(x) = [softmax(W x), softmax(-W x)], W one a head.
// Zhang et al., "The Hedgehog & the Porcupine", 2024 (arXiv:2402.04347).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %w: tensor<8x32x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.hedgehog(%w : tensor<8x32x64xf32>) : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fk = attn.feature_map %k, #attn.hedgehog(%w : tensor<8x32x64xf32>) : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
