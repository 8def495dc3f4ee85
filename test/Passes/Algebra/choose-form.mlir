// RUN: attn-opt %s --attn-choose-form | FileCheck %s
// RUN: attn-opt %s --attn-choose-form --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: attn-opt %s --attn-choose-form=threads=4 --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: attn-opt %s --attn-choose-form=form=recurrent | FileCheck %s --check-prefix=RECURRENT
// RUN: attn-opt %s --attn-choose-form=chunk=64 | FileCheck %s --check-prefix=CHUNK

!t = tensor<2x?x64xf32>
!g = tensor<2x?xf32>

// The cheapest form, with the figures of all.
// REMARK: Function=no_decay |{{.*}}"recurrent: 2 x ? tokens: a token costs 19661 flops recurrent, 24704 in chunks of 16, 29747 in chunks of 32, 39834 in chunks of 64, 60006 in chunks of 128"
// CHECK-LABEL: @no_decay(
// CHECK: attn.recurrence {{.*}} as recurrent ->
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
// REMARK: Function=scalar |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 29491 flops recurrent, 27392 in chunks of 16, 35123 in chunks of 32, 50586 in chunks of 64, 81510 in chunks of 128"
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

// REMARK: Function=diagonal |{{.*}}"recurrent: 2 x ? tokens: a token costs 32563 flops recurrent, 44032 in chunks of 16, 60211 in chunks of 32, 81306 in chunks of 64, 112230 in chunks of 128"
// CHECK-LABEL: @diagonal(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @diagonal(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @diagonal(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @diagonal(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!t, !t, !t, !t) -> !t
  return %o : !t
}

// An erasure has two more products of scores and a solve.
// REMARK: Function=erase |{{.*}}"recurrent: 2 x ? tokens: a token costs 29491 flops recurrent, 40806 in chunks of 16, 52122 in chunks of 32, 74752 in chunks of 64, 120013 in chunks of 128"
// CHECK-LABEL: @erase(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @erase(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @erase(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @erase(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) erase(%k "hnd", %k "hnd", %v "hnv" decayed) -> "hnv" : (!t, !t, !t, !t) -> !t
  return %o : !t
}

// Two pairs.
// REMARK: Function=two |{{.*}}"recurrent: 2 x ? tokens: a token costs 52224 flops recurrent, 99123 in chunks of 16, 142541 in chunks of 32, 206848 in chunks of 64, 312934 in chunks of 128"
// CHECK-LABEL: @two(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @two(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @two(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @two(%q: !t, %k: !t, %v: !t, %g: !t) -> !t {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") erase(%k "hnd", %k "hnd", %v "hnv" previous) -> "hnv" : (!t, !t, !t, !t, !t, !t, !t) -> !t
  return %o : !t
}

// A state that is smaller than scores of a chunk.
// REMARK: Function=narrow |{{.*}}"recurrent: 1 x ? tokens: a token costs 154 flops recurrent, 973 in chunks of 16, 1792 in chunks of 32, 3430 in chunks of 64, 6707 in chunks of 128"
// CHECK-LABEL: @narrow(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @narrow(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @narrow(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @narrow(%q: tensor<?x2xf32>, %k: tensor<?x2xf32>, %v: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %o : tensor<?x2xf32>
}

// No form in chunks: one token at a time.
// REMARK: Function=elementwise |{{.*}}"recurrent: 1 x ? tokens: a token costs 226099 flops recurrent; the transition has no form in chunks"
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
// REMARK: Function=short |{{.*}}"recurrent: 1 x 1 tokens: a token costs 19661 flops recurrent, 19976 in chunks of 16, 19976 in chunks of 32, 19976 in chunks of 64, 19976 in chunks of 128"
// CHECK-LABEL: @short(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @short(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @short(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @short(%q: tensor<1x64xf32>, %v: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<1x64xf32>, tensor<1x64xf32>, tensor<1x64xf32>) -> tensor<1x64xf32>
  return %o : tensor<1x64xf32>
}

// REMARK: Function=four |{{.*}}"recurrent: 1 x 4 tokens: a token costs 19661 flops recurrent, 20922 in chunks of 16, 20922 in chunks of 32, 20922 in chunks of 64, 20922 in chunks of 128"
// CHECK-LABEL: @four(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @four(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @four(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @four(%q: tensor<4x64xf32>, %v: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  return %o : tensor<4x64xf32>
}

// What an operation asks for stays.
// REMARK: Function=asked |{{.*}}"recurrent: 2 x ? tokens: a token costs 19661 flops recurrent, 24704 in chunks of 16, 29747 in chunks of 32, 39834 in chunks of 64, 60006 in chunks of 128"
// REMARK: Function=asked |{{.*}}"chunkwise 128: 2 x ? tokens: a token costs 19661 flops recurrent, 24704 in chunks of 16, 29747 in chunks of 32, 39834 in chunks of 64, 60006 in chunks of 128"
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
// REMARK: Function=rest |{{.*}}"recurrent: 8 x 100 tokens: a token costs 19661 flops recurrent, 24553 in chunks of 16, 29394 in chunks of 32, 36656 in chunks of 64, 51181 in chunks of 128"
// CHECK-LABEL: @rest(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @rest(
// CHUNK-LABEL: @rest(
func.func @rest(%q: tensor<8x100x64xf32>, %v: tensor<8x100x64xf32>) -> tensor<8x100x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<8x100x64xf32>, tensor<8x100x64xf32>, tensor<8x100x64xf32>) -> tensor<8x100x64xf32>
  return %o : tensor<8x100x64xf32>
}

// A state that is larger than half of the first cache is far: chunks reuse it.
// REMARK: Function=far |{{.*}}"chunkwise 16: 2 x ? tokens: a token costs 98304 flops recurrent, 88602 in chunks of 16, 98560 in chunks of 32, 118477 in chunks of 64, 158310 in chunks of 128"
// CHECK-LABEL: @far(
// CHECK: attn.recurrence {{.*}} as chunkwise 16 ->
// RECURRENT-LABEL: @far(
// CHUNK-LABEL: @far(
func.func @far(%q: tensor<2x?x128xf32>, %v: tensor<2x?x128xf32>) -> tensor<2x?x128xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<2x?x128xf32>, tensor<2x?x128xf32>, tensor<2x?x128xf32>) -> tensor<2x?x128xf32>
  return %o : tensor<2x?x128xf32>
}
