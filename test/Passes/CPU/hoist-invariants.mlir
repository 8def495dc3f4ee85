// RUN: attn-opt %s --attn-hoist-invariants | FileCheck %s

// Scalars and views leave the loop.
// CHECK-LABEL: @scalar(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: f32, %[[T:.*]]: tensor<8x8xf32>)
func.func @scalar(%n: index, %x: f32, %t: tensor<8x8xf32>) -> f32 {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-NEXT: %[[X4:.*]] = math.exp %[[X]] : f32
  // CHECK-NEXT: %[[X5:.*]] = tensor.extract_slice %[[T]][0, 0] [1, 8] [1, 1] : tensor<8x8xf32> to tensor<8xf32>
  // CHECK-NEXT: %[[X6:.*]] = tensor.extract %[[X5]][%[[X1]]] : tensor<8xf32>
  // CHECK-NEXT: %[[X7:.*]] = arith.mulf %[[X4]], %[[X6]] : f32
  // CHECK-NEXT: %[[X8:.*]] = scf.for %[[A3:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A4:.*]] = %[[X3]]) -> (f32) {
  // CHECK-NEXT: %[[X9:.*]] = arith.addf %[[A4]], %[[X7]] : f32
  // CHECK-NEXT: scf.yield %[[X9]] : f32
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X8]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %zero) -> f32 {
    %e = math.exp %x : f32
    %v = tensor.extract_slice %t[0, 0] [1, 8] [1, 1] : tensor<8x8xf32> to tensor<8xf32>
    %w = tensor.extract %v[%c0] : tensor<8xf32>
    %p = arith.mulf %e, %w : f32
    %b = arith.addf %a, %p : f32
    scf.yield %b : f32
  }
  return %r : f32
}

// A tensor that is made stays.
// CHECK-LABEL: @tensor(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: tensor<8xf32>)
func.func @tensor(%n: index, %x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-NEXT: %[[X4:.*]] = scf.for %[[A2:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A3:.*]] = %[[X]]) -> (tensor<8xf32>) {
  // CHECK-NEXT: %[[X5:.*]] = tensor.empty() : tensor<8xf32>
  // CHECK-NEXT: %[[X6:.*]] = linalg.fill ins(%[[X3]] : f32) outs(%[[X5]] : tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: %[[X7:.*]] = linalg.add ins(%[[A3]], %[[X]] : tensor<8xf32>, tensor<8xf32>) outs(%[[X6]] : tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: scf.yield %[[X7]] : tensor<8xf32>
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X4]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<8xf32> {
    %e = tensor.empty() : tensor<8xf32>
    %z = linalg.fill ins(%zero : f32) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    %b = linalg.add ins(%a, %x : tensor<8xf32>, tensor<8xf32>) outs(%z : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %b : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// What leaves the inner loop leaves the outer one; what needs the outer index
// does not.
// CHECK-LABEL: @nest(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: f32)
func.func @nest(%n: index, %x: f32) -> f32 {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK-NEXT: %[[X4:.*]] = math.exp %[[X]] : f32
  // CHECK-NEXT: %[[X5:.*]] = scf.for %[[A2:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A3:.*]] = %[[X3]]) -> (f32) {
  // CHECK-NEXT: %[[X6:.*]] = arith.index_cast %[[A2]] : index to i32
  // CHECK-NEXT: %[[X7:.*]] = arith.sitofp %[[X6]] : i32 to f32
  // CHECK-NEXT: %[[X8:.*]] = arith.mulf %[[X4]], %[[X7]] : f32
  // CHECK-NEXT: %[[X9:.*]] = scf.for %[[A4:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A5:.*]] = %[[A3]]) -> (f32) {
  // CHECK-NEXT: %[[X10:.*]] = arith.addf %[[A5]], %[[X8]] : f32
  // CHECK-NEXT: scf.yield %[[X10]] : f32
  // CHECK-NEXT: }
  // CHECK-NEXT: scf.yield %[[X9]] : f32
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X5]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %zero) -> f32 {
    %s = scf.for %j = %c0 to %n step %c1 iter_args(%b = %a) -> f32 {
      %e = math.exp %x : f32
      %d = arith.index_cast %i : index to i32
      %f = arith.sitofp %d : i32 to f32
      %g = arith.mulf %e, %f : f32
      %h = arith.addf %b, %g : f32
      scf.yield %h : f32
    }
    scf.yield %s : f32
  }
  return %r : f32
}

// A vector leaves, a store and a division that may be by zero do not.
// CHECK-LABEL: @effects(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: vector<8xf32>, %[[M:.*]]: memref<8xf32>, %[[D:.*]]: index)
func.func @effects(%n: index, %x: vector<8xf32>, %m: memref<8xf32>, %d: index) -> index {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = math.exp %[[X]] : vector<8xf32>
  // CHECK-NEXT: %[[X4:.*]] = scf.for %[[A4:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A5:.*]] = %[[X1]]) -> (index) {
  // CHECK-NEXT: vector.store %[[X3]], %[[M]][%[[X1]]] : memref<8xf32>, vector<8xf32>
  // CHECK-NEXT: %[[X5:.*]] = arith.divui %[[N]], %[[D]] : index
  // CHECK-NEXT: %[[X6:.*]] = arith.addi %[[A5]], %[[X5]] : index
  // CHECK-NEXT: scf.yield %[[X6]] : index
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X4]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %c0) -> index {
    %e = math.exp %x : vector<8xf32>
    vector.store %e, %m[%c0] : memref<8xf32>, vector<8xf32>
    %q = arith.divui %n, %d : index
    %b = arith.addi %a, %q : index
    scf.yield %b : index
  }
  return %r : index
}

// A tensor that is filled and then only read leaves with its memory. One that
// is written into, or that needs the loop's index, stays.
// CHECK-LABEL: @tile(
// CHECK-SAME: %[[N:.*]]: index, %[[T:.*]]: tensor<8x4xf32>, %[[A:.*]]: tensor<4x8xf32>)
func.func @tile(%n: index, %t: tensor<8x4xf32>, %a: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<4x8xf32>
  // CHECK: %[[X:.*]] = linalg.transpose ins(%[[T]] : tensor<8x4xf32>) outs(%[[E]] : tensor<4x8xf32>)
  // CHECK: scf.for
  // CHECK-NOT: linalg.transpose
  // CHECK: linalg.exp ins(%[[X]]
  // CHECK: linalg.fill
  // CHECK: linalg.add
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%b = %a) -> tensor<4x8xf32> {
    %e = tensor.empty() : tensor<4x8xf32>
    %x = linalg.transpose ins(%t : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) permutation = [1, 0]
    // An init of what follows.
    %f = tensor.empty() : tensor<4x8xf32>
    %y = linalg.exp ins(%x : tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) -> tensor<4x8xf32>
    %d = arith.index_cast %i : index to i32
    %s = arith.sitofp %d : i32 to f32
    %g = tensor.empty() : tensor<4x8xf32>
    %z = linalg.fill ins(%s : f32) outs(%g : tensor<4x8xf32>) -> tensor<4x8xf32>
    %w = linalg.add ins(%b, %z : tensor<4x8xf32>, tensor<4x8xf32>) outs(%y : tensor<4x8xf32>) -> tensor<4x8xf32>
    scf.yield %w : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
}
