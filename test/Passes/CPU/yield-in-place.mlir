// RUN: attn-opt %s --attn-yield-in-place | FileCheck %s

// A tensor that was made elsewhere is copied into the carried one.
// CHECK-LABEL: @made(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: tensor<8xf32>)
func.func @made(%n: index, %x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = scf.for %[[A2:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A3:.*]] = %[[X]]) -> (tensor<8xf32>) {
  // CHECK-NEXT: %[[X4:.*]] = tensor.empty() : tensor<8xf32>
  // CHECK-NEXT: %[[X5:.*]] = linalg.exp ins(%[[A3]] : tensor<8xf32>) outs(%[[X4]] : tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: %[[X6:.*]] = bufferization.materialize_in_destination %[[X5]] in %[[A3]] : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: scf.yield %[[X6]] : tensor<8xf32>
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X3]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<8xf32> {
    %e = tensor.empty() : tensor<8xf32>
    %b = linalg.exp ins(%a : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %b : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// Updates of the carried tensor stay: by an operation, a slice, an element or
// an inner loop.
// CHECK-LABEL: @updated(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: tensor<8xf32>, %[[Y:.*]]: tensor<4xf32>, %[[F:.*]]: f32)
func.func @updated(%n: index, %x: tensor<8xf32>, %y: tensor<4xf32>, %f: f32) -> tensor<8xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = scf.for %[[A4:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A5:.*]] = %[[X]]) -> (tensor<8xf32>) {
  // CHECK-NEXT: %[[X4:.*]] = linalg.exp ins(%[[A5]] : tensor<8xf32>) outs(%[[A5]] : tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: %[[X5:.*]] = tensor.insert_slice %[[Y]] into %[[X4]][0] [4] [1] : tensor<4xf32> into tensor<8xf32>
  // CHECK-NEXT: %[[X6:.*]] = scf.for %[[A6:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A7:.*]] = %[[X5]]) -> (tensor<8xf32>) {
  // CHECK-NEXT: %[[X7:.*]] = tensor.insert %[[F]] into %[[A7]][%[[A6]]] : tensor<8xf32>
  // CHECK-NEXT: scf.yield %[[X7]] : tensor<8xf32>
  // CHECK-NEXT: }
  // CHECK-NEXT: scf.yield %[[X6]] : tensor<8xf32>
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X3]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<8xf32> {
    %b = linalg.exp ins(%a : tensor<8xf32>) outs(%a : tensor<8xf32>) -> tensor<8xf32>
    %c = tensor.insert_slice %y into %b[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
    %d = scf.for %j = %c0 to %n step %c1 iter_args(%e = %c) -> tensor<8xf32> {
      %g = tensor.insert %f into %e[%j] : tensor<8xf32>
      scf.yield %g : tensor<8xf32>
    }
    scf.yield %d : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// Numbers have no buffer.
// CHECK-LABEL: @scalar(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: f32)
func.func @scalar(%n: index, %x: f32) -> f32 {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = scf.for %[[A2:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A3:.*]] = %[[X]]) -> (f32) {
  // CHECK-NEXT: %[[X4:.*]] = math.exp %[[A3]] : f32
  // CHECK-NEXT: scf.yield %[[X4]] : f32
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X3]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> f32 {
    %b = math.exp %a : f32
    scf.yield %b : f32
  }
  return %r : f32
}

// A value from outside of the loop is copied, too.
// CHECK-LABEL: @outside(
// CHECK-SAME: %[[N:.*]]: index, %[[X:.*]]: tensor<8xf32>, %[[Y:.*]]: tensor<8xf32>)
func.func @outside(%n: index, %x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NEXT: %[[X1:.*]] = arith.constant 0 : index
  // CHECK-NEXT: %[[X2:.*]] = arith.constant 1 : index
  // CHECK-NEXT: %[[X3:.*]] = scf.for %[[A3:.*]] = %[[X1]] to %[[N]] step %[[X2]] iter_args(%[[A4:.*]] = %[[X]]) -> (tensor<8xf32>) {
  // CHECK-NEXT: %[[X4:.*]] = bufferization.materialize_in_destination %[[Y]] in %[[A4]] : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NEXT: scf.yield %[[X4]] : tensor<8xf32>
  // CHECK-NEXT: }
  // CHECK-NEXT: return %[[X3]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<8xf32> {
    scf.yield %y : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}
