// RUN: attn-opt %s --attn-split-empty-tensors | FileCheck %s

// CHECK-LABEL: func @shared
// CHECK-SAME: %[[X:[a-z0-9]+]]: f32, %[[N:[a-z0-9]+]]: index
func.func @shared(%x: f32, %n: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty(%n) : tensor<?xf32>
  // CHECK: %[[E0:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
  // CHECK-NEXT: linalg.fill ins(%[[X]] : f32) outs(%[[E0]]
  %0 = linalg.fill ins(%x : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  // A use in a loop has its own there.
  // CHECK: scf.for
  // CHECK: %[[E1:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
  // CHECK-NEXT: linalg.fill ins(%[[X]] : f32) outs(%[[E1]]
  %1 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %0) -> tensor<?xf32> {
    %2 = linalg.fill ins(%x : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %2 : tensor<?xf32>
  }
  return %0, %1 : tensor<?xf32>, tensor<?xf32>
}

// One without uses goes.
// CHECK-LABEL: func @unused
// CHECK-NEXT: return
func.func @unused() {
  %e = tensor.empty() : tensor<4xf32>
  return
}

// A slice and its insertion share one.
// CHECK-LABEL: func @part
func.func @part(%x: f32, %n: index) -> (tensor<1x?xf32>, tensor<1x?xf32>) {
  %e = tensor.empty(%n) : tensor<1x?xf32>
  // CHECK: %[[E:.*]] = tensor.empty
  // CHECK-NEXT: %[[S:.*]] = tensor.extract_slice %[[E]]
  // CHECK-NEXT: linalg.fill {{.*}} outs(%[[S]]
  // CHECK-NEXT: tensor.insert_slice {{.*}} into %[[E]]
  %s = tensor.extract_slice %e[0, 0] [1, %n] [1, 1] : tensor<1x?xf32> to tensor<?xf32>
  %0 = linalg.fill ins(%x : f32) outs(%s : tensor<?xf32>) -> tensor<?xf32>
  %1 = tensor.insert_slice %0 into %e[0, 0] [1, %n] [1, 1] : tensor<?xf32> into tensor<1x?xf32>
  // CHECK-NEXT: %[[F:.*]] = tensor.empty
  // CHECK-NEXT: linalg.fill {{.*}} outs(%[[F]]
  %2 = linalg.fill ins(%x : f32) outs(%e : tensor<1x?xf32>) -> tensor<1x?xf32>
  return %1, %2 : tensor<1x?xf32>, tensor<1x?xf32>
}
