// RUN: attn-opt %s --attn-prefetch-tiles | FileCheck %s
// RUN: attn-opt %s --attn-prefetch-tiles=max-lines=16 | FileCheck %s --check-prefix=FEW

!tile = memref<16x64xf32, strided<[64, 1], offset: ?>>

// The next tile, but at the end the last one again; 16 elements are a line.
// CHECK-LABEL: @argument(
// CHECK-SAME: %[[X:.*]]: memref<4096x64xf32>, %[[N:.*]]: index)
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[N]] step %[[STEP:.*]] {
// CHECK-NEXT: %[[AHEAD:.*]] = arith.addi %[[I]], %[[STEP]]
// CHECK-NEXT: %[[IN:.*]] = arith.cmpi slt, %[[AHEAD]], %[[N]]
// CHECK-NEXT: %[[NEXT:.*]] = arith.select %[[IN]], %[[AHEAD]], %[[I]]
// CHECK: scf.for %[[R:.*]] =
// CHECK: %[[ROW:.*]] = arith.addi %[[NEXT]], %[[R]]
// CHECK: scf.for %[[C:.*]] = %{{.*}} to %c64{{.*}} step %c16
// CHECK: %[[COL:.*]] = arith.addi %{{.*}}, %[[C]]
// CHECK: memref.prefetch %[[X]][%[[ROW]], %[[COL]]], read, locality<3>, data
// FEW-LABEL: @argument(
// FEW-NOT: memref.prefetch
// FEW: return
func.func @argument(%x: memref<4096x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  scf.for %i = %c0 to %n step %c16 {
    %tile = memref.subview %x[%i, 0] [16, 64] [1, 1] : memref<4096x64xf32> to !tile
    %e_tile = memref.load %tile[%c0, %c0] : !tile
  }
  return
}

// A result is fetched to be written.
// CHECK-LABEL: @result(
// CHECK: memref.prefetch %{{.*}}, write, locality<3>, data
func.func @result(%n: index) -> memref<?x64xf32> {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %x = memref.alloc(%n) : memref<?x64xf32>
  scf.for %i = %c0 to %n step %c16 {
    %tile = memref.subview %x[%i, 0] [16, 64] [1, 1] : memref<?x64xf32> to !tile
    %e_tile = memref.load %tile[%c0, %c0] : !tile
  }
  return %x : memref<?x64xf32>
}

// Single tokens, parts of rows, and buffers on the stack are in the cache.
// CHECK-LABEL: @stays(
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @stays(%x: memref<4096x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %s = memref.alloca() : memref<64x64xf32>
  scf.for %i = %c0 to %n step %c1 {
    %row = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<4096x64xf32> to memref<1x64xf32, strided<[64, 1], offset: ?>>
    scf.for %j = %c0 to %c64 step %c16 {
      %part = memref.subview %row[0, %j] [1, 16] [1, 1] : memref<1x64xf32, strided<[64, 1], offset: ?>> to memref<1x16xf32, strided<[64, 1], offset: ?>>
      %e_part = memref.load %part[%c0, %c0] : memref<1x16xf32, strided<[64, 1], offset: ?>>
      %tile = memref.subview %s[%j, 0] [16, 64] [1, 1] : memref<64x64xf32> to !tile
      %e_tile = memref.load %tile[%c0, %c0] : !tile
    }
  }
  return
}
