// A stock mlir-opt loads the dialect and the passes.
// RUN: %foreign mlir-opt %s --load-dialect-plugin=%attn_plugin | FileCheck %s
// RUN: not %foreign mlir-opt %s --load-dialect-plugin=%attn_plugin --load-pass-plugin=%attn_plugin \
// RUN:   --pass-pipeline='builtin.module(attn-verify-no-quadratic)' 2>&1 | FileCheck %s --check-prefix=PASS

// CHECK-LABEL: func @scores
func.func @scores(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>) -> tensor<?x?xf32> {
  // CHECK: attn.score
  // PASS: [[@LINE+1]]:8: error: quadratic intermediate
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return %a : tensor<?x?xf32>
}
