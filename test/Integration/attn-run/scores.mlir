// Scores that leave the graph get a buffer only on request.
// RUN: not attn-run %s --random=1 --dim=n=70 --dim=m=65 2>&1 | FileCheck %s --check-prefix=REFUSED
// RUN: attn-run %s --random=1 --dim=n=70 --dim=m=65 --allow-quadratic --verify | FileCheck %s
// REFUSED: scores.mlir:[[#@LINE+7]]:8: would need a buffer for a value with two token axes
// REFUSED-SAME: (allow-quadratic permits it)
// CHECK: cpu: @main -> 2x70x65xf32
// CHECK: rel_err={{[0-9.]+}}e-0{{[6-9]}}
func.func @main(%q: tensor<2x?x32xf32>, %k: tensor<2x?x32xf32>) -> tensor<2x?x?xf32> {
  %s = attn.score %q, %k : tensor<2x?x32xf32>, tensor<2x?x32xf32> -> tensor<2x?x?xf32>
  %m = attn.mask %s, #attn.causal else -inf : tensor<2x?x?xf32>
  %p = attn.softmax %m : tensor<2x?x?xf32>
  return %p : tensor<2x?x?xf32>
}
