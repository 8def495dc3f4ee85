// RUN: attn-opt %s --attn-choose-form | FileCheck %s
// RUN: attn-opt %s --attn-choose-form --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: attn-opt %s --attn-choose-form=threads=4 --remarks-filter=attn-choose-form --remark-policy=all --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: attn-opt %s --attn-choose-form=form=recurrent | FileCheck %s --check-prefix=RECURRENT
// RUN: attn-opt %s --attn-choose-form=chunk=64 | FileCheck %s --check-prefix=CHUNK

!t = tensor<2x?x64xf32>
!g = tensor<2x?xf32>

// The cheapest form, with the figures of all.
// REMARK: Function=no_decay |{{.*}}"recurrent: 2 x ? tokens: a token costs 18842 flops recurrent, 31198 in chunks of 8, 33736 in chunks of 16, 38811 in chunks of 32, 48962 in chunks of 64, 69262 in chunks of 128"
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
// THREADS: Function=scalar |{{.*}}"recurrent: 2 x ? tokens, 1 on each of 4 threads: a token costs 28262 flops recurrent, 32878 in chunks of 8, 37096 in chunks of 16, 45531 in chunks of 32, 62402 in chunks of 64, 96142 in chunks of 128"
// REMARK: Function=scalar |{{.*}}"recurrent: 2 x ? tokens: a token costs 28262 flops recurrent, 32878 in chunks of 8, 37096 in chunks of 16, 45531 in chunks of 32, 62402 in chunks of 64, 96142 in chunks of 128"
// CHECK-LABEL: @scalar(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @scalar(
// RECURRENT: attn.recurrence {{.*}} as recurrent ->
// CHUNK-LABEL: @scalar(
// CHUNK: attn.recurrence {{.*}} as chunkwise 64 ->
func.func @scalar(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!g, !t, !t, !t) -> !t
  return %o : !t
}

// REMARK: Function=diagonal |{{.*}}"recurrent: 2 x ? tokens: a token costs 31206 flops recurrent, 42318 in chunks of 8, 44776 in chunks of 16, 49691 in chunks of 32, 59522 in chunks of 64, 79182 in chunks of 128"
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
// REMARK: Function=erase |{{.*}}"recurrent: 2 x ? tokens: a token costs 28262 flops recurrent, 44181 in chunks of 8, 49870 in chunks of 16, 61250 in chunks of 32, 84008 in chunks of 64, 129525 in chunks of 128"
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
// REMARK: Function=two |{{.*}}"recurrent: 2 x ? tokens: a token costs 50048 flops recurrent, 81166 in chunks of 8, 91611 in chunks of 16, 112501 in chunks of 32, 154280 in chunks of 64, 237838 in chunks of 128"
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
// REMARK: Function=narrow |{{.*}}"recurrent: 1 x ? tokens: a token costs 147 flops recurrent, 9579 in chunks of 8, 10005 in chunks of 16, 10856 in chunks of 32, 12558 in chunks of 64, 15963 in chunks of 128"
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
// REMARK: Function=elementwise |{{.*}}"recurrent: 1 x ? tokens: a token costs 217958 flops recurrent; the transition has no form in chunks"
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
// REMARK: Function=short |{{.*}}"recurrent: 1 x 1 tokens: a token costs 18842 flops recurrent, 28978 in chunks of 8, 28978 in chunks of 16, 28978 in chunks of 32, 28978 in chunks of 64, 28978 in chunks of 128"
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

// REMARK: Function=four |{{.*}}"recurrent: 1 x 4 tokens: a token costs 18842 flops recurrent, 29930 in chunks of 8, 29930 in chunks of 16, 29930 in chunks of 32, 29930 in chunks of 64, 29930 in chunks of 128"
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
// REMARK: Function=asked |{{.*}}"recurrent: 2 x ? tokens: a token costs 18842 flops recurrent, 31198 in chunks of 8, 33736 in chunks of 16, 38811 in chunks of 32, 48962 in chunks of 64, 69262 in chunks of 128"
// REMARK: Function=asked |{{.*}}"chunkwise 128: 2 x ? tokens: a token costs 18842 flops recurrent, 31198 in chunks of 8, 33736 in chunks of 16, 38811 in chunks of 32, 48962 in chunks of 64, 69262 in chunks of 128"
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
// REMARK: Function=rest |{{.*}}"recurrent: 8 x 100 tokens: a token costs 18842 flops recurrent, 31148 in chunks of 8, 33584 in chunks of 16, 38456 in chunks of 32, 45764 in chunks of 64, 60381 in chunks of 128"
// CHECK-LABEL: @rest(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @rest(
// CHUNK-LABEL: @rest(
func.func @rest(%q: tensor<8x100x64xf32>, %v: tensor<8x100x64xf32>) -> tensor<8x100x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<8x100x64xf32>, tensor<8x100x64xf32>, tensor<8x100x64xf32>) -> tensor<8x100x64xf32>
  return %o : tensor<8x100x64xf32>
}

// The first cache holds no such state, but parts of its columns. What keys are
// made of is computed for each part: chunks are cheaper then.
// REMARK: Function=parts |{{.*}}"recurrent: 2 x ? tokens: a token costs 75366 flops recurrent, 92638 in chunks of 8, 97634 in chunks of 16, 107624 in chunks of 32, 127605 in chunks of 64, 167566 in chunks of 128"
// CHECK-LABEL: @parts(
// CHECK: attn.recurrence {{.*}} as recurrent ->
// RECURRENT-LABEL: @parts(
// CHUNK-LABEL: @parts(
func.func @parts(%q: tensor<2x?x128xf32>, %v: tensor<2x?x128xf32>) -> tensor<2x?x128xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<2x?x128xf32>, tensor<2x?x128xf32>, tensor<2x?x128xf32>) -> tensor<2x?x128xf32>
  return %o : tensor<2x?x128xf32>
}

// REMARK: Function=maps_of_parts |{{.*}}"chunkwise 8: 2 x ? tokens: a token costs 144486 flops recurrent, 92638 in chunks of 8, 97634 in chunks of 16, 107624 in chunks of 32, 127605 in chunks of 64, 167566 in chunks of 128"
// CHECK-LABEL: @maps_of_parts(
// CHECK: attn.recurrence {{.*}} as chunkwise 8 ->
// RECURRENT-LABEL: @maps_of_parts(
// CHUNK-LABEL: @maps_of_parts(
func.func @maps_of_parts(%x: tensor<2x?x128xf32>, %v: tensor<2x?x128xf32>) -> tensor<2x?x128xf32> {
  %q = attn.feature_map %x, #attn.elu1 : tensor<2x?x128xf32> -> tensor<2x?x128xf32>
  %k = attn.feature_map %q, #attn.l2_norm : tensor<2x?x128xf32> -> tensor<2x?x128xf32>
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (tensor<2x?x128xf32>, tensor<2x?x128xf32>, tensor<2x?x128xf32>) -> tensor<2x?x128xf32>
  return %o : tensor<2x?x128xf32>
}

// No part of 2048 keys is near: a far state is read and written once a chunk.
// REMARK: Function=far |{{.*}}"chunkwise 8: 2 x ? tokens: a token costs 838861 flops recurrent, 678776 in chunks of 8, 719406 in chunks of 16, 800667 in chunks of 32, 963189 in chunks of 64, 1288232 in chunks of 128"
// CHECK-LABEL: @far(
// CHECK: attn.recurrence {{.*}} as chunkwise 8 ->
// RECURRENT-LABEL: @far(
// CHUNK-LABEL: @far(
func.func @far(%q: tensor<2x?x2048xf32>, %v: tensor<2x?x64xf32>) -> tensor<2x?x64xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%q "hnd", %v "hnv") -> "hnv" : (tensor<2x?x2048xf32>, tensor<2x?x2048xf32>, tensor<2x?x64xf32>) -> tensor<2x?x64xf32>
  return %o : tensor<2x?x64xf32>
}
