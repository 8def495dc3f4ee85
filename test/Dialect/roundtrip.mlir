// Every operation, attribute and layout form, printed and read back.
// RUN: attn-opt %s | attn-opt | FileCheck %s
// RUN: attn-opt --mlir-print-op-generic %s | attn-opt | FileCheck %s
// RUN: attn-opt --emit-bytecode %s | attn-opt | FileCheck %s

// CHECK-LABEL: func @score_layouts
func.func @score_layouts(%q: tensor<2x8x?x64xf32>, %k: tensor<2x8x?x64xf32>,
                         %x: tensor<?x?x8x64xbf16>, %y: tensor<?x?x8x64xbf16>,
                         %g: tensor<2x2x?x64xf32>, %z: tensor<2x?x2x64xbf16>,
                         %p: tensor<?x?xf32>) {
  // CHECK: attn.score %{{.*}}, %{{.*}} : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x?xf32>
  %0 = attn.score %q, %k : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x?xf32>
  // [B, N, H, D].
  // CHECK: attn.score %{{.*}}, %{{.*}} subscripts "bnhd,bmhd->bhnm" : tensor<?x?x8x64xbf16>, tensor<?x?x8x64xbf16> -> tensor<?x8x?x?xf32>
  %1 = attn.score %x, %y subscripts "bnhd,bmhd->bhnm" : tensor<?x?x8x64xbf16>, tensor<?x?x8x64xbf16> -> tensor<?x8x?x?xf32>
  // Four query heads share a key head, by default and as written.
  // CHECK: attn.score %{{.*}}, %{{.*}} : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  %2 = attn.score %q, %g : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: subscripts "b(gr)nd,bgmd->b(gr)nm"
  %3 = attn.score %q, %g subscripts "b(gr)nd,bgmd->b(gr)nm" : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: subscripts "bn(gr)d,bmgd->b(gr)nm"
  %4 = attn.score %x, %z subscripts "bn(gr)d,bmgd->b(gr)nm" : tensor<?x?x8x64xbf16>, tensor<2x?x2x64xbf16> -> tensor<2x8x?x?xf64>
  // One head of keys for all (MQA), without the axis.
  // CHECK: subscripts "bhnd,md->bhnm"
  %5 = attn.score %q, %p subscripts "bhnd,md->bhnm" : tensor<2x8x?x64xf32>, tensor<?x?xf32> -> tensor<2x8x?x?xf32>
  // No batch at all.
  // CHECK: attn.score %{{.*}}, %{{.*}} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %6 = attn.score %p, %p : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return
}

// N queries, M keys, another width of values; more batch dimensions.
// CHECK-LABEL: func @cross_attention
func.func @cross_attention(%q: tensor<3x2x4x100x16xf64>, %k: tensor<3x2x4x7x16xf64>,
                           %v: tensor<3x2x4x7x5xf64>) -> tensor<3x2x4x100x5xf64> {
  // CHECK: attn.score %{{.*}} -> tensor<3x2x4x100x7xf64>
  %a = attn.score %q, %k : tensor<3x2x4x100x16xf64>, tensor<3x2x4x7x16xf64> -> tensor<3x2x4x100x7xf64>
  // CHECK: attn.apply %{{.*}}, %{{.*}} : tensor<3x2x4x100x7xf64>, tensor<3x2x4x7x5xf64> -> tensor<3x2x4x100x5xf64>
  %o = attn.apply %a, %v : tensor<3x2x4x100x7xf64>, tensor<3x2x4x7x5xf64> -> tensor<3x2x4x100x5xf64>
  return %o : tensor<3x2x4x100x5xf64>
}

// CHECK-LABEL: func @products
func.func @products(%a: tensor<2x8x?x?xf32>, %v: tensor<2x8x?x32xf16>,
                    %g: tensor<2x2x?x32xbf16>, %k: tensor<2x8x?x64xf32>,
                    %x: tensor<2x?x2x32xf32>) {
  // CHECK: attn.apply %{{.*}}, %{{.*}} : tensor<2x8x?x?xf32>, tensor<2x8x?x32xf16> -> tensor<2x8x?x32xf32>
  %0 = attn.apply %a, %v : tensor<2x8x?x?xf32>, tensor<2x8x?x32xf16> -> tensor<2x8x?x32xf32>
  // CHECK: attn.apply %{{.*}}, %{{.*}} : tensor<2x8x?x?xf32>, tensor<2x2x?x32xbf16> -> tensor<2x8x?x32xf32>
  %1 = attn.apply %a, %g : tensor<2x8x?x?xf32>, tensor<2x2x?x32xbf16> -> tensor<2x8x?x32xf32>
  // CHECK: attn.apply %{{.*}}, %{{.*}} subscripts "b(gr)nm,bmgv->bn(gr)v"
  %2 = attn.apply %a, %x subscripts "b(gr)nm,bmgv->bn(gr)v" : tensor<2x8x?x?xf32>, tensor<2x?x2x32xf32> -> tensor<2x?x8x32xf32>
  // CHECK: attn.contract %{{.*}}, %{{.*}} subscripts "bhmd,bhmv->bhdv" : tensor<2x8x?x64xf32>, tensor<2x8x?x32xf16> -> tensor<2x8x64x32xf32>
  %3 = attn.contract %k, %v subscripts "bhmd,bhmv->bhdv" : tensor<2x8x?x64xf32>, tensor<2x8x?x32xf16> -> tensor<2x8x64x32xf32>
  return
}

// CHECK-LABEL: func @feature_maps
func.func @feature_maps(%x: tensor<2x8x?x16xf32>, %h: tensor<2x8x?x16xbf16>,
                        %w: tensor<24x16xf32>, %wh: tensor<8x24x16xf32>,
                        %y: tensor<2x?x8x16xf16>, %p: tensor<i64>) {
  // CHECK: attn.feature_map %{{.*}}, #attn.identity : tensor<2x8x?x16xbf16> -> tensor<2x8x?x16xf32>
  %0 = attn.feature_map %h, #attn.identity : tensor<2x8x?x16xbf16> -> tensor<2x8x?x16xf32>
  // CHECK: #attn.elu1 :
  %1 = attn.feature_map %x, #attn.elu1 : tensor<2x8x?x16xf32> -> tensor<2x8x?x16xf32>
  // CHECK: #attn.relu :
  %2 = attn.feature_map %x, #attn.relu : tensor<2x8x?x16xf32> -> tensor<2x8x?x16xf64>
  // CHECK: #attn.exp stabilize = token :
  %3 = attn.feature_map %x, #attn.exp stabilize = token : tensor<2x8x?x16xf32> -> tensor<2x8x?x16xf32>
  // CHECK: #attn.squared_relu :
  %4 = attn.feature_map %x, #attn.squared_relu : tensor<2x8x?x16xf32> -> tensor<2x8x?x16xf32>
  // CHECK: #attn.hedgehog : tensor<2x8x?x16xf32> -> tensor<2x8x?x32xf32>
  %5 = attn.feature_map %x, #attn.hedgehog : tensor<2x8x?x16xf32> -> tensor<2x8x?x32xf32>
  // CHECK: #attn.hedgehog(%{{.*}} : tensor<8x24x16xf32>) : tensor<2x8x?x16xf32> -> tensor<2x8x?x48xf32>
  %6 = attn.feature_map %x, #attn.hedgehog(%wh : tensor<8x24x16xf32>) : tensor<2x8x?x16xf32> -> tensor<2x8x?x48xf32>
  // CHECK: #attn.favor(%{{.*}} : tensor<24x16xf32>) stabilize = sequence : tensor<2x8x?x16xf32> -> tensor<2x8x?x24xf32>
  %7 = attn.feature_map %x, #attn.favor(%w : tensor<24x16xf32>) stabilize = sequence : tensor<2x8x?x16xf32> -> tensor<2x8x?x24xf32>
  // CHECK: #attn.cosformer<max_len = 4096> start(%{{.*}} : tensor<i64>) : tensor<2x8x?x16xf32> -> tensor<2x8x?x32xf32>
  %83 = attn.feature_map %x, #attn.cosformer<max_len = 4096> start(%p : tensor<i64>) : tensor<2x8x?x16xf32> -> tensor<2x8x?x32xf32>
  // CHECK: #attn.cosformer<max_len = 4096> token_dim = 1 : tensor<2x?x8x16xf16> -> tensor<2x?x8x32xf32>
  %8 = attn.feature_map %y, #attn.cosformer<max_len = 4096> token_dim = 1 : tensor<2x?x8x16xf16> -> tensor<2x?x8x32xf32>
  // CHECK: #attn.taylor2 : tensor<2x8x?x16xf32> -> tensor<2x8x?x273xf32>
  %9 = attn.feature_map %x, #attn.taylor2 : tensor<2x8x?x16xf32> -> tensor<2x8x?x273xf32>
  // Features before tokens, and a discardable attribute.
  // CHECK: #attn.elu1 token_dim = 3 feature_dim = 2 {note = "turned"} : tensor<2x8x?x16xf32>
  %10 = attn.feature_map %x, #attn.elu1 token_dim = 3 feature_dim = 2 {note = "turned"} : tensor<2x8x?x16xf32> -> tensor<2x8x?x16xf32>
  return
}

// CHECK-LABEL: func @own_map
func.func @own_map(%x: tensor<2x8x?x16xbf16>, %alpha: f32) {
  // CHECK: attn.feature_map %{{.*}} {
  // CHECK-NEXT: ^bb0(%[[E:.*]]: f32):
  // CHECK-NEXT:   %[[S:.*]] = arith.mulf %[[E]], %{{.*}} : f32
  // CHECK-NEXT:   %[[T:.*]] = math.tanh %[[S]] : f32
  // CHECK-NEXT:   attn.yield %[[T]] : f32
  // CHECK-NEXT: } token_dim = 2 stabilize = token : tensor<2x8x?x16xbf16> -> tensor<2x8x?x16xf32>
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    %s = arith.mulf %e, %alpha : f32
    %t = math.tanh %s : f32
    attn.yield %t : f32
  } token_dim = 2 stabilize = token : tensor<2x8x?x16xbf16> -> tensor<2x8x?x16xf32>
  return
}

// CHECK-LABEL: func @scale
func.func @scale(%f64: tensor<?xf64>, %f32: tensor<f32>, %f16: tensor<4x?xf16>,
                 %bf16: tensor<0x4xbf16>) {
  // CHECK: attn.scale %{{.*}} by 1.250000e-01 : tensor<?xf64> -> tensor<?xf64>
  %0 = attn.scale %f64 by 0.125 : tensor<?xf64> -> tensor<?xf64>
  // CHECK: attn.scale %{{.*}} by -3.000000e+00 : tensor<f32> -> tensor<f64>
  %1 = attn.scale %f32 by -3.0 : tensor<f32> -> tensor<f64>
  // CHECK: attn.scale %{{.*}} by 0.000000e+00 : tensor<4x?xf16> -> tensor<4x?xf32>
  %2 = attn.scale %f16 by 0.0 : tensor<4x?xf16> -> tensor<4x?xf32>
  // CHECK: attn.scale %{{.*}} by 0.69999999999999996 : tensor<0x4xbf16> -> tensor<0x4xf32>
  %3 = attn.scale %bf16 by 0.7 : tensor<0x4xbf16> -> tensor<0x4xf32>
  return
}

// CHECK-LABEL: func @masks
func.func @masks(%s: tensor<2x8x?x?xf32>, %cu: tensor<5xi32>, %ck: tensor<?xi64>,
                 %m: tensor<?x?xi1>, %b: tensor<2x1x?x?xi1>) {
  // CHECK: attn.mask %{{.*}}, #attn.full else 0.000000e+00 : tensor<2x8x?x?xf32>
  %0 = attn.mask %s, #attn.full else 0.0 : tensor<2x8x?x?xf32>
  // CHECK: #attn.causal else -inf
  %1 = attn.mask %s, #attn.causal else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.causal<offset = -32> else -inf
  %2 = attn.mask %s, #attn.causal<offset = -32> else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.strictly_causal else 0.000000e+00
  %3 = attn.mask %s, #attn.strictly_causal else 0.0 : tensor<2x8x?x?xf32>
  // CHECK: #attn.sliding_window<left = 255, right = 0> else -inf
  %4 = attn.mask %s, #attn.sliding_window<left = 255, right = 0> else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.packed(%{{.*}} : tensor<5xi32>) else -inf
  %5 = attn.mask %s, #attn.packed(%cu : tensor<5xi32>) else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.packed(%{{.*}}, %{{.*}} : tensor<5xi32>, tensor<?xi64>) else -inf
  %6 = attn.mask %s, #attn.packed(%cu, %ck : tensor<5xi32>, tensor<?xi64>) else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.dense(%{{.*}} : tensor<?x?xi1>) else -inf
  %7 = attn.mask %s, #attn.dense(%m : tensor<?x?xi1>) else -inf : tensor<2x8x?x?xf32>
  // CHECK: #attn.dense(%{{.*}} : tensor<2x1x?x?xi1>) else 0.000000e+00
  %8 = attn.mask %s, #attn.dense(%b : tensor<2x1x?x?xi1>) else 0.0 : tensor<2x8x?x?xf32>
  return
}

// CHECK-LABEL: func @rows
func.func @rows(%s: tensor<2x8x?x?xf32>, %d: tensor<0x1xf64>, %w: tensor<256x64xf32>) {
  // CHECK: attn.softmax %{{.*}} : tensor<2x8x?x?xf32>
  %0 = attn.softmax %s : tensor<2x8x?x?xf32>
  // CHECK: attn.softmax %{{.*}} approximated_by #attn.elu1 : tensor<2x8x?x?xf32>
  %1 = attn.softmax %s approximated_by #attn.elu1 : tensor<2x8x?x?xf32>
  // CHECK: attn.softmax %{{.*}} approximated_by #attn.favor(%{{.*}} : tensor<256x64xf32>) : tensor<2x8x?x?xf32>
  %2 = attn.softmax %s approximated_by #attn.favor(%w : tensor<256x64xf32>) : tensor<2x8x?x?xf32>
  // CHECK: attn.normalize %{{.*}} : tensor<0x1xf64>
  %3 = attn.normalize %d : tensor<0x1xf64>
  // CHECK: attn.normalize %{{.*}} eps 9.9999999999999995E-7 : tensor<2x8x?x?xf32>
  %4 = attn.normalize %s eps 1.0e-6 : tensor<2x8x?x?xf32>
  return
}

// CHECK-LABEL: func @columns
func.func @columns(%v: tensor<2x8x?x64xbf16>, %x: tensor<2x9x?x65xf32>) {
  // CHECK: attn.append_ones %{{.*}} : tensor<2x8x?x64xbf16> -> tensor<2x8x?x65xf32>
  %0 = attn.append_ones %v : tensor<2x8x?x64xbf16> -> tensor<2x8x?x65xf32>
  // CHECK: attn.append_ones %{{.*}} dim 1 : tensor<2x8x?x64xbf16> -> tensor<2x9x?x64xf32>
  %1 = attn.append_ones %v dim 1 : tensor<2x8x?x64xbf16> -> tensor<2x9x?x64xf32>
  // CHECK: attn.divide_by_last %{{.*}} : tensor<2x9x?x65xf32> -> tensor<2x9x?x64xf32>
  %2 = attn.divide_by_last %x : tensor<2x9x?x65xf32> -> tensor<2x9x?x64xf32>
  // CHECK: attn.divide_by_last %{{.*}} dim 1 eps 1.000000e-03 : tensor<2x9x?x65xf32> -> tensor<2x8x?x65xf32>
  %3 = attn.divide_by_last %x dim 1 eps 1.0e-3 : tensor<2x9x?x65xf32> -> tensor<2x8x?x65xf32>
  return
}

// CHECK-LABEL: func @floors
func.func @floors(%s: tensor<2x?x?xf32>, %x: tensor<2x?x65xf32>, %y: tensor<2x?x64xf32>,
                  %m: tensor<2x?xf32>, %l: tensor<2x?x64xf32>, %w: tensor<256x64xf32>) {
  // CHECK: attn.normalize %{{.*}} floor 1.000000e+00 eps 5.000000e-01 : tensor<2x?x?xf32>
  %0 = attn.normalize %s floor 1.0 eps 0.5 : tensor<2x?x?xf32>
  // CHECK: attn.divide_by_last %{{.*}} floor 1.000000e+00 log_scale(%{{.*}} : tensor<2x?xf32>) : tensor<2x?x65xf32> -> tensor<2x?x64xf32>
  %1 = attn.divide_by_last %x floor 1.0 log_scale(%m : tensor<2x?xf32>) : tensor<2x?x65xf32> -> tensor<2x?x64xf32>
  // CHECK: attn.divide %{{.*}}, %{{.*}} : tensor<2x?x64xf32>
  %2 = attn.divide %y, %y : tensor<2x?x64xf32>
  // CHECK: attn.divide %{{.*}}, %{{.*}} floor 1.000000e+00 eps 5.000000e-01 log_scale(%{{.*}} : tensor<2x?x64xf32>) : tensor<2x?x64xf32>
  %3 = attn.divide %y, %y floor 1.0 eps 0.5 log_scale(%l : tensor<2x?x64xf32>) : tensor<2x?x64xf32>
  // CHECK: attn.feature_scale %{{.*}}, #attn.exp : tensor<2x?x64xf32> -> tensor<2x?xf32>
  %4 = attn.feature_scale %y, #attn.exp : tensor<2x?x64xf32> -> tensor<2x?xf32>
  // CHECK: attn.feature_scale %{{.*}}, #attn.favor(%{{.*}} : tensor<256x64xf32>) token_dim = 0 feature_dim = 2 : tensor<2x?x64xf32> -> tensor<2x?xf32>
  %5 = attn.feature_scale %y, #attn.favor(%w : tensor<256x64xf32>) token_dim = 0 feature_dim = 2 : tensor<2x?x64xf32> -> tensor<2x?xf32>
  return
}

// CHECK-LABEL: func @gates_and_norms
func.func @gates_and_norms(%x: tensor<?x64xf32>, %a: tensor<8xf32>) {
  // CHECK: #attn.sigmoid
  %0 = attn.feature_map %x, #attn.sigmoid : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: #attn.log_sigmoid
  %1 = attn.feature_map %x, #attn.log_sigmoid : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: #attn.softplus
  %2 = attn.feature_map %x, #attn.softplus : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: #attn.silu
  %3 = attn.feature_map %x, #attn.silu : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: #attn.negative_exp : tensor<8xf32> -> tensor<8xf32>
  %4 = attn.feature_map %a, #attn.negative_exp : tensor<8xf32> -> tensor<8xf32>
  // CHECK: #attn.l2_norm : tensor<?x64xf32>
  %5 = attn.feature_map %x, #attn.l2_norm<eps = 1.0e-6> : tensor<?x64xf32> -> tensor<?x64xf32>
  // CHECK: #attn.l2_norm<eps = 5.000000e-01> : tensor<?x64xf32>
  %6 = attn.feature_map %x, #attn.l2_norm<eps = 0.5> : tensor<?x64xf32> -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: func @decays
func.func @decays(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %g: tensor<2x8x?xf32>,
                  %w: tensor<8x64xf32>, %i: tensor<2x2x?xf32>, %x: tensor<2x?x32xf32>, %y: tensor<2x?x16xf32>,
                  %a: tensor<32x16xf32>) {
  // CHECK: attn.causal_score %{{.*}}, %{{.*}} : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  %0 = attn.causal_score %q, %k : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: attn.causal_score %{{.*}}, %{{.*}} decay(%{{.*}} : tensor<2x8x?xf32>) unbounded strict : tensor
  %1 = attn.causal_score %q, %q decay(%g : tensor<2x8x?xf32>) unbounded strict : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: attn.causal_score %{{.*}}, %{{.*}} decay(%{{.*}} "hd" : tensor<8x64xf32>) exclusive bonus(%{{.*}} : tensor<8x64xf32>) : tensor
  %2 = attn.causal_score %q, %q decay(%w "hd" : tensor<8x64xf32>) exclusive bonus(%w : tensor<8x64xf32>) : tensor<2x8x?x64xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: attn.causal_score %{{.*}}, %{{.*}} subscripts "b(gr)nd,bgmd->b(gr)nm" log_gate(%{{.*}} "bgm" : tensor<2x2x?xf32>) : tensor
  %3 = attn.causal_score %q, %k subscripts "b(gr)nd,bgmd->b(gr)nm" log_gate(%i "bgm" : tensor<2x2x?xf32>) : tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32> -> tensor<2x8x?x?xf32>
  // CHECK: attn.causal_score %{{.*}}, %{{.*}} subscripts "bnd,bmd->bvnm" decay(%{{.*}} "vd" : tensor<32x16xf32>) : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x32x?x?xf32>
  %4 = attn.causal_score %y, %y subscripts "bnd,bmd->bvnm" decay(%a "vd" : tensor<32x16xf32>) : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x32x?x?xf32>
  // CHECK: attn.gate %{{.*}}, %{{.*}} in [0.000000e+00, 1.000000e+00] : tensor<2x8x?x64xf32>, tensor<2x8x?xf32> -> tensor<2x8x?x64xf32>
  %5 = attn.gate %q, %g in [0.0, 1.0] : tensor<2x8x?x64xf32>, tensor<2x8x?xf32> -> tensor<2x8x?x64xf32>
  // CHECK: attn.gate %{{.*}}, %{{.*}} subscripts "btc,cd->btcd" : tensor<2x?x32xf32>, tensor<32x16xf32> -> tensor<2x?x32x16xf32>
  %6 = attn.gate %x, %a subscripts "btc,cd->btcd" : tensor<2x?x32xf32>, tensor<32x16xf32> -> tensor<2x?x32x16xf32>
  // CHECK: attn.solve %{{.*}}, %{{.*}} : tensor<2x8x?x?xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>
  %7 = attn.solve %1, %q : tensor<2x8x?x?xf32>, tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>
  // CHECK: attn.solve %{{.*}}, %{{.*}} subscripts "bhnm,bhmv->bnhv" : tensor<2x8x?x?xf32>, tensor<2x8x?x64xf32> -> tensor<2x?x8x64xf32>
  %8 = attn.solve %1, %q subscripts "bhnm,bhmv->bnhv" : tensor<2x8x?x?xf32>, tensor<2x8x?x64xf32> -> tensor<2x?x8x64xf32>
  // CHECK: attn.expand_steps %{{.*}} steps 2 : tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>
  %9 = attn.expand_steps %q steps 2 : tensor<2x8x?x64xf32> -> tensor<2x8x?x64xf32>
  // CHECK: attn.take_steps %{{.*}} steps 2 token_dim = 1 : tensor<2x8x?x64xf32> -> tensor<2x4x?x64xf32>
  %10 = attn.take_steps %q steps 2 token_dim = 1 : tensor<2x8x?x64xf32> -> tensor<2x4x?x64xf32>
  return
}

// CHECK-LABEL: func @recurrences
func.func @recurrences(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x32xf32>,
                       %x: tensor<2x2x?x64xf32>, %y: tensor<2x2x?x32xf32>, %g: tensor<2x2x?xf32>,
                       %w: tensor<2x2x?x64xf32>, %u: tensor<8x64xf32>, %i: tensor<2x2x?xf32>,
                       %s: tensor<2x2x64x32xf32>, %m: tensor<2x2xf32>, %t: tensor<5x2x2x64x32xf32>,
                       %cu: tensor<6xi32>) {
  // CHECK: attn.recurrence #attn.no_decay read(%{{.*}} "b(gr)nd" current) write(%{{.*}} "bgnd", %{{.*}} "bgnv") -> "b(gr)nv" : (
  %0 = attn.recurrence #attn.no_decay read(%q "b(gr)nd" current) write(%k "bgnd", %v "bgnv") -> "b(gr)nv" : (tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>) -> tensor<2x8x?x32xf32>
  // Two pairs, a decay a channel, a bonus, in a form.
  // CHECK: attn.recurrence #attn.diagonal_decay by(%{{.*}} "bgnd") read(%{{.*}} "b(gr)nd" previous) write(%{{.*}} "bgnd", %{{.*}} "bgnv") write(%{{.*}} "bgnd", %{{.*}} "bgnv") bonus(%{{.*}} "(gr)d") as recurrent -> "b(gr)nv" : (
  %1 = attn.recurrence #attn.diagonal_decay by(%w "bgnd") read(%q "b(gr)nd" previous) write(%k "bgnd", %v "bgnv") write(%x "bgnd", %y "bgnv") bonus(%u "(gr)d") as recurrent -> "b(gr)nv" : (tensor<2x2x?x64xf32>, tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>, tensor<2x2x?x32xf32>, tensor<8x64xf32>) -> tensor<2x8x?x32xf32>
  // A running maximum, from a state to a state.
  // CHECK: attn.recurrence #attn.scalar_decay by(%{{.*}} "bgn") read(%{{.*}} "b(gr)nd" current) write(%{{.*}} "bgnd", %{{.*}} "bgnv") log_gate(%{{.*}} "bgn") state(%{{.*}} "bgdv") max(%{{.*}} "bg") -> "b(gr)nv", log_scale "bgn", state "bgdv", max "bg" : (
  %2:4 = attn.recurrence #attn.scalar_decay by(%g "bgn") read(%q "b(gr)nd" current) write(%k "bgnd", %v "bgnv") log_gate(%i "bgn") state(%s "bgdv") max(%m "bg") -> "b(gr)nv", log_scale "bgn", state "bgdv", max "bg" : (tensor<2x2x?xf32>, tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>, tensor<2x2x?xf32>, tensor<2x2x64x32xf32>, tensor<2x2xf32>) -> (tensor<2x8x?x32xf32>, tensor<2x2x?xf32>, tensor<2x2x64x32xf32>, tensor<2x2xf32>)
  // An erasure, in chunks, packed.
  // CHECK: attn.recurrence #attn.no_decay read(%{{.*}} "b(gr)nd" current) erase(%{{.*}} "bgnd", %{{.*}} "bgnd", %{{.*}} "bgnv" decayed) state(%{{.*}} "sbgdv") packed(%{{.*}}) as chunkwise 64 -> "b(gr)nv", state "sbgdv" : (
  %3:2 = attn.recurrence #attn.no_decay read(%q "b(gr)nd" current) erase(%k "bgnd", %x "bgnd", %v "bgnv" decayed) state(%t "sbgdv") packed(%cu) as chunkwise 64 -> "b(gr)nv", state "sbgdv" : (tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>, tensor<5x2x2x64x32xf32>, tensor<6xi32>) -> (tensor<2x8x?x32xf32>, tensor<5x2x2x64x32xf32>)
  // CHECK: attn.scan inputs(%{{.*}} "bgnd", %{{.*}} "bgnv") state(%{{.*}}) over "bgdv" {
  // CHECK: attn.yield %{{.*}}, %{{.*}} : tensor<64x32xf32>, tensor<32xf32>
  // CHECK: } -> "bgnv", state : (
  %4:2 = attn.scan inputs(%k "bgnd", %v "bgnv") state(%s) over "bgdv" {
  ^bb0(%a: tensor<64x32xf32>, %b: tensor<64xf32>, %c: tensor<32xf32>):
    %d = attn.gate %a, %b subscripts "dv,d->dv" : tensor<64x32xf32>, tensor<64xf32> -> tensor<64x32xf32>
    attn.yield %d, %c : tensor<64x32xf32>, tensor<32xf32>
  } -> "bgnv", state : (tensor<2x2x?x64xf32>, tensor<2x2x?x32xf32>, tensor<2x2x64x32xf32>) -> (tensor<2x2x?x32xf32>, tensor<2x2x64x32xf32>)
  return
}
