// Scores that leave the graph are refused, unless that is asked for.
// RUN: attn-opt %s --attn-cpu-pipeline --verify-diagnostics -o /dev/null
// RUN: sed 's/expected-error//' %s | attn-opt --attn-cpu-pipeline=allow-quadratic --mlir-print-ir-after=convert-bufferization-to-memref -o %t.mlir 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.mlir
// CHECK: memref.alloc(%{{.*}}, %{{.*}}) {{.*}}: memref<?x?xf32>
// LLVM: llvm.func @scores
func.func @scores(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>) -> tensor<?x?xf32> {
  // expected-error @below {{would need a buffer for a value with two token axes: 'tensor<?x?xf32>' (allow-quadratic permits it)}}
  %s = attn.score %q, %k : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
}
