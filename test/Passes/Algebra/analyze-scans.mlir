// RUN: attn-opt %s --attn-analyze-scans --remarks-filter=attn-analyze-scans --remark-policy=all --remark-format=emitRemark 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// S' = S + k v^T, o = q^T S', from a state and to one.
// CHECK-LABEL: @none
func.func @none(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %s0: tensor<8x64x32xf32>) -> (tensor<8x?x32xf32>, tensor<8x64x32xf32>) {
  // CHECK: %[[O:.*]], %[[S:.*]] = attn.recurrence #attn.no_decay read(%arg0 "hnd" current) write(%arg1 "hnd", %arg2 "hnv") state(%arg3 "hdv") -> "hnv", state "hdv"
  // CHECK-NOT: attn.scan
  // CHECK: return %[[O]], %[[S]]
  %o:2 = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") state(%s0) over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %s, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv", state : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x64x32xf32>) -> (tensor<8x?x32xf32>, tensor<8x64x32xf32>)
  return %o#0, %o#1 : tensor<8x?x32xf32>, tensor<8x64x32xf32>
}

// S' = e^g S + k v^T: the transition takes g itself.
// CHECK-LABEL: @scalar
func.func @scalar(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %g: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.scalar_decay by(%arg3 "hn") read(%arg0 "hnd" current) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %g "hn") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %gt: tensor<f32>):
    %c = math.exp %gt : tensor<f32>
    %d = attn.gate %s, %c subscripts "dv,->dv" : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = diag(e^w) S + k v^T.
// CHECK-LABEL: @diagonal
func.func @diagonal(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" current) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %kv, %d : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = e^G * S + k v^T, element by element.
// CHECK-LABEL: @elementwise
func.func @elementwise(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %G: tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.elementwise_decay by(%arg3 "hndv") read(%arg0 "hnd" current) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %G "hndv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %Gt: tensor<64x32xf32>):
    %c = math.exp %Gt : tensor<64x32xf32>
    %d = arith.mulf %c, %s : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// A decay for each value channel is one for each element.
// CHECK-LABEL: @value_channels
func.func @value_channels(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %z: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.elementwise_decay by(%arg3 "hnv")
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %z "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %zt: tensor<32xf32>):
    %c = math.exp %zt : tensor<32xf32>
    %d = attn.gate %s, %c subscripts "dv,v->dv" : tensor<64x32xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = M S + k v^T.
// CHECK-LABEL: @dense
func.func @dense(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %m: tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.dense_transition by(%arg3 "hned") read(%arg0 "hnd" current) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %m "hned") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %mt: tensor<64x64xf32>):
    %d = attn.contract %mt, %s subscripts "ed,dv->ev" : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// The output reads M S.
// CHECK-LABEL: @dense_decayed
func.func @dense_decayed(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %m: tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.dense_transition by(%arg3 "hned") read(%arg0 "hnd" decayed) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %m "hned") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %mt: tensor<64x64xf32>):
    %d = attn.contract %mt, %s subscripts "ed,dv->ev" : tensor<64x64xf32>, tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %kv, %d : tensor<64x32xf32>
    %y = attn.contract %qt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = S~ + k (beta (v - k^T S~))^T, S~ = e^g S.
// CHECK-LABEL: @delta
func.func @delta(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %g: tensor<8x?xf32>, %beta: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
  // CHECK-DAG: %[[BV:.*]] = attn.gate %arg2, %arg4 subscripts "hnv,hn->hnv"
  // CHECK-DAG: %[[BK:.*]] = attn.gate %arg1, %arg4 subscripts "hnd,hn->hnd"
  // CHECK: attn.recurrence #attn.scalar_decay by(%arg3 "hn") read(%arg0 "hnd" current) erase(%[[BK]] "hnd", %arg1 "hnd", %[[BV]] "hnv" decayed) -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %g "hn", %beta "hn") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %gt: tensor<f32>, %betat: tensor<f32>):
    %c = math.exp %gt : tensor<f32>
    %d = attn.gate %s, %c subscripts "dv,->dv" : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
    %r = attn.contract %kt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %e = arith.subf %vt, %r : tensor<32xf32>
    %x = attn.gate %e, %betat subscripts "v,->v" : tensor<32xf32>, tensor<f32> -> tensor<32xf32>
    %ku = attn.gate %kt, %x subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %ku : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?xf32>, tensor<8x?xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = (I - k k^T) S + k v^T: what is written under the key of the correction is
// its input.
// CHECK-LABEL: @delta_apart
func.func @delta_apart(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.no_decay read(%arg0 "hnd" current) erase(%arg1 "hnd", %arg1 "hnd", %arg2 "hnv" decayed) -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %kr = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.subf %s, %kr : tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = diag(e^w) S + k (p^T S) + p v^T: the correction has no input.
// CHECK-LABEL: @low_rank_previous
func.func @low_rank_previous(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>, %p: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-DAG: %[[P:.*]] = attn.scale %arg4 by -1
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<32xf32>
  // CHECK: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" current) write(%arg4 "hnd", %arg2 "hnv") erase(%[[P]] "hnd", %arg1 "hnd", %[[ZERO]] "v" previous) -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd", %p "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>, %pt: tensor<64xf32>):
    %r = attn.contract %pt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %br = attn.gate %kt, %r subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %d, %br : tensor<64x32xf32>
    %pv = attn.gate %pt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %x1, %pv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// o = q^T (S + (u * k) v^T): the state before the token, and a bonus for the
// token's own pair.
// CHECK-LABEL: @bonus
func.func @bonus(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>, %u: tensor<8x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" previous) write(%arg1 "hnd", %arg2 "hnv") bonus(%arg4 "hd") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd", %u "hd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>, %ut: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %uk = attn.gate %ut, %kt subscripts "d,d->d" : tensor<64xf32>, tensor<64xf32> -> tensor<64xf32>
    %ukv = attn.gate %uk, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %b = arith.addf %s, %ukv : tensor<64x32xf32>
    %y = attn.contract %qt, %b subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>, tensor<8x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// The state before the token alone.
// CHECK-LABEL: @previous
func.func @previous(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" previous) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %s subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// The state after its decay.
// CHECK-LABEL: @decayed
func.func @decayed(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" decayed) write(%arg1 "hnd", %arg2 "hnv") -> "hnv"
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %d subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// A gate on the output and a skip connection stay outside.
// CHECK-LABEL: @skip
func.func @skip(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>, %z: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // CHECK-NEXT: %[[R:.*]] = attn.recurrence #attn.diagonal_decay
  // CHECK-NEXT: %[[G:.*]] = attn.gate %[[R]], %arg4 subscripts "hnv,hnv->hnv"
  // CHECK-NEXT: %[[A:.*]] = arith.addf %[[G]], %arg2
  // CHECK-NEXT: return %[[A]]
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd", %z "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>, %zt: tensor<32xf32>):
    %c = math.exp %wt : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y0 = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    %y1 = arith.mulf %y0, %zt : tensor<32xf32>
    %y = arith.addf %y1, %vt : tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = diag(a) S + (1 - a) v^T with a = 1 / (1 + e^-w): log a is a formula that
// does not cancel.
// CHECK-LABEL: @logistic
func.func @logistic(%q: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK: math.absf
  // CHECK: math.log1p
  // CHECK: attn.recurrence #attn.diagonal_decay
  %o = attn.scan inputs(%q "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %one = arith.constant dense<1.0> : tensor<64xf32>
    %nw = arith.negf %wt : tensor<64xf32>
    %e = math.exp %nw : tensor<64xf32>
    %e1 = arith.addf %e, %one : tensor<64xf32>
    %c = arith.divf %one, %e1 : tensor<64xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %kk = arith.subf %one, %c : tensor<64xf32>
    %kv = attn.gate %kk, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// The range of the factor is declared; its check stays.
// CHECK-LABEL: @range
func.func @range(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %g: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
  // CHECK: %[[C:.*]] = attn.gate %{{.*}}, %arg3 subscripts ",hn->hn" in{{ ?}}{{[[]}}0.0{{.*}}, 1.0{{.*}}
  // CHECK: %[[L:.*]] = math.log %[[C]]
  // CHECK: attn.recurrence #attn.scalar_decay by(%[[L]] "hn")
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %g "hn") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %gt: tensor<f32>):
    %d = attn.gate %s, %gt subscripts "dv,->dv" in [0.0, 1.0] : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// A constant factor.
// CHECK-LABEL: @constant
func.func @constant(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>) -> tensor<8x?x32xf32> {
  // CHECK: %[[L:.*]] = arith.constant dense<-0.693
  // CHECK: attn.recurrence #attn.scalar_decay by(%[[L]] "")
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>):
    %d = attn.scale %s by 0.5 : tensor<64x32xf32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// Two factors: the logarithms are added.
// CHECK-LABEL: @product
func.func @product(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>, %g: tensor<8x?xf32>) -> tensor<8x?x32xf32> {
  // CHECK: %[[ONES:.*]] = arith.constant dense<1.0{{.*}}> : tensor<64xf32>
  // CHECK: %[[G:.*]] = attn.gate %arg4, %[[ONES]] subscripts "hn,d->hnd"
  // CHECK: %[[L:.*]] = arith.addf %arg3, %[[G]]
  // CHECK: attn.recurrence #attn.diagonal_decay by(%[[L]] "hnd")
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd", %g "hn") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>, %gt: tensor<f32>):
    %c = math.exp %wt : tensor<64xf32>
    %d1 = attn.gate %s, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %c2 = math.exp %gt : tensor<f32>
    %d = attn.gate %d1, %c2 subscripts "dv,->dv" : tensor<64x32xf32>, tensor<f32> -> tensor<64x32xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %n = arith.addf %d, %kv : tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>, tensor<8x?xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// S' = diag(e^w) (S + k v^T): the pair decays, too.
// CHECK-LABEL: @decay_after_write
func.func @decay_after_write(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x32xf32>, %w: tensor<8x?x64xf32>) -> tensor<8x?x32xf32> {
  // CHECK: %[[C:.*]] = math.exp %arg3
  // CHECK: %[[K:.*]] = attn.gate %arg1, %[[C]]
  // CHECK: attn.recurrence #attn.diagonal_decay by(%arg3 "hnd") read(%arg0 "hnd" current) write(%[[K]] "hnd", %arg2 "hnv")
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hnd") over "hdv" {
  ^bb0(%s: tensor<64x32xf32>, %qt: tensor<64xf32>, %kt: tensor<64xf32>, %vt: tensor<32xf32>, %wt: tensor<64xf32>):
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<64xf32>, tensor<32xf32> -> tensor<64x32xf32>
    %x1 = arith.addf %s, %kv : tensor<64x32xf32>
    %c = math.exp %wt : tensor<64xf32>
    %n = attn.gate %x1, %c subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<64xf32>, tensor<64x32xf32> -> tensor<32xf32>
    attn.yield %n, %y : tensor<64x32xf32>, tensor<32xf32>
  } -> "hnv" : (tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x32xf32>, tensor<8x?x64xf32>) -> tensor<8x?x32xf32>
  return %o : tensor<8x?x32xf32>
}

// REMARK: Function=none | Remark="the recurrence has no decay and reads the current state"
// REMARK: Function=scalar | Remark="the recurrence has a scalar decay and reads the current state"
// REMARK: Function=diagonal | Remark="the recurrence has a diagonal decay and reads the current state"
// REMARK: Function=elementwise | Remark="the recurrence has an element-wise decay and reads the current state"
// REMARK: Function=dense | Remark="the recurrence has a dense transition and reads the current state"
// REMARK: Function=delta | Remark="the recurrence has a scalar decay, one low-rank correction and reads the current state"
// REMARK: Function=bonus | Remark="the recurrence has a diagonal decay and reads the previous state with a bonus"
