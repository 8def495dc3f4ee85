// RUN: attn-opt %s --attn-hoist-stack-buffers | FileCheck %s

// CHECK-LABEL: func @loop
// CHECK-NEXT: %[[TILE:.*]] = memref.alloca() : memref<64xf32>
// CHECK: scf.for
// CHECK-NOT: memref.alloca
// CHECK-NOT: memref.alloca_scope
// CHECK: memref.store %{{.*}}, %[[TILE]]
// CHECK: return
func.func @loop(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.alloca_scope {
      %tile = memref.alloca() : memref<64xf32>
      memref.store %x, %tile[%c0] : memref<64xf32>
    }
  }
  return
}

// A thread has its own buffer.
// CHECK-LABEL: func @thread
// CHECK-NOT: memref.alloca
// CHECK: omp.parallel
// CHECK-NEXT: %[[TILE:.*]] = memref.alloca() : memref<64xf32>
// CHECK: omp.wsloop
// CHECK-NOT: memref.alloca
// CHECK: memref.store %{{.*}}, %[[TILE]]
func.func @thread(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%n) step (%c1) {
        memref.alloca_scope {
          %tile = memref.alloca() : memref<64xf32>
          memref.store %x, %tile[%c0] : memref<64xf32>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

// A dynamic size is known where it is computed: the buffer and its scope stay.
// CHECK-LABEL: func @dynamic
// CHECK: scf.for %[[I:.*]] =
// CHECK: memref.alloca_scope
// CHECK: memref.alloca(%[[I]]) : memref<?xf32>
func.func @dynamic(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c1 to %n step %c1 {
    memref.alloca_scope {
      %tile = memref.alloca(%i) : memref<?xf32>
      memref.store %x, %tile[%c0] : memref<?xf32>
    }
  }
  return
}
