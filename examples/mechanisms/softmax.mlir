// Softmax attention, causal:
// o_t = sum_{j <= t} e^{s_tj} v_j / sum_{j <= t} e^{s_tj},
// s_tj = q_t . k_j / sqrt(64). The exponential has no finite features: the
// state is all keys and values.
// Vaswani et al., "Attention Is All You Need", 2017 (arXiv:1706.03762).
func.func @main(%q: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %k: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = attn.score %q, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %c = attn.scale %s by 0.125 : tensor<1x8x?x?xf32> -> tensor<1x8x?x?xf32>
  %m = attn.mask %c, #attn.causal else -inf : tensor<1x8x?x?xf32>
  %p = attn.softmax %m : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
