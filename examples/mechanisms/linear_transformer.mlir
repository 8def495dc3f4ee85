// Linear Transformer, causal: S_t = S_{t-1} + phi(k_t) v_t^T,
// z_t = z_{t-1} + phi(k_t), o_t = S_t^T phi(q_t) / (z_t . phi(q_t)),
// phi(x) = elu(x) + 1.
// Katharopoulos et al., "Transformers are RNNs", 2020 (arXiv:2006.16236).
func.func @main(%q: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %k: tensor<1x8x?x64xf32> {attn.axes = "bhnd"},
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fk = attn.feature_map %k, #attn.elu1 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %s = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %m = attn.mask %s, #attn.causal else 0.0 : tensor<1x8x?x?xf32>
  %p = attn.normalize %m : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
