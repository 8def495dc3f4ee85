// RUN: attn-opt %s --attn-gpu-pipeline=chip=sm_90 | FileCheck %s

// A decode step allocates nothing: the output is the caller's, and the state is
// updated where it is.
// CHECK-LABEL: llvm.func @step(
// CHECK-SAME: attn.in_place = array<i64: 2, 3>
// CHECK-NOT: mgpuMemAlloc
// CHECK: gpu.launch_func {{.*}} @step_steps::@step_steps
// CHECK-NOT: gpu.launch_func
// CHECK-NOT: mgpuMemAlloc
// CHECK: llvm.return
func.func @step(%q: tensor<8x1x64xbf16>, %v: tensor<8x1x64xbf16>, %out: memref<8x1x64xbf16> {attn.output = 0 : i64}, %s: tensor<8x64x64xf32> {attn.state}) -> (tensor<8x1x64xbf16>, tensor<8x64x64xf32>) {
  %w = arith.extf %v : tensor<8x1x64xbf16> to tensor<8x1x64xf32>
  %o, %t = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %w "hnv") state(%s "hdv") -> "hnv", state "hdv" : (tensor<8x1x64xbf16>, tensor<8x1x64xbf16>, tensor<8x1x64xf32>, tensor<8x64x64xf32>) -> (tensor<8x1x64xf32>, tensor<8x64x64xf32>)
  %r = arith.truncf %o : tensor<8x1x64xf32> to tensor<8x1x64xbf16>
  return %r, %t : tensor<8x1x64xbf16>, tensor<8x64x64xf32>
}
