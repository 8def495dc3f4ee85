// RUN: %python %S/Inputs/exponentials.py %attn_tools/attn-run %s %t

// exp and expm1 in f32 are as accurate as passes/cpu/Exponentials.cpp says.
func.func @main(%x: tensor<65536xf32>) -> (tensor<65536xf32>, tensor<65536xf32>) {
  %0 = attn.feature_map %x { ^bb0(%a: f32):
    %e = math.exp %a : f32
    attn.yield %e : f32
  } : tensor<65536xf32> -> tensor<65536xf32>
  %1 = attn.feature_map %x { ^bb0(%a: f32):
    %e = math.expm1 %a : f32
    attn.yield %e : f32
  } : tensor<65536xf32> -> tensor<65536xf32>
  return %0, %1 : tensor<65536xf32>, tensor<65536xf32>
}
