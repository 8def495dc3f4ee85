// RUN: attn-opt %s --attn-expose-state | FileCheck %s

!t = tensor<2x?x16xf32>
!w = tensor<2x?x17xf32>
!g = tensor<2x?xf32>

// The state, [head, key channel, value channel], is the last argument and result.
// CHECK-LABEL: @linear(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x32xf32>, %[[S0:.*]]: tensor<2x16x32xf32> {attn.state})
func.func @linear(%q: !t, %k: !t, %v: tensor<2x?x32xf32>) -> tensor<2x?x32xf32> {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") state(%[[S0]] "hdv") -> "hnv", state "hdv"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!t, !t, tensor<2x?x32xf32>) -> tensor<2x?x32xf32>
  return %o : tensor<2x?x32xf32>
}

// A running maximum follows its state; it has no channels here,
// CHECK-LABEL: @max(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x17xf32>, %[[G:.*]]: tensor<2x?xf32>, %[[I:.*]]: tensor<2x?xf32>, %[[S0:.*]]: tensor<2x16x17xf32> {attn.state}, %[[X0:.*]]: tensor<2xf32> {attn.state})
func.func @max(%q: !t, %k: !t, %v: !w, %g: !g, %i: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]], %[[X3:.*]], %[[X4:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") log_gate(%[[I]] "hn") state(%[[S0]] "hdv") max(%[[X0]] "h") -> "hnv", log_scale "hn", state "hdv", max "h"
  // CHECK-NEXT: %[[X5:.*]] = attn.divide_by_last %[[X1]] floor 1.000000e+00 log_scale(%[[X2]] : tensor<2x?xf32>) : tensor<2x?x17xf32> -> tensor<2x?x16xf32>
  // CHECK-NEXT: return %[[X5]], %[[X3]], %[[X4]]
  %x, %l = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) write(%k "hnd", %v "hnv") log_gate(%i "hn") -> "hnv", log_scale "hn" : (!g, !t, !t, !w, !g) -> (!w, !g)
  %o = attn.divide_by_last %x floor 1.0 log_scale(%l : !g) : !w -> !t
  return %o : !t
}

// and value channels where its gate has them.
// CHECK-LABEL: @max_of_values(
// CHECK-SAME: %[[G:.*]]: tensor<64xf32>, %[[K:.*]]: tensor<1x?x64xf32>, %[[V:.*]]: tensor<1x?x64xf32>, %[[Q:.*]]: tensor<1xf32>, %[[S0:.*]]: tensor<1x1x64xf32> {attn.state}, %[[X0:.*]]: tensor<1x64xf32> {attn.state})
func.func @max_of_values(%g: tensor<64xf32>, %k: tensor<1x?x64xf32>, %v: tensor<1x?x64xf32>, %q: tensor<1xf32>) -> tensor<1x?x64xf32> {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]], %[[X3:.*]] = attn.recurrence #attn.elementwise_decay by(%[[G]] "v") read(%[[Q]] "d" current) write(%[[Q]] "d", %[[V]] "bnv") log_gate(%[[K]] "bnv") state(%[[S0]] "bdv") max(%[[X0]] "bv") -> "bnv", state "bdv", max "bv"
  // CHECK-NEXT: return %[[X1]], %[[X2]], %[[X3]]
  %x = attn.recurrence #attn.elementwise_decay by(%g "v") read(%q "d" current) write(%q "d", %v "bnv") log_gate(%k "bnv") -> "bnv" : (tensor<64xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1x?x64xf32>, tensor<1x?x64xf32>) -> tensor<1x?x64xf32>
  return %x : tensor<1x?x64xf32>
}

// Channels are in the order of an element-wise decay.
// CHECK-LABEL: @value_first(
// CHECK-SAME: %[[Q:.*]]: tensor<?x16xf32>, %[[K:.*]]: tensor<?x16xf32>, %[[V:.*]]: tensor<?x32xf32>, %[[G:.*]]: tensor<?x32x16xf32>, %[[S0:.*]]: tensor<32x16xf32> {attn.state})
func.func @value_first(%q: tensor<?x16xf32>, %k: tensor<?x16xf32>, %v: tensor<?x32xf32>, %g: tensor<?x32x16xf32>) -> tensor<?x32xf32> {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.elementwise_decay by(%[[G]] "nvd") read(%[[Q]] "nd" current) write(%[[K]] "nd", %[[V]] "nv") state(%[[S0]] "vd") -> "nv", state "vd"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o = attn.recurrence #attn.elementwise_decay by(%g "nvd") read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x32x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x32xf32>) -> tensor<?x32xf32>
  return %o : tensor<?x32xf32>
}

// One state a segment.
// CHECK-LABEL: @packed(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[N:.*]]: tensor<?xi32>, %[[S0:.*]]: tensor<2x?x16x16xf32> {attn.state})
func.func @packed(%q: !t, %k: !t, %v: !t, %n: tensor<?xi32>) -> !t {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") state(%[[S0]] "hsdv") packed(%[[N]]) -> "hnv", state "hsdv"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") packed(%n) -> "hnv" : (!t, !t, !t, tensor<?xi32>) -> !t
  return %o : !t
}

// Queries of a group share a state.
// CHECK-LABEL: @grouped(
// CHECK-SAME: %[[Q:.*]]: tensor<4x8x?x16xf32>, %[[K:.*]]: tensor<4x2x?x16xf32>, %[[V:.*]]: tensor<4x2x?x16xf32>, %[[S0:.*]]: tensor<4x2x16x16xf32> {attn.state})
func.func @grouped(%q: tensor<4x8x?x16xf32>, %k: tensor<4x2x?x16xf32>, %v: tensor<4x2x?x16xf32>) -> tensor<4x8x?x16xf32> {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "b(gr)nd" current) write(%[[K]] "bgnd", %[[V]] "bgnv") state(%[[S0]] "bgdv") -> "b(gr)nv", state "bgdv"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o = attn.recurrence #attn.no_decay read(%q "b(gr)nd" current) write(%k "bgnd", %v "bgnv") -> "b(gr)nv" : (tensor<4x8x?x16xf32>, tensor<4x2x?x16xf32>, tensor<4x2x?x16xf32>) -> tensor<4x8x?x16xf32>
  return %o : tensor<4x8x?x16xf32>
}

// Two recurrences have two states, in their order. The form stays.
// CHECK-LABEL: @two(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[G:.*]]: tensor<2x?xf32>, %[[S0:.*]]: tensor<2x16x16xf32> {attn.state}, %[[X0:.*]]: tensor<2x16x16xf32> {attn.state})
func.func @two(%q: !t, %k: !t, %v: !t, %g: !g) -> !t {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") state(%[[S0]] "hdv") as chunkwise 64 -> "hnv", state "hdv"
  // CHECK-NEXT: %[[X3:.*]], %[[X4:.*]] = attn.recurrence #attn.scalar_decay by(%[[G]] "hn") read(%[[Q]] "hnd" current) erase(%[[K]] "hnd", %[[K]] "hnd", %[[X1]] "hnv" decayed) state(%[[X0]] "hdv") as recurrent -> "hnv", state "hdv"
  // CHECK-NEXT: return %[[X3]], %[[X2]], %[[X4]]
  %a = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 64 -> "hnv" : (!t, !t, !t) -> !t
  %o = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) erase(%k "hnd", %k "hnd", %a "hnv" decayed) as recurrent -> "hnv" : (!g, !t, !t, !t, !t) -> !t
  return %o : !t
}

// One that has a state stays.
// CHECK-LABEL: @exposed(
// CHECK-SAME: %[[Q:.*]]: tensor<2x?x16xf32>, %[[K:.*]]: tensor<2x?x16xf32>, %[[V:.*]]: tensor<2x?x16xf32>, %[[S:.*]]: tensor<2x16x16xf32>)
func.func @exposed(%q: !t, %k: !t, %v: !t, %s: tensor<2x16x16xf32>) -> (!t, tensor<2x16x16xf32>) {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "hnd" current) write(%[[K]] "hnd", %[[V]] "hnv") state(%[[S]] "hdv") -> "hnv", state "hdv"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o, %t = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") state(%s "hdv") -> "hnv", state "hdv" : (!t, !t, !t, tensor<2x16x16xf32>) -> (!t, tensor<2x16x16xf32>)
  return %o, %t : !t, tensor<2x16x16xf32>
}

// The state has the type of the sums.
// CHECK-LABEL: @wide(
// CHECK-SAME: %[[Q:.*]]: tensor<?x16xbf16>, %[[K:.*]]: tensor<?x16xbf16>, %[[V:.*]]: tensor<?x16xbf16>, %[[S0:.*]]: tensor<16x16xf32> {attn.state})
func.func @wide(%q: tensor<?x16xbf16>, %k: tensor<?x16xbf16>, %v: tensor<?x16xbf16>) -> tensor<?x16xf32> {
  // CHECK-NEXT: %[[X1:.*]], %[[X2:.*]] = attn.recurrence #attn.no_decay read(%[[Q]] "nd" current) write(%[[K]] "nd", %[[V]] "nv") state(%[[S0]] "dv") -> "nv", state "dv"
  // CHECK-NEXT: return %[[X1]], %[[X2]]
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%k "nd", %v "nv") -> "nv" : (tensor<?x16xbf16>, tensor<?x16xbf16>, tensor<?x16xbf16>) -> tensor<?x16xf32>
  return %o : tensor<?x16xf32>
}

// A returned log scale stays the recurrence's.
// CHECK-LABEL: @returned_log_scale
// CHECK: %[[O:.*]], %[[L:.*]], %[[S:.*]], %[[M:.*]] = attn.recurrence
// CHECK: return %[[O]], %[[L]], %[[S]], %[[M]]
func.func @returned_log_scale(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>, %i: tensor<2x?xf32>) -> (tensor<2x?x16xf32>, tensor<2x?xf32>) {
  %o, %l = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") log_gate(%i "hn") -> "hnv", log_scale "hn" : (tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?xf32>) -> (tensor<2x?x16xf32>, tensor<2x?xf32>)
  return %o, %l : tensor<2x?x16xf32>, tensor<2x?xf32>
}

// Features of a position go on where the last piece ended: one position for
// the maps of one sequence, and none where the function has its own.
// CHECK-LABEL: @positions(
// CHECK-SAME: %[[Q:[a-z0-9]*]]: tensor<2x?x16xf32>, %[[K:[a-z0-9]*]]: tensor<2x?x16xf32>, %{{.*}}: tensor<2x?x16xf32>, %{{.*}}: tensor<2x32x16xf32> {attn.state}, %[[P:[a-z0-9]*]]: tensor<i64> {attn.state}) -> (tensor<2x?x16xf32>, tensor<2x32x16xf32>, tensor<i64>)
// CHECK: attn.feature_map %[[Q]], #attn.cosformer<max_len = 99> start(%[[P]] : tensor<i64>)
// CHECK: attn.feature_map %[[K]], #attn.cosformer<max_len = 99> start(%[[P]] : tensor<i64>)
// CHECK: %[[N:.*]] = tensor.dim %[[Q]], %{{.*}}
// CHECK: %[[T:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: %[[X:.*]] = tensor.extract %[[P]][]
// CHECK: %[[Y:.*]] = arith.addi %[[X]], %[[T]]
// CHECK: %[[NEXT:.*]] = tensor.insert %[[Y]] into %[[P]][]
// CHECK: return %{{.*}}, %{{.*}}, %[[NEXT]]
func.func @positions(%q: !t, %k: !t, %v: !t) -> !t {
  %f = attn.feature_map %q, #attn.cosformer<max_len = 99> : !t -> tensor<2x?x32xf32>
  %g = attn.feature_map %k, #attn.cosformer<max_len = 99> : !t -> tensor<2x?x32xf32>
  %o = attn.recurrence #attn.no_decay read(%f "hnd" current) write(%g "hnd", %v "hnv") -> "hnv" : (tensor<2x?x32xf32>, tensor<2x?x32xf32>, !t) -> !t
  return %o : !t
}

// CHECK-LABEL: @own_position(
// CHECK-SAME: %[[P:[a-z0-9]*]]: tensor<i64>, %{{.*}}: tensor<2x32x16xf32> {attn.state}) -> (tensor<2x?x16xf32>, tensor<2x32x16xf32>)
// CHECK: start(%[[P]] : tensor<i64>)
func.func @own_position(%q: !t, %v: !t, %p: tensor<i64>) -> !t {
  %f = attn.feature_map %q, #attn.cosformer<max_len = 99> start(%p : tensor<i64>) : !t -> tensor<2x?x32xf32>
  %o = attn.recurrence #attn.no_decay read(%f "hnd" current) write(%f "hnd", %v "hnv") -> "hnv" : (tensor<2x?x32xf32>, tensor<2x?x32xf32>, !t) -> !t
  return %o : !t
}
