// DeltaNet: S_t = (I - beta_t k_t k_t^T) S_{t-1} + beta_t k_t v_t^T,
// o_t = S_t^T q_t / sqrt(64), |k| = 1. As a graph,
// (I + tril(beta K K^T, -1)) U = beta V, O = tril(Q K^T) U.
// Schlag et al., "Linear Transformers Are Secretly Fast Weight Programmers",
// 2021 (arXiv:2102.11174); Yang et al., "Parallelizing Linear Transformers with
// the Delta Rule over Sequence Length", 2024 (arXiv:2406.06484).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %beta: tensor<1x8x?xf32>) -> tensor<1x8x?x64xf32> {
  %u = attn.feature_map %k, #attn.l2_norm : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %s = attn.scale %q by 0.125 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %c = attn.causal_score %u, %u strict : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %l = attn.gate %c, %beta in [0.0, 1.0] : tensor<1x8x?x?xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x?xf32>
  %b = attn.gate %v, %beta in [0.0, 1.0] : tensor<1x8x?x64xf32>, tensor<1x8x?xf32> -> tensor<1x8x?x64xf32>
  %w = attn.solve %l, %b : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.causal_score %s, %u : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %o = attn.apply %a, %w : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
