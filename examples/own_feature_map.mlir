// A feature map of one's own, written where it is used: phi(x) = 2^x in
// O = normalize(phi(Q) phi(K)^T) V. Any map of one element to one element is
// taken; one that is positive keeps the normaliser away from zero.
func.func @main(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %fq = attn.feature_map %q { ^bb0(%x: f32):
    %y = math.exp2 %x : f32
    attn.yield %y : f32
  } : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %fk = attn.feature_map %k { ^bb0(%x: f32):
    %y = math.exp2 %x : f32
    attn.yield %y : f32
  } : tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  %a = attn.score %fq, %fk : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x?xf32>
  %p = attn.normalize %a : tensor<1x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
