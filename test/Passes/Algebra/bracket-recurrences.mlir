// RUN: attn-opt %s --attn-bracket-recurrences=segments=2 --cse --split-input-file --remarks-filter=attn-bracket-recurrences --remark-policy=all 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t
// RUN: not attn-opt %s --attn-bracket-recurrences=segments=0 --split-input-file 2>&1 | FileCheck %s --check-prefix=INVALID

// INVALID: expected one segment or more, got 0

// B of the first half from zero, T of it from the identity without values, then
// each half from its own state; the first half from zero has been run already.
// CHECK-LABEL: @halves
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<2x4x8xf32>
// CHECK: attn.recurrence {{.*}} state(%[[ZERO]] "hdv") -> "hnv", state "hdv"
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0.000000e+00> : tensor<f32>
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<{{.*}}> : tensor<2x4x4xf32>
// CHECK: attn.recurrence {{.*}} write(%{{.*}} "hnd", %[[NONE]] "") state(%[[ONE]] "hdv")
// CHECK: %[[TS:.*]] = attn.contract %{{.*}}, %[[ZERO]] subscripts "hed,hdv->hev"
// CHECK: %[[STATE:.*]] = arith.addf %[[TS]], %{{.*}} : tensor<2x4x8xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0] [2, 32, 8]
// CHECK: attn.recurrence {{.*}} state(%[[STATE]] "hdv")
// CHECK: tensor.insert_slice {{.*}}[0, 32, 0] [2, 32, 8]
func.func @halves(%g: tensor<2x64xf32>, %q: tensor<2x64x4xf32>, %k: tensor<2x64x4xf32>, %v: tensor<2x64x8xf32>) -> tensor<2x64x8xf32> {
  %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x64xf32>, tensor<2x64x4xf32>, tensor<2x64x4xf32>, tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
  return %o : tensor<2x64x8xf32>
}

// -----

// The transition of a delta rule is a matrix: the erasure stays, its input is zero.
// CHECK-LABEL: @erasure
// CHECK: erase(%{{.*}} "hnd", %{{.*}} "hnd", %{{.*}} "" decayed) state(
func.func @erasure(%q: tensor<2x64x4xf32>, %k: tensor<2x64x4xf32>, %v: tensor<2x64x8xf32>) -> tensor<2x64x8xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) erase(%k "hnd", %k "hnd", %v "hnv" decayed) -> "hnv" : (tensor<2x64x4xf32>, tensor<2x64x4xf32>, tensor<2x64x4xf32>, tensor<2x64x8xf32>) -> tensor<2x64x8xf32>
  return %o : tensor<2x64x8xf32>
}

// -----

// REMARK: not cut into segments: the number of tokens is not static
// CHECK-LABEL: @dynamic
// CHECK-COUNT-1: attn.recurrence
func.func @dynamic(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

// -----

// REMARK: not cut into segments: the transition differs along the value channels
func.func @elementwise(%g: tensor<64x8x4xf32>, %q: tensor<64x4xf32>, %k: tensor<64x4xf32>, %v: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = attn.recurrence #attn.elementwise_decay by(%g "nvd") read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<64x8x4xf32>, tensor<64x4xf32>, tensor<64x4xf32>, tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}
