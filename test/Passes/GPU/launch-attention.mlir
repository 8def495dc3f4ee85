// RUN: attn-opt %s --attn-launch-attention=chip=sm_90 --split-input-file | FileCheck %s
// RUN: attn-opt %s --attn-launch-attention=chip=sm_90 --split-input-file --remarks-filter="attn-launch-attention" 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: attn-opt %s --attn-launch-attention=chip=sm_90 --split-input-file --attn-gpu-pipeline=chip=sm_90 | FileCheck %s --check-prefix=PTX

// A block has 64 queries; keys of bf16 are multiplied where they were copied to,
// and the mask is a comparison of the tensor cores' sums.
// REMARK: [Passed] attn-launch-attention{{.*}}64 queries by tiles of 64 keys, 1 bf16 for each operand
// CHECK-LABEL: func.func @causal(
// CHECK: memref.alloc(%{{.*}}) : memref<8x?x64xbf16>
// CHECK: call @causal_attention_launch({{.*}}) {attn.kernel = @causal_attention::@causal_attention}
// CHECK-NOT: attn.softmax
// CHECK: gpu.func @causal_attention({{.*}}) kernel attributes {known_block_size = array<i32: 128, 1, 1>}
// CHECK: nvvm.cp.async.shared.global
// CHECK: scf.for
// CHECK: nvvm.mma.sync
// CHECK: arith.cmpi
// CHECK: ex2.approx
// CHECK: nvvm.mma.sync
// CHECK-NOT: tensor.
// CHECK: gpu.return
// PTX: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// PTX-NOT: .extern .func
func.func @causal(%q: tensor<8x?x64xbf16>, %k: tensor<8x?x64xbf16>, %v: tensor<8x?x64xbf16>) -> tensor<8x?x64xbf16> {
  %s = attn.score %q, %k : tensor<8x?x64xbf16>, tensor<8x?x64xbf16> -> tensor<8x?x?xf32>
  %c = attn.scale %s by 0.125 : tensor<8x?x?xf32> -> tensor<8x?x?xf32>
  %m = attn.mask %c, #attn.causal else -inf : tensor<8x?x?xf32>
  %p = attn.softmax %m : tensor<8x?x?xf32>
  %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xbf16> -> tensor<8x?x64xf32>
  %r = arith.truncf %o : tensor<8x?x64xf32> to tensor<8x?x64xbf16>
  return %r : tensor<8x?x64xbf16>
}

// -----

// Queries of a group read the keys of their head; f32 are three bf16 each.
// REMARK: [Passed] attn-launch-attention{{.*}} 3 bf16 for each operand
// CHECK-LABEL: func.func @grouped(
// CHECK: call @grouped_attention_launch
// CHECK-NOT: attn.softmax
// CHECK: gpu.func @grouped_attention
func.func @grouped(%q: tensor<2x8x77x32xf32>, %k: tensor<2x2x77x32xf32>, %v: tensor<2x2x77x20xf32>) -> tensor<2x8x77x20xf32> {
  %s = attn.score %q, %k : tensor<2x8x77x32xf32>, tensor<2x2x77x32xf32> -> tensor<2x8x77x77xf32>
  %p = attn.softmax %s : tensor<2x8x77x77xf32>
  %o = attn.apply %p, %v : tensor<2x8x77x77xf32>, tensor<2x2x77x20xf32> -> tensor<2x8x77x20xf32>
  return %o : tensor<2x8x77x20xf32>
}

// -----

// Operations of other dialects between the scores and the softmax.
// CHECK-LABEL: func.func @soft_cap(
// CHECK: gpu.func @soft_cap_attention
// CHECK: math.tanh
func.func @soft_cap(%q: tensor<8x?x64xbf16>, %k: tensor<8x?x64xbf16>, %v: tensor<8x?x64xbf16>) -> tensor<8x?x64xf32> {
  %s = attn.score %q, %k : tensor<8x?x64xbf16>, tensor<8x?x64xbf16> -> tensor<8x?x?xf32>
  %c = math.tanh %s : tensor<8x?x?xf32>
  %m = attn.mask %c, #attn.sliding_window<left = 127, right = 0> else -inf : tensor<8x?x?xf32>
  %p = attn.softmax %m : tensor<8x?x?xf32>
  %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xbf16> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// -----

// REMARK: [Missed] attn-launch-attention{{.*}}more than 256 channels
// CHECK-LABEL: func.func @wide(
// CHECK: attn.softmax
// CHECK-NOT: gpu.module
func.func @wide(%q: tensor<8x?x320xbf16>, %k: tensor<8x?x320xbf16>, %v: tensor<8x?x64xbf16>) -> tensor<8x?x64xf32> {
  %s = attn.score %q, %k : tensor<8x?x320xbf16>, tensor<8x?x320xbf16> -> tensor<8x?x?xf32>
  %p = attn.softmax %s : tensor<8x?x?xf32>
  %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xbf16> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// -----

// REMARK: [Missed] attn-launch-attention{{.*}}the scores are wanted besides
// CHECK-LABEL: func.func @twice(
// CHECK: attn.softmax
// CHECK-NOT: gpu.module
func.func @twice(%q: tensor<8x16x64xf32>, %k: tensor<8x16x64xf32>, %v: tensor<8x16x64xf32>) -> (tensor<8x16x64xf32>, tensor<8x16x64xf32>) {
  %s = attn.score %q, %k : tensor<8x16x64xf32>, tensor<8x16x64xf32> -> tensor<8x16x16xf32>
  %p = attn.softmax %s : tensor<8x16x16xf32>
  %o = attn.apply %p, %v : tensor<8x16x16xf32>, tensor<8x16x64xf32> -> tensor<8x16x64xf32>
  %u = attn.apply %p, %q : tensor<8x16x16xf32>, tensor<8x16x64xf32> -> tensor<8x16x64xf32>
  return %o, %u : tensor<8x16x64xf32>, tensor<8x16x64xf32>
}

// -----

// REMARK: [Missed] attn-launch-attention{{.*}}the scores are no product, element by element
// CHECK-LABEL: func.func @given(
// CHECK: attn.softmax
// CHECK-NOT: gpu.module
func.func @given(%s: tensor<8x16x16xf32>, %v: tensor<8x16x64xf32>) -> tensor<8x16x64xf32> {
  %p = attn.softmax %s : tensor<8x16x16xf32>
  %o = attn.apply %p, %v : tensor<8x16x16xf32>, tensor<8x16x64xf32> -> tensor<8x16x64xf32>
  return %o : tensor<8x16x64xf32>
}
