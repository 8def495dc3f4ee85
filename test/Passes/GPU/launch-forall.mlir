// RUN: attn-opt %s --attn-launch-forall --split-input-file --verify-diagnostics | FileCheck %s
// RUN: attn-opt %s --attn-launch-forall=block-size=128 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=WIDE

// A thread for each iteration, the last index the fastest.
// CHECK-LABEL: func.func @twice(
// CHECK-SAME: %[[X:.*]]: memref<8x65xf32>)
// CHECK: %[[SIZE:.*]] = arith.constant 64 : index
// CHECK: %[[BLOCKS:.*]] = arith.constant 9 : index
// CHECK: gpu.launch blocks(%[[B:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %[[BLOCKS]], {{.*}}) threads(%[[T:.*]], %{{.*}}, %{{.*}}) in (%{{.*}} = %[[SIZE]], {{.*}}) {
// CHECK: %[[FIRST:.*]] = arith.muli %[[B]], %[[SIZE]]
// CHECK: %[[THREAD:.*]] = arith.addi %[[FIRST]], %[[T]]
// CHECK: %[[ALL:.*]] = arith.constant 520 : index
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[THREAD]], %[[ALL]]
// CHECK: scf.if %[[IN]] {
// CHECK-DAG: arith.remui %[[THREAD]]
// CHECK-DAG: arith.divui %[[THREAD]]
// CHECK: memref.store
// WIDE-LABEL: func.func @twice(
// WIDE: arith.constant 128 : index
// WIDE: arith.constant 5 : index
func.func @twice(%x: memref<8x65xf32>) {
  scf.forall (%i, %j) in (8, 65) {
    %a = memref.load %x[%i, %j] : memref<8x65xf32>
    %b = arith.addf %a, %a : f32
    memref.store %b, %x[%i, %j] : memref<8x65xf32>
  }
  return
}

// -----

// The device's memory, the thread's own buffers, and constants in the kernel.
memref.global "private" constant @table : memref<2xf32> = dense<[1.0, 2.0]>
// CHECK-LABEL: func.func @buffers(
// CHECK: %[[M:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
// CHECK: gpu.launch
// CHECK-DAG: memref.get_global @table
// CHECK-DAG: memref.alloca() : memref<16xf32>
// CHECK: scf.if
// CHECK-NOT: memref.dealloc
// CHECK: gpu.dealloc %[[M]]
func.func @buffers(%n: index, %y: memref<?xf32>) {
  %m = memref.alloc(%n) : memref<?xf32>
  %c0 = arith.constant 0 : index
  %t = memref.get_global @table : memref<2xf32>
  scf.forall (%i) in (%n) {
    %s = memref.alloc() : memref<16xf32>
    %a = memref.load %t[%c0] : memref<2xf32>
    memref.store %a, %s[%c0] : memref<16xf32>
    %b = memref.load %s[%c0] : memref<16xf32>
    memref.store %b, %m[%i] : memref<?xf32>
    memref.store %b, %y[%i] : memref<?xf32>
    memref.dealloc %s : memref<16xf32>
  }
  memref.dealloc %m : memref<?xf32>
  return
}

// -----

// What else writes memory is one thread's.
// CHECK-LABEL: func.func @alone(
// CHECK: gpu.launch
// CHECK-NOT: memref.copy
// CHECK: linalg.generic
// CHECK: gpu.terminator
func.func @alone(%x: memref<8xf32>, %y: memref<8xf32>) {
  memref.copy %x, %y : memref<8xf32> to memref<8xf32>
  return
}

// -----

func.func @host_reads(%x: memref<8xf32>) -> f32 {
  %c0 = arith.constant 0 : index
  // expected-error @below {{reads the device's memory for the host}}
  %a = memref.load %x[%c0] : memref<8xf32>
  return %a : f32
}

// -----

func.func @dynamic_buffer(%x: memref<?xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    // expected-error @below {{has a size that only a call knows: threads of the device have no such memory}}
    %s = memref.alloc(%i) : memref<?xf32>
    memref.copy %s, %x : memref<?xf32> to memref<?xf32>
    memref.dealloc %s : memref<?xf32>
  }
  return
}
