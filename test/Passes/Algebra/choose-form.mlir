// RUN: attn-opt %s --attn-choose-form | FileCheck %s
// RUN: attn-opt %s --attn-choose-form --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: attn-opt %s --attn-choose-form=form=recurrent | FileCheck %s --check-prefix=RECURRENT
// RUN: attn-opt %s --attn-choose-form=chunk=64 | FileCheck %s --check-prefix=CHUNK

!t = tensor<2x?x64xf32>
!g = tensor<2x?xf32>

// The cheapest form, with the figures of all.
// REMARK: Function=no_decay |{{.*}}"chunkwise 16: a token costs 65536 flops recurrent, 20496 in chunks of 16, 24608 in chunks of 32, 32832 in chunks of 64, 49280 in chunks of 128"
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
// REMARK: Function=scalar |{{.*}}"chunkwise 16: a token costs 81920 flops recurrent, 20832 in chunks of 16, 25280 in chunks of 32, 34176 in chunks of 64, 51968 in chunks of 128"
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

// REMARK: Function=diagonal |{{.*}}"chunkwise 16: a token costs 87040 flops recurrent, 22912 in chunks of 16, 28416 in chunks of 32, 38016 in chunks of 64, 55808 in chunks of 128"
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
// REMARK: Function=erase |{{.*}}"chunkwise 16: a token costs 98304 flops recurrent, 33824 in chunks of 16, 43072 in chunks of 32, 61568 in chunks of 64, 98560 in chunks of 128"
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
// REMARK: Function=two |{{.*}}"chunkwise 16: a token costs 152576 flops recurrent, 55040 in chunks of 16, 75264 in chunks of 32, 112896 in chunks of 64, 185344 in chunks of 128"
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
// REMARK: Function=narrow |{{.*}}"recurrent: a token costs 64 flops recurrent, 160 in chunks of 16, 304 in chunks of 32, 592 in chunks of 64, 1168 in chunks of 128"
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
// REMARK: Function=elementwise |{{.*}}"recurrent: a token costs 409600 flops recurrent; the transition has no form in chunks"
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

// Fewer than four tokens are no chunk.
// REMARK: Function=short |{{.*}}"recurrent: a token costs 65536 flops recurrent, 20496 in chunks of 16, 24608 in chunks of 32, 32832 in chunks of 64, 49280 in chunks of 128"
// CHECK-LABEL: @short(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @short(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @short(
// CHUNK: attn.recurrence {{.*}} as recurrent ->
func.func @short(%q: tensor<3x64xf32>, %v: tensor<3x64xf32>) -> tensor<3x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") -> "nv" : (tensor<3x64xf32>, tensor<3x64xf32>, tensor<3x64xf32>) -> tensor<3x64xf32>
  return %o : tensor<3x64xf32>
}

// REMARK: Function=four |{{.*}}"chunkwise 16: a token costs 65536 flops recurrent, 20496 in chunks of 16, 24608 in chunks of 32, 32832 in chunks of 64, 49280 in chunks of 128"
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
// REMARK: Function=asked |{{.*}}"recurrent: a token costs 65536 flops recurrent, 20496 in chunks of 16, 24608 in chunks of 32, 32832 in chunks of 64, 49280 in chunks of 128"
// REMARK: Function=asked |{{.*}}"chunkwise 128: a token costs 65536 flops recurrent, 20496 in chunks of 16, 24608 in chunks of 32, 32832 in chunks of 64, 49280 in chunks of 128"
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
