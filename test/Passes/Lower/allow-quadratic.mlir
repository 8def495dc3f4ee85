// RUN: attn-opt %s --convert-attn-to-linalg=allow-quadratic | FileCheck %s --implicit-check-not=attn.

// Scores that leave the graph are computed in tiles along both token axes;
// their row sums in a loop of its own.
// CHECK-LABEL: func @weights
// CHECK: %[[EMPTY:.*]] = tensor.empty(%{{.*}}, %{{.*}}) : tensor<?x?xf32>
// CHECK: scf.forall {{.*}} step (64, 64) shared_outs(%{{.*}} = %[[EMPTY]])
// CHECK: scf.for {{.*}} -> (tensor<64xf32>, tensor<64xf32>)
// CHECK: linalg.contract
// CHECK: arith.divf
// CHECK: tensor.parallel_insert_slice {{.*}} : tensor<64x64xf32> into tensor<?x?xf32>
func.func @weights(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>) -> tensor<?x?xf32> {
  %s = attn.score %q, %k : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %p = attn.softmax %s : tensor<?x?xf32>
  return %p : tensor<?x?xf32>
}
