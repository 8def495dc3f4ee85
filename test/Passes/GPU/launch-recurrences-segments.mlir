// RUN: attn-opt %s --attn-launch-recurrences=chip=sm_90 --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-launch-recurrences="chip=sm_90 segments=3" --split-input-file | FileCheck %s --check-prefix=THREE
// RUN: attn-opt %s --attn-launch-recurrences=chip=sm_90 --split-input-file --remarks-filter="attn-launch-recurrences" 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: not attn-opt %s --attn-launch-recurrences=segments=-1 --split-input-file 2>&1 | FileCheck %s --check-prefix=INVALID

// INVALID: error: expected no negative number of segments, got -1

// Eight states leave 124 of 132 multiprocessors idle: 16 segments each. Their
// states are made first, 64 x 64 numbers a segment and 64 decays.
// REMARK: [Passed] attn-launch-recurrences{{.*}} 16 segments
// CHECK-LABEL: func.func @few(
// CHECK: %[[STATES:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: %[[DECAYS:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: %[[BLOCKS:.*]] = arith.constant 128 : index
// CHECK: call @few_segments_launch(%[[BLOCKS]],
// CHECK: memref.alloc(%{{.*}}) : memref<8x?x64xf32>
// CHECK: call @few_recurrence_launch(
// CHECK: gpu.func @few_recurrence
// CHECK: gpu.func @few_segments
// THREE-LABEL: func.func @few(
// THREE: arith.constant 24 : index
func.func @few(%q: tensor<8x?x64xbf16>, %k: tensor<8x?x64xbf16>, %v: tensor<8x?x64xbf16>, %g: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xbf16>, tensor<8x?x64xbf16>, tensor<8x?x64xbf16>) -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// -----

// Short sequences stay whole, and so do those that erase.
// REMARK: [Passed] attn-launch-recurrences{{.*}} 1 segments
// REMARK: [Passed] attn-launch-recurrences{{.*}} 1 segments
// CHECK-LABEL: func.func @whole(
// CHECK-NOT: _segments_launch
func.func @whole(%q: tensor<8x512x64xf32>, %k: tensor<8x512x64xf32>, %v: tensor<8x512x64xf32>) -> tensor<8x512x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<8x512x64xf32>, tensor<8x512x64xf32>, tensor<8x512x64xf32>) -> tensor<8x512x64xf32>
  %p = attn.recurrence #attn.no_decay read(%q "hnd" current) erase(%k "hnd", %k "hnd", %o "hnv" decayed) -> "hnv" : (tensor<8x512x64xf32>, tensor<8x512x64xf32>, tensor<8x512x64xf32>, tensor<8x512x64xf32>) -> tensor<8x512x64xf32>
  return %p : tensor<8x512x64xf32>
}
