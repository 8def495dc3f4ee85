// The recurrence that attn-analyze-scans finds computes what the region says: the
// reference evaluator runs both.
// DEFINE: %{entry} =
// DEFINE: %{run} = attn-run --entry=%{entry} --random=1 --target=reference
// DEFINE: %{compare} = %{run} %s --outputs=%t.npy && %{run} %t.mlir --check=%t.npy --tol=1e-7

// RUN: attn-opt %s --attn-analyze-scans -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// CHECK-NOT: attn.scan

// REDEFINE: %{entry} = layouts
// RUN: %{compare}
// REDEFINE: %{entry} = groups
// RUN: %{compare}
// REDEFINE: %{entry} = letters
// RUN: %{compare}
// REDEFINE: %{entry} = narrow
// RUN: %{compare}
// REDEFINE: %{entry} = one_tensor
// RUN: %{compare}
// REDEFINE: %{entry} = one_name
// RUN: %{compare}
// REDEFINE: %{entry} = householder
// RUN: %{compare}
// REDEFINE: %{entry} = factor_of_sum
// RUN: %{compare}
// REDEFINE: %{entry} = no_batch
// RUN: %{compare}

// Layouts of their own; keys that heads share; the state as [v, d]; the output
// reads the state between two writes, after a correction.
func.func @layouts(%q: tensor<2x9x3x8xf32> {attn.axes = "bnhd"}, %k: tensor<2x9x8xf32> {attn.axes = "bnd"}, %v: tensor<2x3x9x4xf32> {attn.axes = "bhnv"}, %g: tensor<2x9x3xf32> {attn.axes = "bnh"}) -> tensor<2x9x3x4xf32> {
  %o = attn.scan inputs(%q "bnhd", %k "bnd", %v "bhnv", %g "bnh") over "bhvd" {
  ^bb0(%s: tensor<4x8xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<4xf32>, %gt: tensor<f32>):
    %k1 = attn.scale %kt by 0.25 : tensor<8xf32> -> tensor<8xf32>
    %a = math.absf %gt : tensor<f32>
    %b = arith.negf %a : tensor<f32>
    %c = math.exp %b : tensor<f32>
    %d = attn.gate %s, %c subscripts "vd,->vd" : tensor<4x8xf32>, tensor<f32> -> tensor<4x8xf32>
    %r = attn.contract %d, %k1 subscripts "yx,x->y" : tensor<4x8xf32>, tensor<8xf32> -> tensor<4xf32>
    %e = arith.subf %r, %vt : tensor<4xf32>
    %u = attn.gate %e, %k1 subscripts "v,d->vd" : tensor<4xf32>, tensor<8xf32> -> tensor<4x8xf32>
    %m = arith.subf %d, %u : tensor<4x8xf32>
    %qv = attn.gate %vt, %qt subscripts "v,d->vd" : tensor<4xf32>, tensor<8xf32> -> tensor<4x8xf32>
    %n = arith.addf %m, %qv : tensor<4x8xf32>
    %y = attn.contract %qt, %m subscripts "d,vd->v" : tensor<8xf32>, tensor<4x8xf32> -> tensor<4xf32>
    attn.yield %n, %y : tensor<4x8xf32>, tensor<4xf32>
  } -> "bnhv" : (tensor<2x9x3x8xf32>, tensor<2x9x8xf32>, tensor<2x3x9x4xf32>, tensor<2x9x3xf32>) -> tensor<2x9x3x4xf32>
  return %o : tensor<2x9x3x4xf32>
}

// Two queries read a state; one of them is gated along the values.
func.func @groups(%q: tensor<3x2x9x8xf32> {attn.axes = "grnd"}, %k: tensor<3x9x8xf32> {attn.axes = "gnd"}, %v: tensor<3x9x4xf32> {attn.axes = "gnv"}, %z: tensor<3x9x2xf32> {attn.axes = "gnr"}) -> tensor<3x9x2x4xf32> {
  %o = attn.scan inputs(%q "grnd", %k "gnd", %v "gnv", %z "gnr") over "gdv" {
  ^bb0(%s: tensor<8x4xf32>, %qt: tensor<2x8xf32>, %kt: tensor<8xf32>, %vt: tensor<4xf32>, %zt: tensor<2xf32>):
    %h = attn.scale %s by 0.5 : tensor<8x4xf32> -> tensor<8x4xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %n = arith.addf %h, %kv : tensor<8x4xf32>
    %y = attn.contract %n, %qt subscripts "dv,rd->vr" : tensor<8x4xf32>, tensor<2x8xf32> -> tensor<4x2xf32>
    %x = attn.gate %y, %zt subscripts "vr,r->rv" : tensor<4x2xf32>, tensor<2xf32> -> tensor<2x4xf32>
    %w = attn.gate %x, %vt subscripts "rv,v->rv" : tensor<2x4xf32>, tensor<4xf32> -> tensor<2x4xf32>
    attn.yield %n, %w : tensor<8x4xf32>, tensor<2x4xf32>
  } -> "gnrv" : (tensor<3x2x9x8xf32>, tensor<3x9x8xf32>, tensor<3x9x4xf32>, tensor<3x9x2xf32>) -> tensor<3x9x2x4xf32>
  return %o : tensor<3x9x2x4xf32>
}

// Letters of batch axes that mean something else to a recurrence.
func.func @letters(%q: tensor<2x3x9x8xf32> {attn.axes = "esnd"}, %k: tensor<2x3x9x8xf32> {attn.axes = "esnd"}, %v: tensor<2x3x9x4xf32> {attn.axes = "esnv"}) -> tensor<2x3x9x4xf32> {
  %o = attn.scan inputs(%q "esnd", %k "esnd", %v "esnv") over "esdv" {
  ^bb0(%s: tensor<8x4xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<4xf32>):
    %h = attn.scale %s by 0.5 : tensor<8x4xf32> -> tensor<8x4xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %n = arith.addf %h, %kv : tensor<8x4xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    attn.yield %n, %y : tensor<8x4xf32>, tensor<4xf32>
  } -> "esnv" : (tensor<2x3x9x8xf32>, tensor<2x3x9x8xf32>, tensor<2x3x9x4xf32>) -> tensor<2x3x9x4xf32>
  return %o : tensor<2x3x9x4xf32>
}

// Inputs of bf16; a region of f32. The keys are one minus the gate.
func.func @narrow(%q: tensor<2x9x8xbf16> {attn.axes = "hnd"}, %w: tensor<2x9x8xbf16> {attn.axes = "hnd"}, %v: tensor<2x9x4xbf16> {attn.axes = "hnv"}) -> tensor<2x9x4xf32> {
  %o = attn.scan inputs(%q "hnd", %w "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<8x4xf32>, %qt: tensor<8xf32>, %wt: tensor<8xf32>, %vt: tensor<4xf32>):
    %one = arith.constant dense<1.0> : tensor<8xf32>
    %x = arith.negf %wt : tensor<8xf32>
    %e = math.exp %x : tensor<8xf32>
    %p = arith.addf %one, %e : tensor<8xf32>
    %c = arith.divf %one, %p : tensor<8xf32>
    %k = arith.subf %one, %c : tensor<8xf32>
    %d = attn.gate %s, %c subscripts "dv,d->dv" : tensor<8x4xf32>, tensor<8xf32> -> tensor<8x4xf32>
    %kv = attn.gate %k, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %n = arith.addf %d, %kv : tensor<8x4xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    attn.yield %n, %y : tensor<8x4xf32>, tensor<4xf32>
  } -> "hnv" : (tensor<2x9x8xbf16>, tensor<2x9x8xbf16>, tensor<2x9x4xbf16>) -> tensor<2x9x4xf32>
  return %o : tensor<2x9x4xf32>
}

// One tensor is query, key and value.
func.func @one_tensor(%x: tensor<2x9x8xf32> {attn.axes = "hnd"}) -> tensor<2x9x8xf32> {
  %o = attn.scan inputs(%x "hnd", %x "hnd", %x "hnv") over "hdv" {
  ^bb0(%s: tensor<8x8xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<8xf32>):
    %h = attn.scale %s by 0.5 : tensor<8x8xf32> -> tensor<8x8xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<8xf32> -> tensor<8x8xf32>
    %n = arith.addf %h, %kv : tensor<8x8xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<8xf32>, tensor<8x8xf32> -> tensor<8xf32>
    attn.yield %n, %y : tensor<8x8xf32>, tensor<8xf32>
  } -> "hnv" : (tensor<2x9x8xf32>, tensor<2x9x8xf32>, tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return %o : tensor<2x9x8xf32>
}

// Keys are also values, under one name in the scan: the region tells them apart.
func.func @one_name(%q: tensor<2x9x8xf32> {attn.axes = "hnd"}, %x: tensor<2x9x8xf32> {attn.axes = "hnd"}) -> tensor<2x9x8xf32> {
  %o = attn.scan inputs(%q "hnd", %x "hnd") over "hdv" {
  ^bb0(%s: tensor<8x8xf32>, %qt: tensor<8xf32>, %xt: tensor<8xf32>):
    %h = attn.scale %s by 0.5 : tensor<8x8xf32> -> tensor<8x8xf32>
    %kv = attn.gate %xt, %xt subscripts "d,v->dv" : tensor<8xf32>, tensor<8xf32> -> tensor<8x8xf32>
    %n = arith.addf %kv, %h : tensor<8x8xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<8xf32>, tensor<8x8xf32> -> tensor<8xf32>
    attn.yield %n, %y : tensor<8x8xf32>, tensor<8xf32>
  } -> "hnv" : (tensor<2x9x8xf32>, tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return %o : tensor<2x9x8xf32>
}

// A matrix that the region makes: M = I - k k^T / 8.
func.func @householder(%q: tensor<2x9x2xf32> {attn.axes = "hnd"}, %k: tensor<2x9x2xf32> {attn.axes = "hnd"}, %v: tensor<2x9x4xf32> {attn.axes = "hnv"}) -> tensor<2x9x4xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv") over "hdv" {
  ^bb0(%s: tensor<2x4xf32>, %qt: tensor<2xf32>, %kt: tensor<2xf32>, %vt: tensor<4xf32>):
    %i = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32>
    %kk = attn.gate %kt, %kt subscripts "i,j->ij" : tensor<2xf32>, tensor<2xf32> -> tensor<2x2xf32>
    %k8 = attn.scale %kk by 0.125 : tensor<2x2xf32> -> tensor<2x2xf32>
    %m = arith.subf %i, %k8 : tensor<2x2xf32>
    %d = attn.contract %m, %s subscripts "ij,jv->iv" : tensor<2x2xf32>, tensor<2x4xf32> -> tensor<2x4xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<2xf32>, tensor<4xf32> -> tensor<2x4xf32>
    %n = arith.addf %kv, %d : tensor<2x4xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<2xf32>, tensor<2x4xf32> -> tensor<4xf32>
    attn.yield %n, %y : tensor<2x4xf32>, tensor<4xf32>
  } -> "hnv" : (tensor<2x9x2xf32>, tensor<2x9x2xf32>, tensor<2x9x4xf32>) -> tensor<2x9x4xf32>
  return %o : tensor<2x9x4xf32>
}

// S' = c (S - b k (k^T S)) + b k v^T, c = exp(-|w|) exp(-|g|); the output reads
// the state before it twice, and adds the token's own pair.
func.func @factor_of_sum(%q: tensor<2x9x8xf32> {attn.axes = "hnd"}, %k: tensor<2x9x8xf32> {attn.axes = "hnd"}, %v: tensor<2x9x4xf32> {attn.axes = "hnv"}, %w: tensor<2x8xf32> {attn.axes = "hd"}, %g: tensor<2x9xf32> {attn.axes = "hn"}) -> tensor<2x9x4xf32> {
  %o = attn.scan inputs(%q "hnd", %k "hnd", %v "hnv", %w "hd", %g "hn") over "hdv" {
  ^bb0(%s: tensor<8x4xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<4xf32>, %wt: tensor<8xf32>, %gt: tensor<f32>):
    %b = arith.constant dense<0.05> : tensor<f32>
    %r = attn.contract %kt, %s subscripts "d,dv->v" : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    %kr = attn.gate %kt, %r subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %bk = attn.gate %kr, %b subscripts "dv,->dv" : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
    %x = arith.subf %s, %bk : tensor<8x4xf32>
    %w1 = math.absf %wt : tensor<8xf32>
    %w2 = arith.negf %w1 : tensor<8xf32>
    %w3 = math.exp %w2 : tensor<8xf32>
    %g1 = math.absf %gt : tensor<f32>
    %g2 = arith.negf %g1 : tensor<f32>
    %g3 = math.exp %g2 : tensor<f32>
    %c = attn.gate %w3, %g3 subscripts "d,->d" : tensor<8xf32>, tensor<f32> -> tensor<8xf32>
    %d = attn.gate %c, %x subscripts "d,dv->dv" : tensor<8xf32>, tensor<8x4xf32> -> tensor<8x4xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %bkv = attn.gate %kv, %b subscripts "dv,->dv" : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
    %n = arith.addf %d, %bkv : tensor<8x4xf32>
    %y0 = attn.contract %qt, %s subscripts "d,dv->v" : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    %y1 = arith.addf %y0, %r : tensor<4xf32>
    %qk = attn.contract %qt, %kt subscripts "d,d->" : tensor<8xf32>, tensor<8xf32> -> tensor<f32>
    %y2 = attn.gate %vt, %qk subscripts "v,->v" : tensor<4xf32>, tensor<f32> -> tensor<4xf32>
    %y = arith.addf %y1, %y2 : tensor<4xf32>
    attn.yield %n, %y : tensor<8x4xf32>, tensor<4xf32>
  } -> "hnv" : (tensor<2x9x8xf32>, tensor<2x9x8xf32>, tensor<2x9x4xf32>, tensor<2x8xf32>, tensor<2x9xf32>) -> tensor<2x9x4xf32>
  return %o : tensor<2x9x4xf32>
}

// No batch axis; a factor that differs along d and v.
func.func @no_batch(%q: tensor<9x8xf32> {attn.axes = "nd"}, %k: tensor<9x8xf32> {attn.axes = "nd"}, %v: tensor<9x4xf32> {attn.axes = "nv"}, %a: tensor<8x4xf32> {attn.axes = "dv"}, %g: tensor<9xf32> {attn.axes = "n"}) -> tensor<9x4xf32> {
  %o = attn.scan inputs(%q "nd", %k "nd", %v "nv", %a "dv", %g "n") over "dv" {
  ^bb0(%s: tensor<8x4xf32>, %qt: tensor<8xf32>, %kt: tensor<8xf32>, %vt: tensor<4xf32>, %at: tensor<8x4xf32>, %gt: tensor<f32>):
    %a1 = math.absf %at : tensor<8x4xf32>
    %g1 = math.absf %gt : tensor<f32>
    %ag = attn.gate %a1, %g1 subscripts "dv,->dv" : tensor<8x4xf32>, tensor<f32> -> tensor<8x4xf32>
    %x = arith.negf %ag : tensor<8x4xf32>
    %c = math.exp %x : tensor<8x4xf32>
    %kv = attn.gate %kt, %vt subscripts "d,v->dv" : tensor<8xf32>, tensor<4xf32> -> tensor<8x4xf32>
    %n = math.fma %s, %c, %kv : tensor<8x4xf32>
    %y = attn.contract %qt, %n subscripts "d,dv->v" : tensor<8xf32>, tensor<8x4xf32> -> tensor<4xf32>
    attn.yield %n, %y : tensor<8x4xf32>, tensor<4xf32>
  } -> "nv" : (tensor<9x8xf32>, tensor<9x8xf32>, tensor<9x4xf32>, tensor<8x4xf32>, tensor<9xf32>) -> tensor<9x4xf32>
  return %o : tensor<9x4xf32>
}
