// RUN: attn-opt %s --attn-vectorize-copies | FileCheck %s
// RUN: attn-opt %s --attn-vectorize-copies=vector-length=16 | FileCheck %s --check-prefix=SHORT

!row = memref<1x64xf32>
!rows = memref<8x64xf32, strided<[?, 1], offset: ?>>

// A row is one vector: no call, no loop.
// CHECK-LABEL: @row(
// CHECK-NOT: scf.for
// CHECK: %[[V:.*]] = vector.load %{{.*}} : memref<1x64xf32>, vector<64xf32>
// CHECK: vector.store %[[V]], %{{.*}} : memref<1x64xf32>, vector<64xf32>
// CHECK-NOT: memref.copy
// SHORT-LABEL: @row(
// SHORT: scf.for
// SHORT: vector.load {{.*}}, vector<16xf32>
func.func @row(%x: !row, %y: !row) {
  memref.copy %x, %y : !row to !row
  return
}

// Rows that lie apart.
// CHECK-LABEL: @rows(
// CHECK: scf.for %[[I:.*]] =
// CHECK: vector.load %{{.*}}[%[[I]], %{{.*}}] {{.*}}, vector<64xf32>
// CHECK: vector.store
// CHECK-NOT: memref.copy
func.func @rows(%x: !rows, %y: memref<8x64xf32>) {
  memref.copy %x, %y : !rows to memref<8x64xf32>
  return
}

// Of 65 elements 13 are a vector; one element is none.
// CHECK-LABEL: @odd(
// CHECK: vector.load {{.*}}, vector<13xf32>
// CHECK: memref.load
// CHECK: memref.store
func.func @odd(%x: memref<65xf32>, %y: memref<65xf32>, %a: memref<f32>, %b: memref<f32>) {
  memref.copy %x, %y : memref<65xf32> to memref<65xf32>
  memref.copy %a, %b : memref<f32> to memref<f32>
  return
}

// Dense buffers of dynamic shape and of bits stay.
// CHECK-LABEL: @stays(
// CHECK-COUNT-2: memref.copy
func.func @stays(%m: memref<8xi1>, %n: memref<8xi1>, %x: memref<?xf32>, %y: memref<?xf32>) {
  memref.copy %x, %y : memref<?xf32> to memref<?xf32>
  memref.copy %m, %n : memref<8xi1> to memref<8xi1>
  return
}

// Strided rows and dynamic shapes that are not dense, element by element.
// CHECK-LABEL: @elements(
// CHECK: scf.for %[[I:.*]] = %c0 to %{{.*}} step %c1
// CHECK: memref.load %{{.*}}[%[[I]]]
// CHECK: %[[N:.*]] = memref.dim %arg2, %c0
// CHECK: scf.for %[[J:.*]] = %c0{{.*}} to %[[N]]
// CHECK: scf.for %[[K:.*]] =
// CHECK: %[[V:.*]] = memref.load %arg2[%[[J]], %[[K]]]
// CHECK: memref.store %[[V]], %arg3[%[[J]], %[[K]]]
// CHECK-NOT: memref.copy
func.func @elements(%a: memref<8xf32, strided<[2]>>, %b: memref<8xf32>, %x: memref<?x64xf32, strided<[?, 1]>>, %y: memref<?x64xf32>) {
  memref.copy %a, %b : memref<8xf32, strided<[2]>> to memref<8xf32>
  memref.copy %x, %y : memref<?x64xf32, strided<[?, 1]>> to memref<?x64xf32>
  return
}
