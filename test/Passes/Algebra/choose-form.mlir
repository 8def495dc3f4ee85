// RUN: attn-opt %s --attn-choose-form | FileCheck %s
// RUN: attn-opt %s --attn-choose-form --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: attn-opt %s --attn-choose-form=threads=4 --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: attn-opt %s --attn-choose-form=form=recurrent | FileCheck %s --check-prefix=RECURRENT
// RUN: attn-opt %s --attn-choose-form=chunk=64 | FileCheck %s --check-prefix=CHUNK

!t = tensor<2x?x64xf32>
!g = tensor<2x?xf32>

// The cheapest form, with the figures of all.
// REMARK: Function=no_decay |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 65536 flops recurrent, 23568 in chunks of 16, 26144 in chunks of 32, 33600 in chunks of 64, 49664 in chunks of 128"
// CHECK-LABEL: @no_decay(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @no_decay(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @no_decay(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @no_decay(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!t, !t, !t) -> !t
  return %o : !t
}

// Transitions have costs of their own.
// THREADS: Function=scalar |{{.*}}"chunkwise 16: 2 x ? tokens, 1 on each of 4 threads: a token costs
// REMARK: Function=scalar |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 69632 flops recurrent, 23904 in chunks of 16, 26816 in chunks of 32, 34944 in chunks of 64, 52352 in chunks of 128"
// CHECK-LABEL: @scalar(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @scalar(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @scalar(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @scalar(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!g, !t, !t, !t) -> !t
  return %o : !t
}

// REMARK: Function=diagonal |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 70912 flops recurrent, 25984 in chunks of 16, 29952 in chunks of 32, 38784 in chunks of 64, 56192 in chunks of 128"
// CHECK-LABEL: @diagonal(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @diagonal(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @diagonal(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @diagonal(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!t, !t, !t, !t) -> !t
  return %o : !t
}

// An erasure has two more products of scores and a solve.
// REMARK: Function=erase |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 98304 flops recurrent, 38432 in chunks of 16, 45376 in chunks of 32, 62720 in chunks of 64, 99136 in chunks of 128"
// CHECK-LABEL: @erase(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @erase(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @erase(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @erase(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) erase(%k "hnd", %k "hnd", %v "hnv" decayed) -> "hnv" : (!t, !t, !t, !t) -> !t
  return %o : !t
}

// Two pairs.
// REMARK: Function=two |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 136448 flops recurrent, 61184 in chunks of 16, 78336 in chunks of 32, 114432 in chunks of 64, 186112 in chunks of 128"
// CHECK-LABEL: @two(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @two(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @two(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @two(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") erase(%k "hnd", %k "hnd", %v "hnv" previous) -> "hnv" : (!t, !t, !t, !t, !t, !t, !t) -> !t
  return %o : !t
}

// A state that is smaller than scores of a chunk.
// REMARK: Function=narrow |{{.*}}"recurrent: 1 x ? tokens: a token costs 64 flops recurrent, 163 in chunks of 16, 306 in chunks of 32, 593 in chunks of 64, 1168 in chunks of 128"
// CHECK-LABEL: @narrow(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @narrow(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @narrow(
// CHUNK: attn.recurrence {{.*}} as recurrent ->
func.func @narrow(%q: tensor<?x2xf32>, %k: tensor<?x2xf32>, %v: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %o : tensor<?x2xf32>
}

// No form in chunks: one token at a time.
// REMARK: Function=elementwise |{{.*}}"recurrent: 1 x ? tokens: a token costs 151552 flops recurrent; the transition has no form in chunks"
// CHECK-LABEL: @elementwise(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @elementwise(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @elementwise(
// CHUNK: attn.recurrence {{.*}} as recurrent ->
func.func @elementwise(%q: tensor<?x64xf32>, %v: tensor<?x64xf32>, %g: tensor<?x64x64xf32>) -> tensor<?x64xf32> {
  %o = attn.recurrence #attn.elementwise_decay by(%g "ndv") read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<?x64x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// A token by itself is no chunk.
// REMARK: Function=short |{{.*}}"recurrent: 1 x 1 tokens: a token costs 65536 flops recurrent, 65793 in chunks of 16, 65793 in chunks of 32, 65793 in chunks of 64, 65793 in chunks of 128"
// CHECK-LABEL: @short(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @short(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @short(
// CHUNK: attn.recurrence {{.*}} as recurrent ->
func.func @short(%q: tensor<1x64xf32>, %v: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<1x64xf32>
  return %o : tensor<1x64xf32>
}

// REMARK: Function=four |{{.*}}"chunkwise 16: 1 x 4 tokens: a token costs 65536 flops recurrent, 29700 in chunks of 16, 29700 in chunks of 32, 29700 in chunks of 64, 29700 in chunks of 128"
// CHECK-LABEL: @four(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @four(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @four(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @four(%q: tensor<4x64xf32>, %v: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  return %o : tensor<4x64xf32>
}

// What an operation asks for stays.
// REMARK: Function=asked |{{.*}}"recurrent: 2 x ? tokens: a token costs 65536 flops recurrent, 23568 in chunks of 16, 26144 in chunks of 32, 33600 in chunks of 64, 49664 in chunks of 128"
// REMARK: Function=asked |{{.*}}"chunkwise 128: 2 x ? tokens: a token costs 65536 flops recurrent, 23568 in chunks of 16, 26144 in chunks of 32, 33600 in chunks of 64, 49664 in chunks of 128"
// CHECK-LABEL: @asked(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// CHECK: attn.recurrence {{.*}} as chunkwise 128 ->
// RECURRENT-LABEL: @asked(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @asked(
// CHUNK: attn.recurrence {{.*}} as recurrent ->
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @asked(%q: !t, %k: !t, %v: !t) -> (!t, !t) {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as recurrent -> "hnv" : (!t, !t, !t) -> !t
  %p = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 128 -> "hnv" : (!t, !t, !t) -> !t
  return %o, %p : !t, !t
}

// The chunk at the end is smaller, and counted.
// REMARK: Function=rest |{{.*}}"chunkwise 16: 8 x 100 tokens: a token costs 65536 flops recurrent, 23813 in chunks of 16, 26286 in chunks of 32, 31224 in chunks of 64, 42576 in chunks of 128"
// CHECK-LABEL: @rest(
// CHECK: attn.recurrence {{.*}} as chunkwise
// RECURRENT-LABEL: @rest(
// CHUNK-LABEL: @rest(
func.func @rest(%q: tensor<8x100x64xf32>, %v: tensor<8x100x64xf32>) -> tensor<8x100x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<8x100x64xf32>, tensor<8x100x64xf32>, tensor<8x100x64xf32>) -> tensor<8x100x64xf32>
  return %o : tensor<8x100x64xf32>
}
