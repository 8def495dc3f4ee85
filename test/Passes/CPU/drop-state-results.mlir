// RUN: attn-opt %s --attn-drop-state-results --split-input-file | FileCheck %s

// The caller has the buffer of a state: it is no result.
// CHECK-LABEL: func.func @step
// CHECK-SAME: (%[[X:.*]]: memref<8xf32>, %[[S:.*]]: memref<8xf32> {attn.state}) -> f32
// CHECK-SAME: attributes {attn.in_place = array<i64: -1, 1>}
// CHECK: memref.store %{{.*}}, %[[S]]
// CHECK: return %{{.*}} : f32
func.func @step(%x: memref<8xf32>, %s: memref<8xf32> {attn.state}) -> (f32, memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %y = memref.load %x[%c0] : memref<8xf32>
  memref.store %y, %s[%c0] : memref<8xf32>
  return %y, %s : f32, memref<8xf32>
}

// -----

// An argument that is no state stays a result, and so does a part of a state.
// CHECK-LABEL: func.func @others
// CHECK-SAME: -> (memref<8xf32>, memref<4xf32, strided<[1]>>)
// CHECK-NOT: attn.in_place
// CHECK: return
func.func @others(%x: memref<8xf32>, %s: memref<8xf32> {attn.state}) -> (memref<8xf32>, memref<4xf32, strided<[1]>>) {
  %part = memref.subview %s[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
  return %x, %part : memref<8xf32>, memref<4xf32, strided<[1]>>
}

// -----

// A function that something calls keeps its results.
// CHECK-LABEL: func.func @called
// CHECK-SAME: -> memref<8xf32>
// CHECK-NOT: attn.in_place
// CHECK-LABEL: func.func @caller
// CHECK-SAME: -> memref<8xf32>
func.func @called(%s: memref<8xf32> {attn.state}) -> memref<8xf32> {
  return %s : memref<8xf32>
}
func.func @caller(%s: memref<8xf32>) -> memref<8xf32> {
  %r = call @called(%s) : (memref<8xf32>) -> memref<8xf32>
  return %r : memref<8xf32>
}

// -----

// Outputs are in place already.
// CHECK-LABEL: func.func @outputs
// CHECK-SAME: -> f32
// CHECK-SAME: attributes {attn.in_place = array<i64: -1, 1, 0>}
// CHECK: return %{{.*}} : f32
func.func @outputs(%s: memref<8xf32> {attn.state}, %out: memref<8xf32> {attn.output = 1}, %x: f32) -> (f32, memref<8xf32>) attributes {attn.in_place = array<i64: -1, 1, -1>} {
  return %x, %s : f32, memref<8xf32>
}
