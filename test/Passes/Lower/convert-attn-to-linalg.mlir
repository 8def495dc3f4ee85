// RUN: attn-opt %s --split-input-file --convert-attn-to-linalg --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --split-input-file --convert-attn-to-linalg --canonicalize --cse | FileCheck %s --check-prefix=NOTHING-LEFT --implicit-check-not=attn.
// NOTHING-LEFT: func @softmax

// Softmax between two products in its online form: one loop over keys carries
// the sums, the row sums and the row maxima; nothing is as wide as the scores.
// CHECK-LABEL: func @softmax
// CHECK-SAME: %[[Q:.*]]: tensor<8x256x64xf32>, %[[K:.*]]: tensor<8x256x64xf32>, %[[V:.*]]: tensor<8x256x32xf32>
// CHECK-NOT: tensor<{{.*}}256x256xf32>
// CHECK: scf.forall {{.*}}shared_outs({{.*}}) -> (tensor<8x256x32xf32>)
// CHECK: linalg.fill ins(%{{.*}}) outs(%{{.*}} : tensor<64x32xf32>)
// CHECK: %[[LOOP:.*]]:3 = scf.for {{.*}} -> (tensor<64x32xf32>, tensor<64xf32>, tensor<64xf32>)
// s = Q K^T
// CHECK: linalg.contract {{.*}} outs(%{{.*}} : tensor<64x64xf32>)
// The tile's maximum, the factor e^(m - m'), which all sums are multiplied by.
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK: arith.mulf
// p = e^(s - m'), its row sums, and acc += p V
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: linalg.contract {{.*}} outs(%{{.*}} : tensor<64x32xf32>)
// CHECK: scf.yield {{.*}} : tensor<64x32xf32>, tensor<64xf32>, tensor<64xf32>
// CHECK: linalg.generic {{.*}} ins(%[[LOOP]]#0, %[[LOOP]]#1
// CHECK: arith.divf
// CHECK: tensor.parallel_insert_slice
// CHECK-NOT: scf.for
func.func @softmax(%q: tensor<8x256x64xf32>, %k: tensor<8x256x64xf32>, %v: tensor<8x256x32xf32>) -> tensor<8x256x32xf32> {
  %s = attn.score %q, %k : tensor<8x256x64xf32>, tensor<8x256x64xf32> -> tensor<8x256x256xf32>
  %p = attn.softmax %s : tensor<8x256x256xf32>
  %o = attn.apply %p, %v : tensor<8x256x256xf32>, tensor<8x256x32xf32> -> tensor<8x256x32xf32>
  return %o : tensor<8x256x32xf32>
}

// -----

// The quadratic form, causal: keys end at the tile of the last query, the mask
// is a predicate on indices, and the row sums are divided by after the loop.
// CHECK-DAG: #[[END:.*]] = affine_map<(d0) -> ({{.*}}ceildiv 64{{.*}})>
// CHECK-LABEL: func @causal
// CHECK: scf.forall (%[[I:[a-z0-9]+]]) =
// CHECK: %[[HI:.*]] = affine.{{min|max|apply}} #{{.*}}(%[[I]])
// CHECK: %[[LOOP:.*]]:2 = scf.for {{.*}} -> (tensor<64x64xf32>, tensor<64xf32>)
// CHECK-NOT: math.exp
// CHECK: linalg.index 0
// CHECK: linalg.index 1
// CHECK: arith.cmpi sle
// CHECK: arith.select
// CHECK: scf.yield {{.*}} : tensor<64x64xf32>, tensor<64xf32>
// CHECK: ins(%[[LOOP]]#0, %[[LOOP]]#1
// CHECK: arith.divf
func.func @causal(%q: tensor<256x64xf32>, %k: tensor<256x64xf32>, %v: tensor<256x64xf32>) -> tensor<256x64xf32> {
  %s = attn.score %q, %k : tensor<256x64xf32>, tensor<256x64xf32> -> tensor<256x256xf32>
  %m = attn.mask %s, #attn.causal else 0.0 : tensor<256x256xf32>
  %p = attn.normalize %m : tensor<256x256xf32>
  %o = attn.apply %p, %v : tensor<256x256xf32>, tensor<256x64xf32> -> tensor<256x64xf32>
  return %o : tensor<256x64xf32>
}

// -----

// A sliding window bounds the keys on both sides.
// CHECK-LABEL: func @window
// CHECK: scf.forall (%[[I:[a-z0-9]+]]) =
// CHECK-DAG: affine.max
// CHECK-DAG: affine.min
// CHECK: scf.for %{{.*}} = %[[LO:[^c].*]] to %
// CHECK: arith.cmpi sge
// CHECK: arith.cmpi sle
func.func @window(%q: tensor<1024x64xf32>, %k: tensor<1024x64xf32>, %v: tensor<1024x64xf32>) -> tensor<1024x64xf32> {
  %s = attn.score %q, %k : tensor<1024x64xf32>, tensor<1024x64xf32> -> tensor<1024x1024xf32>
  %m = attn.mask %s, #attn.sliding_window<left = 100, right = 3> else -inf : tensor<1024x1024xf32>
  %p = attn.softmax %m : tensor<1024x1024xf32>
  %o = attn.apply %p, %v : tensor<1024x1024xf32>, tensor<1024x64xf32> -> tensor<1024x64xf32>
  return %o : tensor<1024x64xf32>
}

// -----

// The state phi(K)^T [V 1] of linear attention is computed once, its column of
// ones as sums of features; every tile of queries reads it.
// CHECK-LABEL: func @state
// CHECK-SAME: %[[Q:.*]]: tensor<8x256x64xf32>, %[[K:.*]]: tensor<8x256x64xf32>
// CHECK: %[[STATE:.*]] = scf.forall {{.*}} -> (tensor<8x64x33xf32>)
// CHECK: scf.for {{.*}} -> (tensor<64x32xf32>, tensor<64xf32>)
// CHECK: tensor.extract_slice %[[K]]
// CHECK: math.exp
// CHECK: linalg.contract {{.*}} outs(%{{.*}} : tensor<64x32xf32>)
// CHECK: tensor.insert_slice
// CHECK: tensor.parallel_insert_slice {{.*}} : tensor<64x33xf32> into tensor<8x64x33xf32>
// CHECK: scf.forall {{.*}} -> (tensor<8x256x32xf32>)
// CHECK-NOT: scf.for
// CHECK-DAG: tensor.extract_slice %[[Q]]
// CHECK-DAG: tensor.extract_slice %[[STATE]]
// CHECK: arith.divf
func.func @state(%q: tensor<8x256x64xf32>, %k: tensor<8x256x64xf32>, %v: tensor<8x256x32xf32>) -> tensor<8x256x32xf32> {
  %fk = attn.feature_map %k, #attn.elu1 : tensor<8x256x64xf32> -> tensor<8x256x64xf32>
  %v1 = attn.append_ones %v : tensor<8x256x32xf32> -> tensor<8x256x33xf32>
  %s = attn.contract %fk, %v1 subscripts "hmd,hmv->hdv" : tensor<8x256x64xf32>, tensor<8x256x33xf32> -> tensor<8x64x33xf32>
  %x = attn.contract %q, %s subscripts "hnd,hdv->hnv" : tensor<8x256x64xf32>, tensor<8x64x33xf32> -> tensor<8x256x33xf32>
  %o = attn.divide_by_last %x : tensor<8x256x33xf32> -> tensor<8x256x32xf32>
  return %o : tensor<8x256x32xf32>
}

// -----

// Grouped heads (g r): head h reads keys and values of h floordiv 4.
// CHECK-DAG: #[[GROUP:.*]] = affine_map<(d0) -> (d0 floordiv 4)>
// CHECK-LABEL: func @grouped
// CHECK-SAME: %[[Q:.*]]: tensor<8x64x64xf32>, %[[K:.*]]: tensor<2x64x64xf32>, %[[V:.*]]: tensor<2x64x64xf32>
// CHECK: scf.forall (%[[H:[a-z0-9]+]]) in (8)
// CHECK: %[[G:.*]] = affine.apply #[[GROUP]](%[[H]])
// CHECK-DAG: tensor.extract_slice %[[K]][%[[G]], 0, 0]
// CHECK-DAG: tensor.extract_slice %[[V]][%[[G]], 0, 0]
func.func @grouped(%q: tensor<8x64x64xf32>, %k: tensor<2x64x64xf32>, %v: tensor<2x64x64xf32>) -> tensor<8x64x64xf32> {
  %s = attn.score %q, %k : tensor<8x64x64xf32>, tensor<2x64x64xf32> -> tensor<8x64x64xf32>
  %o = attn.apply %s, %v : tensor<8x64x64xf32>, tensor<2x64x64xf32> -> tensor<8x64x64xf32>
  return %o : tensor<8x64x64xf32>
}

// -----

// Tokens before heads: tiles are slices across the heads, [tokens, features] as
// they lie. Only K of Q K^T is turned, as in any layout.
// CHECK-LABEL: func @tokens_first
// CHECK-SAME: %[[Q:.*]]: tensor<1x128x4x64xf32>, %[[K:.*]]: tensor<1x128x4x64xf32>, %[[V:.*]]: tensor<1x128x4x32xf32>
// CHECK: scf.forall (%[[I:[a-z0-9]+]], %[[H:[a-z0-9]+]]) =
// CHECK-DAG: %[[QT:.*]] = tensor.extract_slice %[[Q]][0, %[[I]], %[[H]], 0] [1, 64, 1, 64]
// CHECK-DAG: %[[KT:.*]] = tensor.extract_slice %[[K]][0, %{{.*}}, %[[H]], 0] [1, 64, 1, 64]
// CHECK: linalg.transpose ins(%[[KT]]
// CHECK: linalg.contract {{.*}} ins(%[[QT]],
// CHECK-NOT: linalg.transpose
// CHECK: %[[VT:.*]] = tensor.extract_slice %[[V]][0, %{{.*}}, %[[H]], 0] [1, 64, 1, 32]
// CHECK: linalg.contract {{.*}}, %[[VT]] :
// CHECK: tensor.parallel_insert_slice {{.*}}[0, %[[I]], %[[H]], 0] [1, 64, 1, 32]
func.func @tokens_first(%q: tensor<1x128x4x64xf32>, %k: tensor<1x128x4x64xf32>, %v: tensor<1x128x4x32xf32>) -> tensor<1x128x4x32xf32> {
  %s = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : tensor<1x128x4x64xf32>, tensor<1x128x4x64xf32> -> tensor<1x4x128x128xf32>
  %o = attn.apply %s, %v subscripts "bhnm,bmhv->bnhv" : tensor<1x4x128x128xf32>, tensor<1x128x4x32xf32> -> tensor<1x128x4x32xf32>
  return %o : tensor<1x128x4x32xf32>
}

// -----

// Static sizes are one size of tile and what it leaves: 3 * 64 + 8.
// CHECK-LABEL: func @static_sizes
// CHECK: scf.forall {{.*}} (192{{.*}} step (64
// CHECK: tensor.parallel_insert_slice {{.*}} : tensor<64x4xf32> into tensor<200x4xf32>
// CHECK: insert_slice {{.*}}[192, 0]{{.*}} : tensor<8x4xf32> into tensor<200x4xf32>
// CHECK-NOT: tensor<1x4xf32>
// CHECK: return
func.func @static_sizes(%x: tensor<200x4xf32>) -> tensor<200x4xf32> {
  %f = attn.feature_map %x, #attn.relu : tensor<200x4xf32> -> tensor<200x4xf32>
  return %f : tensor<200x4xf32>
}

// -----

// Dynamic sizes end in tiles of one token.
// CHECK-LABEL: func @dynamic_sizes
// CHECK: tensor.parallel_insert_slice {{.*}} : tensor<64x4xf32> into tensor<?x4xf32>
// CHECK: tensor.parallel_insert_slice {{.*}} : tensor<1x4xf32> into tensor<?x4xf32>
// CHECK-NOT: scf.forall
func.func @dynamic_sizes(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %f = attn.feature_map %x, #attn.relu : tensor<?x4xf32> -> tensor<?x4xf32>
  return %f : tensor<?x4xf32>
}

// -----

// A dense mask is read in tiles, at the batch and broadcast as its shape says.
// CHECK-LABEL: func @dense
// CHECK-SAME: %[[B:[a-z0-9]*]]: tensor<4x1x128xi1>
// CHECK: scf.forall (%[[H:[a-z0-9]+]], %[[I:[a-z0-9]+]]) =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK: tensor.extract_slice %[[B]][%[[H]], 0, %[[J]]] [1, 1, 64] [1, 1, 1] : tensor<4x1x128xi1> to tensor<64xi1>
// CHECK: arith.select
func.func @dense(%q: tensor<4x128x8xf32>, %k: tensor<4x128x8xf32>, %v: tensor<4x128x8xf32>, %b: tensor<4x1x128xi1>) -> tensor<4x128x8xf32> {
  %s = attn.score %q, %k : tensor<4x128x8xf32>, tensor<4x128x8xf32> -> tensor<4x128x128xf32>
  %m = attn.mask %s, #attn.dense(%b : tensor<4x1x128xi1>) else 0.0 : tensor<4x128x128xf32>
  %o = attn.apply %m, %v : tensor<4x128x128xf32>, tensor<4x128x8xf32> -> tensor<4x128x8xf32>
  return %o : tensor<4x128x8xf32>
}

// -----

// A packed mask looks the segments of all tokens up once, before all loops.
// CHECK-LABEL: func @packed
// CHECK-SAME: %[[CU:[a-z0-9]*]]: tensor<5xi32>
// CHECK: %[[CU]]
// CHECK: scf.forall (%[[H:[a-z0-9]+]], %[[I:[a-z0-9]+]]) =
// CHECK-NOT: %[[CU]]
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK: tensor.extract_slice %{{.*}}[%[[I]]] [64] [1] : tensor<128x[[INT:i[0-9]+|index]]> to tensor<64x[[INT]]>
// CHECK: tensor.extract_slice %{{.*}}[%[[J]]] [64] [1] : tensor<128x[[INT]]> to tensor<64x[[INT]]>
// CHECK: arith.select
func.func @packed(%q: tensor<4x128x8xf32>, %k: tensor<4x128x8xf32>, %v: tensor<4x128x8xf32>, %cu: tensor<5xi32>) -> tensor<4x128x8xf32> {
  %s = attn.score %q, %k : tensor<4x128x8xf32>, tensor<4x128x8xf32> -> tensor<4x128x128xf32>
  %m = attn.mask %s, #attn.packed(%cu : tensor<5xi32>) else 0.0 : tensor<4x128x128xf32>
  %o = attn.apply %m, %v : tensor<4x128x128xf32>, tensor<4x128x8xf32> -> tensor<4x128x8xf32>
  return %o : tensor<4x128x8xf32>
}

// -----

// stabilize = token subtracts a row's maximum before exp; stabilize = sequence
// carries a maximum through the loop over keys and rescales the sums by it.
// CHECK-LABEL: func @stabilized
// CHECK: scf.for {{.*}} -> (tensor<8x8xf32>, tensor<8xf32>, f32)
// CHECK: arith.maximumf
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK: scf.yield {{.*}} : tensor<8x8xf32>, tensor<8xf32>, f32
// CHECK: scf.forall
// CHECK: arith.maximumf
// CHECK: arith.subf
// CHECK-NEXT: math.exp
// CHECK: arith.divf
func.func @stabilized(%q: tensor<128x8xf32>, %k: tensor<128x8xf32>, %v: tensor<128x8xf32>) -> tensor<128x8xf32> {
  %fq = attn.feature_map %q, #attn.exp stabilize = token : tensor<128x8xf32> -> tensor<128x8xf32>
  %fk = attn.feature_map %k, #attn.exp stabilize = sequence : tensor<128x8xf32> -> tensor<128x8xf32>
  %v1 = attn.append_ones %v : tensor<128x8xf32> -> tensor<128x9xf32>
  %s = attn.contract %fk, %v1 subscripts "md,mv->dv" : tensor<128x8xf32>, tensor<128x9xf32> -> tensor<8x9xf32>
  %x = attn.contract %fq, %s subscripts "nd,dv->nv" : tensor<128x8xf32>, tensor<8x9xf32> -> tensor<128x9xf32>
  %o = attn.divide_by_last %x : tensor<128x9xf32> -> tensor<128x8xf32>
  return %o : tensor<128x8xf32>
}

// -----

// Without the permission there is no maximum.
// CHECK-LABEL: func @not_stabilized
// CHECK-NOT: arith.maximumf
// CHECK: math.exp
// CHECK-NOT: arith.maximumf
func.func @not_stabilized(%q: tensor<128x8xf32>) -> tensor<128x8xf32> {
  %fq = attn.feature_map %q, #attn.exp : tensor<128x8xf32> -> tensor<128x8xf32>
  return %fq : tensor<128x8xf32>
}

// -----

// 16 bits are widened tile by tile; argument attributes of the graph are gone.
// CHECK-LABEL: func @widened
// CHECK-SAME: (%[[K:.*]]: tensor<128x8xbf16>, %[[V:.*]]: tensor<128x8xbf16>)
// CHECK-NOT: tensor<128x8xf32>
// CHECK: scf.for {{.*}} -> (tensor<8x8xf32>)
// CHECK-DAG: tensor.extract_slice %[[K]]
// CHECK-DAG: arith.extf
// CHECK: linalg.contract
func.func @widened(%k: tensor<128x8xbf16> {attn.axes = "md"}, %v: tensor<128x8xbf16>) -> tensor<8x8xf32> {
  %s = attn.contract %k, %v subscripts "md,mv->dv" : tensor<128x8xbf16>, tensor<128x8xbf16> -> tensor<8x8xf32>
  return %s : tensor<8x8xf32>
}
