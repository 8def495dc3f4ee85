// RUN: attn-opt %s --attn-write-outputs --split-input-file --verify-diagnostics | FileCheck %s

// What is returned is what lies in the output.
// CHECK-LABEL: func.func @twice
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[OUT:.*]]: tensor<?xf32> {attn.output = 0 : i64, bufferization.writable = true})
// CHECK: %[[Y:.*]] = arith.addf
// CHECK: %[[Z:.*]] = bufferization.materialize_in_destination %[[Y]] in %[[OUT]]
// CHECK: return %[[Z]]
func.func @twice(%x: tensor<?xf32>, %out: tensor<?xf32> {attn.output = 0, bufferization.writable = true}) -> tensor<?xf32> {
  %y = arith.addf %x, %x : tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// An update of a state is in the state's place.
// CHECK-LABEL: func.func @state
// CHECK-NOT: materialize_in_destination
// CHECK: return
func.func @state(%x: f32, %s: tensor<8xf32> {attn.state, bufferization.writable = true}, %out: tensor<8xf32> {attn.output = 0, bufferization.writable = true}) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %y = tensor.insert %x into %s[%c0] : tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 1: expected one of 1 results}}
func.func @number(%x: tensor<8xf32>, %out: tensor<8xf32> {attn.output = 1}) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 0: expected a tensor of the result's type}}
func.func @type(%x: tensor<8xf32>, %out: tensor<?xf32> {attn.output = 0}) -> tensor<8xf32> {
  return %x : tensor<8xf32>
}

// -----

// expected-error @+1 {{argument 1, the output of result 0: expected no use}}
func.func @used(%x: tensor<8xf32>, %out: tensor<8xf32> {attn.output = 0}) -> tensor<8xf32> {
  %y = arith.addf %x, %out : tensor<8xf32>
  return %y : tensor<8xf32>
}
