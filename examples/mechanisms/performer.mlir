// Performer, causal: S_t = S_{t-1} + phi(k_t) v_t^T, z_t = z_{t-1} + phi(k_t),
// o_t = S_t^T phi(q_t) / (z_t . phi(q_t)) with the positive random features
// phi(x) = exp(W x' - |x'|^2 / 2) / sqrt(256), x' = x / 64^(1/4).
// Choromanski et al., "Rethinking Attention with Performers", 2020
// (arXiv:2009.14794).
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>,
                %w: tensor<256x64xf32>) -> tensor<1x8x?x64xf32> {
  %sq = attn.scale %q by 0.35355339059327379 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %sk = attn.scale %k by 0.35355339059327379 : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fq = attn.feature_map %sq, #attn.favor(%w : tensor<256x64xf32>) : tensor<1x8x?x64xf32> -> tensor<1x8x?x256xf32>
  %fk = attn.feature_map %sk, #attn.favor(%w : tensor<256x64xf32>) : tensor<1x8x?x64xf32> -> tensor<1x8x?x256xf32>
  %a = attn.causal_score %fq, %fk : tensor<1x8x?x256xf32>, tensor<1x8x?x256xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
