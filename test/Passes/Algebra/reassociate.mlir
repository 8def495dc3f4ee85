// RUN: attn-opt %s --attn-reassociate --split-input-file | FileCheck %s

// CHECK-LABEL: @linear
// CHECK-SAME: (%[[Q:.*]]: tensor<8x4096x64xf32>, %[[K:.*]]: tensor<8x4096x64xf32>, %[[V:.*]]: tensor<8x4096x32xf32>)
func.func @linear(%q: tensor<8x4096x64xf32>, %k: tensor<8x4096x64xf32>, %v: tensor<8x4096x32xf32>) -> tensor<8x4096x32xf32> {
  // CHECK-NEXT: %[[S:.*]] = attn.contract %[[K]], %[[V]] subscripts "hmd,hmv->hdv" : {{.*}} -> tensor<8x64x32xf32>
  // CHECK-NEXT: %[[O:.*]] = attn.contract %[[Q]], %[[S]] subscripts "hnd,hdv->hnv"
  // CHECK-NEXT: return %[[O]]
  %a = attn.score %q, %k : tensor<8x4096x64xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x4096xf32>
  %o = attn.apply %a, %v : tensor<8x4096x4096xf32>, tensor<8x4096x32xf32> -> tensor<8x4096x32xf32>
  return %o : tensor<8x4096x32xf32>
}

// -----

// The normaliser is a column of ones; its eps stays.
// CHECK-LABEL: @normalized
// CHECK-SAME: (%[[Q:.*]]: tensor<8x4096x64xbf16>, %[[K:.*]]: tensor<8x4096x64xbf16>, %[[V:.*]]: tensor<8x4096x64xbf16>)
func.func @normalized(%q: tensor<8x4096x64xbf16>, %k: tensor<8x4096x64xbf16>, %v: tensor<8x4096x64xbf16>) -> tensor<8x4096x64xf32> {
  // CHECK-NEXT: %[[V1:.*]] = attn.append_ones %[[V]] : tensor<8x4096x64xbf16> -> tensor<8x4096x65xf32>
  // CHECK-NEXT: %[[S:.*]] = attn.contract %[[K]], %[[V1]] subscripts "hmd,hmv->hdv" : {{.*}} -> tensor<8x64x65xf32>
  // CHECK-NEXT: %[[X:.*]] = attn.contract %[[Q]], %[[S]] subscripts "hnd,hdv->hnv"
  // CHECK-NEXT: %[[O:.*]] = attn.divide_by_last %[[X]] eps 5.000000e-01
  // CHECK-NEXT: return %[[O]]
  %a = attn.score %q, %k : tensor<8x4096x64xbf16>, tensor<8x4096x64xbf16> -> tensor<8x4096x4096xf32>
  %p = attn.normalize %a eps 5.000000e-01 : tensor<8x4096x4096xf32>
  %o = attn.apply %p, %v : tensor<8x4096x4096xf32>, tensor<8x4096x64xbf16> -> tensor<8x4096x64xf32>
  return %o : tensor<8x4096x64xf32>
}

// -----

// [B, N, H, D] without a copy; the value dimension is not the last one.
// CHECK-LABEL: @bnhd
// CHECK-SAME: (%[[Q:.*]]: tensor<2x4096x8x64xf32>, %[[K:.*]]: tensor<2x4096x8x64xf32>, %[[V:.*]]: tensor<2x4096x64x8xf32>)
func.func @bnhd(%q: tensor<2x4096x8x64xf32>, %k: tensor<2x4096x8x64xf32>, %v: tensor<2x4096x64x8xf32>) -> tensor<2x4096x64x8xf32> {
  // CHECK-NEXT: %[[V1:.*]] = attn.append_ones %[[V]] dim 2 : {{.*}} -> tensor<2x4096x65x8xf32>
  // CHECK-NEXT: %[[S:.*]] = attn.contract %[[K]], %[[V1]] subscripts "bmhd,bmvh->bhdv" : {{.*}} -> tensor<2x8x64x65xf32>
  // CHECK-NEXT: %[[X:.*]] = attn.contract %[[Q]], %[[S]] subscripts "bnhd,bhdv->bnvh"
  // CHECK-NEXT: attn.divide_by_last %[[X]] dim 2 : {{.*}} -> tensor<2x4096x64x8xf32>
  %a = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : tensor<2x4096x8x64xf32>, tensor<2x4096x8x64xf32> -> tensor<2x8x4096x4096xf32>
  %p = attn.normalize %a : tensor<2x8x4096x4096xf32>
  %o = attn.apply %p, %v subscripts "bhnm,bmvh->bnvh" : tensor<2x8x4096x4096xf32>, tensor<2x4096x64x8xf32> -> tensor<2x4096x64x8xf32>
  return %o : tensor<2x4096x64x8xf32>
}

// -----

// Grouped heads keep one state a key head; the scale goes to the state.
// CHECK-LABEL: @gqa
// CHECK-SAME: (%[[Q:.*]]: tensor<2x8x4096x64xf32>, %[[K:.*]]: tensor<2x2x4096x64xf32>, %[[V:.*]]: tensor<2x2x4096x32xf32>)
func.func @gqa(%q: tensor<2x8x4096x64xf32>, %k: tensor<2x2x4096x64xf32>, %v: tensor<2x2x4096x32xf32>) -> tensor<2x8x4096x32xf32> {
  // CHECK-NEXT: %[[S:.*]] = attn.contract %[[K]], %[[V]] subscripts "bgmd,bgmv->bgdv" : {{.*}} -> tensor<2x2x64x32xf32>
  // CHECK-NEXT: %[[C:.*]] = attn.scale %[[S]] by 1.250000e-01
  // CHECK-NEXT: attn.contract %[[Q]], %[[C]] subscripts "b(gr)nd,bgdv->b(gr)nv"
  %a = attn.score %q, %k : tensor<2x8x4096x64xf32>, tensor<2x2x4096x64xf32> -> tensor<2x8x4096x4096xf32>
  %s = attn.scale %a by 1.250000e-01 : tensor<2x8x4096x4096xf32> -> tensor<2x8x4096x4096xf32>
  %m = attn.mask %s, #attn.full else 0.0 : tensor<2x8x4096x4096xf32>
  %o = attn.apply %m, %v : tensor<2x8x4096x4096xf32>, tensor<2x2x4096x32xf32> -> tensor<2x8x4096x32xf32>
  return %o : tensor<2x8x4096x32xf32>
}

// -----

// A group on one side only: h of the second product is (gr) of the first one.
// CHECK-LABEL: @split_heads
func.func @split_heads(%q: tensor<8x4096x64xf32>, %k: tensor<2x4096x64xf32>, %v: tensor<8x4096x32xf32>) -> tensor<8x4096x32xf32> {
  // CHECK-NEXT: attn.contract %{{.*}}, %{{.*}} subscripts "gmd,(gr)mv->(gr)dv" : {{.*}} -> tensor<8x64x32xf32>
  // CHECK-NEXT: attn.contract %{{.*}}, %{{.*}} subscripts "gnd,gdv->gnv"
  %a = attn.score %q, %k subscripts "(gr)nd,gmd->(gr)nm" : tensor<8x4096x64xf32>, tensor<2x4096x64xf32> -> tensor<8x4096x4096xf32>
  %o = attn.apply %a, %v subscripts "hnm,hmv->hnv" : tensor<8x4096x4096xf32>, tensor<8x4096x32xf32> -> tensor<8x4096x32xf32>
  return %o : tensor<8x4096x32xf32>
}

// -----

// A (B C) -> (A B) C where there are fewer tokens than features.
// CHECK-LABEL: @reverse
// CHECK-SAME: (%[[Q:.*]]: tensor<8x16x256xf32>, %[[K:.*]]: tensor<8x16x256xf32>, %[[V:.*]]: tensor<8x16x256xf32>)
func.func @reverse(%q: tensor<8x16x256xf32>, %k: tensor<8x16x256xf32>, %v: tensor<8x16x256xf32>) -> tensor<8x16x256xf32> {
  // CHECK-NEXT: %[[A:.*]] = attn.contract %[[Q]], %[[K]] subscripts "hnd,hmd->hnm"
  // CHECK-NEXT: attn.contract %[[A]], %[[V]] subscripts "hnm,hmv->hnv"
  %s = attn.contract %k, %v subscripts "hmd,hmv->hdv" : tensor<8x16x256xf32>, tensor<8x16x256xf32> -> tensor<8x256x256xf32>
  %o = attn.contract %q, %s subscripts "hnd,hdv->hnv" : tensor<8x16x256xf32>, tensor<8x256x256xf32> -> tensor<8x16x256xf32>
  return %o : tensor<8x16x256xf32>
}

// -----

// Four factors: A ((B C) D). The letters of the three products, all "ij,jk->ik",
// are renamed apart.
// CHECK-LABEL: @chain4
// CHECK-SAME: (%[[A:.*]]: tensor<512x8xf32>, %[[B:.*]]: tensor<8x512xf32>, %[[C:.*]]: tensor<512x8xf32>, %[[D:.*]]: tensor<8x512xf32>)
func.func @chain4(%a: tensor<512x8xf32>, %b: tensor<8x512xf32>, %c: tensor<512x8xf32>, %d: tensor<8x512xf32>) -> tensor<512x512xf32> {
  // CHECK-NEXT: %[[BC:.*]] = attn.contract %[[B]], %[[C]] subscripts "[[I:[a-z]]][[J:[a-z]]],[[J]][[L:[a-z]]]->[[I]][[L]]" : {{.*}} -> tensor<8x8xf32>
  // CHECK-NEXT: %[[BCD:.*]] = attn.contract %[[BC]], %[[D]] {{.*}} -> tensor<8x512xf32>
  // CHECK-NEXT: attn.contract %[[A]], %[[BCD]] {{.*}} -> tensor<512x512xf32>
  %ab = attn.contract %a, %b subscripts "ij,jk->ik" : tensor<512x8xf32>, tensor<8x512xf32> -> tensor<512x512xf32>
  %abc = attn.contract %ab, %c subscripts "ij,jk->ik" : tensor<512x512xf32>, tensor<512x8xf32> -> tensor<512x8xf32>
  %abcd = attn.contract %abc, %d subscripts "ij,jk->ik" : tensor<512x8xf32>, tensor<8x512xf32> -> tensor<512x512xf32>
  return %abcd : tensor<512x512xf32>
}

// -----

// The cheapest order is the written one: nothing is touched.
// CHECK-LABEL: @unchanged
func.func @unchanged(%q: tensor<8x16x256xf32>, %k: tensor<8x16x256xf32>, %v: tensor<8x16x256xf32>) -> tensor<8x16x256xf32> {
  // CHECK-NEXT: attn.score
  // CHECK-NEXT: attn.scale
  // CHECK-NEXT: attn.normalize
  // CHECK-NEXT: attn.apply
  %a = attn.score %q, %k : tensor<8x16x256xf32>, tensor<8x16x256xf32> -> tensor<8x16x16xf32>
  %s = attn.scale %a by 2.0 : tensor<8x16x16xf32> -> tensor<8x16x16xf32>
  %p = attn.normalize %s : tensor<8x16x16xf32>
  %o = attn.apply %p, %v : tensor<8x16x16xf32>, tensor<8x16x256xf32> -> tensor<8x16x256xf32>
  return %o : tensor<8x16x256xf32>
}

// -----

// A scale outside of the normaliser is not cancelled by it.
// CHECK-LABEL: @outer_scale
// CHECK-SAME: %[[V:[a-z0-9]*]]: tensor<4096x32xf32>)
func.func @outer_scale(%q: tensor<4096x64xf32>, %k: tensor<4096x64xf32>, %v: tensor<4096x32xf32>) -> tensor<4096x32xf32> {
  // CHECK-NEXT: %[[C:.*]] = attn.scale %[[V]] by 3.0
  // CHECK-NEXT: attn.append_ones %[[C]]
  %a = attn.score %q, %k : tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x4096xf32>
  %p = attn.normalize %a : tensor<4096x4096xf32>
  %s = attn.scale %p by 3.0 : tensor<4096x4096xf32> -> tensor<4096x4096xf32>
  %o = attn.apply %s, %v : tensor<4096x4096xf32>, tensor<4096x32xf32> -> tensor<4096x32xf32>
  return %o : tensor<4096x32xf32>
}

// -----

// softmax(Q K^T / 4) by its declared map: phi(Q / 2) and phi(K / 2).
// CHECK-LABEL: @approximated
// CHECK-SAME: (%[[Q:.*]]: tensor<4096x8x64xf32>, %[[K:.*]]: tensor<4096x8x64xf32>, %[[V:.*]]: tensor<4096x8x64xf32>, %[[W:.*]]: tensor<128x64xf32>)
func.func @approximated(%q: tensor<4096x8x64xf32>, %k: tensor<4096x8x64xf32>, %v: tensor<4096x8x64xf32>, %w: tensor<128x64xf32>) -> tensor<4096x8x64xf32> {
  // CHECK-NEXT: %[[SQ:.*]] = attn.scale %[[Q]] by 5.000000e-01
  // CHECK-NEXT: %[[FQ:.*]] = attn.feature_map %[[SQ]], #attn.favor(%[[W]] : tensor<128x64xf32>) token_dim = 0 : tensor<4096x8x64xf32> -> tensor<4096x8x128xf32>
  // CHECK-NEXT: %[[SK:.*]] = attn.scale %[[K]] by 5.000000e-01
  // CHECK-NEXT: %[[FK:.*]] = attn.feature_map %[[SK]], #attn.favor(%[[W]] : tensor<128x64xf32>) token_dim = 0
  // CHECK-NEXT: %[[V1:.*]] = attn.append_ones %[[V]]
  // CHECK-NEXT: %[[S:.*]] = attn.contract %[[FK]], %[[V1]] {{.*}} -> tensor<8x128x65xf32>
  // CHECK-NEXT: %[[X:.*]] = attn.contract %[[FQ]], %[[S]]
  // CHECK-NEXT: attn.divide_by_last %[[X]] :
  %a = attn.score %q, %k subscripts "nhd,mhd->hnm" : tensor<4096x8x64xf32>, tensor<4096x8x64xf32> -> tensor<8x4096x4096xf32>
  %s = attn.scale %a by 2.500000e-01 : tensor<8x4096x4096xf32> -> tensor<8x4096x4096xf32>
  %p = attn.softmax %s approximated_by #attn.favor(%w : tensor<128x64xf32>) : tensor<8x4096x4096xf32>
  %o = attn.apply %p, %v subscripts "hnm,mhv->nhv" : tensor<8x4096x4096xf32>, tensor<4096x8x64xf32> -> tensor<4096x8x64xf32>
  return %o : tensor<4096x8x64xf32>
}

// -----

// Few tokens: the softmax that could be approximated stays exact.
// CHECK-LABEL: @exact_wins
func.func @exact_wins(%q: tensor<16x64xf32>, %k: tensor<16x64xf32>, %v: tensor<16x64xf32>, %w: tensor<128x64xf32>) -> tensor<16x64xf32> {
  // CHECK-NEXT: attn.score
  // CHECK-NEXT: attn.softmax
  // CHECK-NEXT: attn.apply
  // CHECK-NEXT: return
  %a = attn.score %q, %k : tensor<16x64xf32>, tensor<16x64xf32> -> tensor<16x16xf32>
  %p = attn.softmax %a approximated_by #attn.favor(%w : tensor<128x64xf32>) : tensor<16x16xf32>
  %o = attn.apply %p, %v : tensor<16x16xf32>, tensor<16x64xf32> -> tensor<16x64xf32>
  return %o : tensor<16x64xf32>
}

// -----

// A product after a normalised one is a chain of its own.
// CHECK-LABEL: @output_projection
func.func @output_projection(%q: tensor<4096x64xf32>, %k: tensor<4096x64xf32>, %v: tensor<4096x64xf32>, %w: tensor<64x512xf32>) -> tensor<4096x512xf32> {
  // CHECK: %[[O:.*]] = attn.divide_by_last
  // CHECK-NEXT: attn.contract %[[O]], %{{.*}} subscripts "nv,ve->ne"
  %a = attn.score %q, %k : tensor<4096x64xf32>, tensor<4096x64xf32> -> tensor<4096x4096xf32>
  %p = attn.normalize %a : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x64xf32> -> tensor<4096x64xf32>
  %y = attn.contract %o, %w subscripts "nv,ve->ne" : tensor<4096x64xf32>, tensor<64x512xf32> -> tensor<4096x512xf32>
  return %y : tensor<4096x512xf32>
}
