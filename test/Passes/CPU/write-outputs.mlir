// RUN: attn-opt %s --attn-write-outputs --split-input-file --verify-diagnostics | FileCheck %s

// The result lies in the output and is returned no more.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[OUT:.*]]: memref<?xf32> {attn.output = 0 : i64}) -> f32
// CHECK-SAME: attributes {attn.in_place = array<i64: 1, -1>}
// CHECK: %[[Y:.*]] = arith.addf
// CHECK: bufferization.materialize_in_destination %[[Y]] in restrict writable %[[OUT]]
// CHECK: return %{{.*}} : f32
func.func @twice(%x: tensor<?xf32>, %out: memref<?xf32> {attn.output = 0}) -> (tensor<?xf32>, f32) {
  %c = arith.constant 1.0 : f32
  %y = arith.addf %x, %x : tensor<?xf32>
  return %y, %c : tensor<?xf32>, f32
}

// -----

// An update of a state is in the state's place.
// CHECK-LABEL: func.func @state
// CHECK-NOT: materialize_in_destination
// CHECK: return %{{.*}} : tensor<8xf32>
func.func @state(%x: f32, %s: tensor<8xf32> {attn.state, bufferization.writable = true}, %out: memref<8xf32> {attn.output = 0}) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %y = tensor.insert %x into %s[%c0] : tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// What a kernel writes to memory of its own it writes to the output.
// CHECK-LABEL: func.func @kernel
// CHECK-SAME: (%[[N:.*]]: index, %[[OUT:.*]]: memref<?xf32>
// CHECK-NOT: memref.alloc
// CHECK: call @write(%[[OUT]])
// CHECK: %[[Y:.*]] = bufferization.to_tensor %[[OUT]]
// CHECK: bufferization.materialize_in_destination %[[Y]] in restrict writable %[[OUT]]
func.func private @write(memref<?xf32>)
func.func @kernel(%n: index, %out: memref<?xf32> {attn.output = 0}) -> tensor<?xf32> {
  %m = memref.alloc(%n) : memref<?xf32>
  call @write(%m) : (memref<?xf32>) -> ()
  %y = bufferization.to_tensor %m restrict writable : memref<?xf32> to tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 1: expected one of 1 results}}
func.func @number(%x: tensor<8xf32>, %out: memref<8xf32> {attn.output = 1}) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 0: expected a buffer of the result's shape and element type}}
func.func @type(%x: tensor<8xf32>, %out: memref<?xf32> {attn.output = 0}) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 0: expected no use}}
func.func @used(%x: tensor<8xf32>, %out: memref<8xf32> {attn.output = 0}) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %y = memref.load %out[%c0] : memref<8xf32>
  %z = tensor.insert %y into %x[%c0] : tensor<8xf32>
  return %z : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 0: expected a function of one block}}
func.func @blocks(%x: tensor<8xf32>, %out: memref<8xf32> {attn.output = 0}) -> tensor<8xf32> {
  cf.br ^next
^next:
  return %x : tensor<8xf32>
}
