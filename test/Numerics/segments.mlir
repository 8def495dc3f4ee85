// Segments composed by their transitions give what one run gives: a decay for
// each key channel and an erasure, in 2, 3 and 7 segments.
// RUN: attn-opt %s --attn-linearize --attn-bracket-recurrences=segments=2 -o %t.2.mlir
// RUN: attn-opt %s --attn-linearize --attn-bracket-recurrences=segments=3 -o %t.3.mlir
// RUN: attn-opt %s --attn-linearize --attn-bracket-recurrences=segments=7 -o %t.7.mlir
// RUN: FileCheck %s --input-file=%t.3.mlir
// RUN: attn-run %t.2.mlir --random=1 --target=reference --outputs=%t.npy
// RUN: attn-run %s --random=1 --check=%t.npy
// RUN: attn-run %t.2.mlir --random=1 --check=%t.npy
// RUN: attn-run %t.3.mlir --random=1 --check=%t.npy
// RUN: attn-run %t.7.mlir --random=1 --check=%t.npy

// CHECK-COUNT-7: attn.recurrence
// CHECK-NOT: attn.recurrence
func.func @main(%q: tensor<2x70x16xf32>, %x: tensor<2x70x16xf32>, %v: tensor<2x70x24xf32>, %y: tensor<2x70x16xf32>, %z: tensor<2x70xf32>) -> tensor<2x70x24xf32> {
  %k = attn.feature_map %x, #attn.l2_norm<eps = 1.0e-6> : tensor<2x70x16xf32> -> tensor<2x70x16xf32>
  %g = attn.feature_map %y, #attn.log_sigmoid : tensor<2x70x16xf32> -> tensor<2x70x16xf32>
  %beta = attn.feature_map %z, #attn.sigmoid : tensor<2x70xf32> -> tensor<2x70xf32>
  %s = attn.causal_score %k, %k decay(%g : tensor<2x70x16xf32>) strict : tensor<2x70x16xf32>, tensor<2x70x16xf32> -> tensor<2x70x70xf32>
  %l = attn.gate %s, %beta : tensor<2x70x70xf32>, tensor<2x70xf32> -> tensor<2x70x70xf32>
  %b = attn.gate %v, %beta : tensor<2x70x24xf32>, tensor<2x70xf32> -> tensor<2x70x24xf32>
  %u = attn.solve %l, %b : tensor<2x70x70xf32>, tensor<2x70x24xf32> -> tensor<2x70x24xf32>
  %a = attn.causal_score %q, %k decay(%g : tensor<2x70x16xf32>) : tensor<2x70x16xf32>, tensor<2x70x16xf32> -> tensor<2x70x70xf32>
  %o = attn.apply %a, %u : tensor<2x70x70xf32>, tensor<2x70x24xf32> -> tensor<2x70x24xf32>
  return %o : tensor<2x70x24xf32>
}
