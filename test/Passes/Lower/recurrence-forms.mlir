// RUN: attn-opt %s --convert-attn-to-linalg --canonicalize --cse | FileCheck %s --check-prefix=DIVIDED
// RUN: attn-opt %s --convert-attn-to-linalg --canonicalize --cse | FileCheck %s --check-prefix=PARTS
// RUN: attn-opt %s --convert-attn-to-linalg --canonicalize --cse | FileCheck %s --check-prefix=BLOCKS
// RUN: attn-opt %s --convert-attn-to-linalg | FileCheck %s

!t = tensor<8x?x4xf32>
!s = tensor<8x32x4xf32>

// One token at a time; the loop carries the state. No scores.
// CHECK-LABEL: @recurrent(
// CHECK-NOT: 16x16xf32
// CHECK: scf.forall (%{{.*}}) in (8)
// CHECK: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: scf.for %{{.*}} step %[[ONE]] iter_args(%[[S:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<4x4xf32>, tensor<1x?x4xf32>)
// CHECK: %[[N:.*]] = linalg.generic {{.*}} outs(%[[S]] : tensor<4x4xf32>)
// CHECK: linalg.contract {{.*}} %[[N]] : tensor<1x4xf32>, tensor<4x4xf32>)
// CHECK: scf.yield %[[N]], %{{.*}} : tensor<4x4xf32>
// CHECK-NOT: scf.for %
// CHECK: return
func.func @recurrent(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as recurrent -> "hnv" : (!t, !t, !t) -> !t
  return %o : !t
}

// Chunks of 16, and what they leave one by one.
// CHECK-LABEL: @chunkwise(
// CHECK: %[[C16:.*]] = arith.constant 16 : index
// CHECK: %[[L:.*]]:2 = scf.for %{{.*}} step %[[C16]] iter_args(%[[S:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<4x4xf32>,
// CHECK: %[[A:.*]] = linalg.contract {{.*}} -> tensor<16x16xf32>
// CHECK: linalg.generic {{.*}} ins(%[[A]] : tensor<16x16xf32>)
// CHECK: arith.cmpi ule
// CHECK: linalg.contract {{.*}}%[[S]] : tensor<16x4xf32>, tensor<4x4xf32>)
// CHECK: %[[C1:.*]] = arith.constant 1 : index
// CHECK: scf.for %{{.*}} step %[[C1]] iter_args(%{{.*}} = %[[L]]#0, %{{.*}} = %[[L]]#1)
// CHECK-NOT: scf.for %
// CHECK: return
func.func @chunkwise(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 16 -> "hnv" : (!t, !t, !t) -> !t
  return %o : !t
}

// Larger chunks leave up to one of them: chunks of 16, then tokens.
// CHECK-LABEL: @remainders(
// CHECK: arith.constant 64 : index
// CHECK: scf.for
// CHECK: tensor<64x64xf32>
// CHECK: arith.constant 16 : index
// CHECK: scf.for
// CHECK: tensor<16x16xf32>
// CHECK: arith.constant 1 : index
// CHECK: scf.for
// CHECK-NOT: scf.for %
// CHECK: return
func.func @remainders(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 64 -> "hnv" : (!t, !t, !t) -> !t
  return %o : !t
}

// One chunk of all tokens.
// CHECK-LABEL: @quadratic(
// CHECK: %[[C32:.*]] = arith.constant 32 : index
// CHECK: scf.for %{{.*}} step %[[C32]]
// CHECK: linalg.contract {{.*}} -> tensor<32x32xf32>
// CHECK-NOT: scf.for %
// CHECK: return
func.func @quadratic(%q: !s, %k: !s, %v: !s) -> !s {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as quadratic -> "hnv" : (!s, !s, !s) -> !s
  return %o : !s
}

// A decay of each channel: blocks of 8 on the diagonal, token by token, and
// products of halves below it. Each decay is exponentiated once; what is left
// of several tokens is a product, never a quotient: at most 1.
// CHECK-LABEL: @diagonal(
// CHECK-NOT: arith.subf
// CHECK-NOT: arith.negf
// CHECK-NOT: arith.divf
// CHECK: math.exp
// CHECK-NOT: math.exp
// CHECK: %[[C8:.*]] = arith.constant 8 : index
// CHECK: scf.for %{{.*}} step %[[C8]]
// CHECK: tensor.insert_slice {{.*}} tensor<8x8xf32> into tensor<32x32xf32>
// CHECK: %[[C16:.*]] = arith.constant 16 : index
// CHECK: scf.for %{{.*}} step %[[C16]]
// CHECK: %[[A:.*]] = linalg.contract {{.*}} -> tensor<8x8xf32>
// CHECK: tensor.insert_slice %[[A]] into {{.*}} tensor<8x8xf32> into tensor<32x32xf32>
// CHECK: %[[B:.*]] = linalg.contract {{.*}} -> tensor<16x16xf32>
// CHECK: tensor.insert_slice %[[B]] into {{.*}} tensor<16x16xf32> into tensor<32x32xf32>
// CHECK-NOT: arith.subf
// CHECK-NOT: math.exp
// CHECK: return
func.func @diagonal(%q: !s, %k: !s, %v: !s, %g: !s) -> !s {
  %o = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 32 -> "hnv" : (!s, !s, !s, !s) -> !s
  return %o : !s
}

// The triangle of a long chunk is solved in a loop of blocks: its code does not
// grow with the chunk. What is left of 200 tokens is a block of 8.
// BLOCKS-LABEL: @long_solve(
// BLOCKS: scf.for %[[I:[a-z0-9]*]] = %{{.*}} to %c192{{.*}} step %c64{{.*}} iter_args(%[[U:[a-z0-9]*]] =
// BLOCKS: scf.for %[[J:[a-z0-9]*]] = %{{.*}} to %[[I]] step %c64
// BLOCKS: tensor.extract_slice %{{.*}}[%[[I]], %[[J]]] [64, 64]
// BLOCKS: tensor.extract_slice %[[U]][%[[J]], 0] [64, 16]
// BLOCKS: scf.for %[[K:[a-z0-9]*]] = %{{.*}} to %c192{{.*}} step %c64
// BLOCKS: tensor.extract_slice %{{.*}}[192, %[[K]]] [8, 64]
func.func @long_solve(%q: tensor<200x16xf32>, %k: tensor<200x16xf32>, %v: tensor<200x16xf32>) -> tensor<200x16xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) erase(%k "nd", %k "nd", %v "nv" decayed) as quadratic -> "nv" : (tensor<200x16xf32>, tensor<200x16xf32>, tensor<200x16xf32>, tensor<200x16xf32>) -> tensor<200x16xf32>
  return %o : tensor<200x16xf32>
}

// The first cache holds a quarter of the state: an index for each part of 32
// columns, which is zero at the start and goes through all tokens by itself.
// PARTS-LABEL: @parts(
// PARTS: scf.forall (%[[H:.*]], %[[P:.*]]) in (8, 4) shared_outs(%[[OUT:.*]] = %{{.*}})
// PARTS: %[[COL:.*]] = affine.apply
// PARTS: linalg.fill {{.*}} -> tensor<128x32xf32>
// PARTS: tensor.extract_slice %[[OUT]][%[[H]], 0, %[[COL]]] [1, %{{.*}}, 32]
// PARTS: scf.for
// PARTS: tensor.extract_slice %{{.*}}[%[[H]], %{{.*}}, %[[COL]]] [1, 1, 32]
// PARTS: tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[H]], 0, %[[COL]]] [1, %{{.*}}, 32]
func.func @parts(%q: tensor<8x?x128xf32>, %k: tensor<8x?x128xf32>, %v: tensor<8x?x128xf32>) -> tensor<8x?x128xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as recurrent -> "hnv" : (tensor<8x?x128xf32>, tensor<8x?x128xf32>, tensor<8x?x128xf32>) -> tensor<8x?x128xf32>
  return %o : tensor<8x?x128xf32>
}

// A map over the values is not cut.
// PARTS-LABEL: @whole(
// PARTS: scf.forall (%{{.*}}) in (8)
func.func @whole(%q: tensor<8x?x128xf32>, %k: tensor<8x?x128xf32>, %x: tensor<8x?x128xf32>) -> tensor<8x?x128xf32> {
  %v = attn.feature_map %x, #attn.l2_norm : tensor<8x?x128xf32> -> tensor<8x?x128xf32>
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as recurrent -> "hnv" : (tensor<8x?x128xf32>, tensor<8x?x128xf32>, tensor<8x?x128xf32>) -> tensor<8x?x128xf32>
  return %o : tensor<8x?x128xf32>
}

// Tiles are divided as they leave a chunk: no tensor has the column of sums.
// DIVIDED-LABEL: @divided(
// DIVIDED-NOT: tensor.empty{{.*}}x33xf32>
// DIVIDED: scf.forall {{.*}} shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<8x?x32xf32>)
// DIVIDED: arith.divf
// DIVIDED: tensor.insert_slice %{{.*}} : tensor<16x32xf32> into tensor<1x?x32xf32>
func.func @divided(%q: tensor<8x?x16xf32>, %k: tensor<8x?x16xf32>, %v: tensor<8x?x33xf32>) -> tensor<8x?x32xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 16 -> "hnv" : (tensor<8x?x16xf32>, tensor<8x?x16xf32>, tensor<8x?x33xf32>) -> tensor<8x?x33xf32>
  %n = attn.divide_by_last %o : tensor<8x?x33xf32> -> tensor<8x?x32xf32>
  return %n : tensor<8x?x32xf32>
}

// An output that something else reads is whole.
// DIVIDED-LABEL: @read_twice(
// DIVIDED: scf.forall {{.*}} -> (tensor<8x?x33xf32>)
// DIVIDED: scf.forall {{.*}} -> (tensor<8x?x32xf32>)
func.func @read_twice(%q: tensor<8x?x16xf32>, %k: tensor<8x?x16xf32>, %v: tensor<8x?x33xf32>) -> (tensor<8x?x33xf32>, tensor<8x?x32xf32>) {
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 16 -> "hnv" : (tensor<8x?x16xf32>, tensor<8x?x16xf32>, tensor<8x?x33xf32>) -> tensor<8x?x33xf32>
  %n = attn.divide_by_last %o : tensor<8x?x33xf32> -> tensor<8x?x32xf32>
  return %o, %n : tensor<8x?x33xf32>, tensor<8x?x32xf32>
}
