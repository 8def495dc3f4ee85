// Canonicalizers keep every bit: what folds, and what must not.
// RUN: attn-opt --canonicalize %s | FileCheck %s

// CHECK-LABEL: func @scale_by_one
// CHECK-SAME: (%[[X:.*]]: tensor<2x?xf32>)
func.func @scale_by_one(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = attn.scale %x by 1.0 : tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// The result is wider: the scale is a conversion.
// CHECK-LABEL: func @scale_by_one_widens
func.func @scale_by_one_widens(%x: tensor<2x?xbf16>) -> tensor<2x?xf32> {
  // CHECK: attn.scale
  %0 = attn.scale %x by 1.0 : tensor<2x?xbf16> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// Rounds once instead of twice if folded.
// CHECK-LABEL: func @scale_twice
func.func @scale_twice(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK: attn.scale %{{.*}} by 3.000000e-01
  // CHECK: attn.scale %{{.*}} by 0.69999999999999996
  %0 = attn.scale %x by 0.3 : tensor<2x?xf32> -> tensor<2x?xf32>
  %1 = attn.scale %0 by 0.7 : tensor<2x?xf32> -> tensor<2x?xf32>
  return %1 : tensor<2x?xf32>
}

// 0 times NaN is NaN.
// CHECK-LABEL: func @scale_by_zero
func.func @scale_by_zero(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK: attn.scale %{{.*}} by 0.000000e+00
  %0 = attn.scale %x by 0.0 : tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func @full_mask
// CHECK-SAME: (%[[S:.*]]: tensor<8x?x?xf32>)
func.func @full_mask(%s: tensor<8x?x?xf32>) -> tensor<8x?x?xf32> {
  // CHECK-NEXT: return %[[S]]
  %0 = attn.mask %s, #attn.full else -inf : tensor<8x?x?xf32>
  %1 = attn.mask %0, #attn.full else 0.0 : tensor<8x?x?xf32>
  return %1 : tensor<8x?x?xf32>
}

// The fills differ, so the masks do too.
// CHECK-LABEL: func @masks_with_two_fills
func.func @masks_with_two_fills(%s: tensor<8x?x?xf32>) -> tensor<8x?x?xf32> {
  // CHECK: attn.mask %{{.*}}, #attn.causal else -inf
  // CHECK: attn.mask %{{.*}}, #attn.causal else 0.000000e+00
  %0 = attn.mask %s, #attn.causal else -inf : tensor<8x?x?xf32>
  %1 = attn.mask %0, #attn.causal else 0.0 : tensor<8x?x?xf32>
  return %1 : tensor<8x?x?xf32>
}

// Not idempotent to the bit: a row's sum is 1 up to rounding.
// CHECK-LABEL: func @normalize_twice
func.func @normalize_twice(%s: tensor<8x?x?xf32>) -> tensor<8x?x?xf32> {
  // CHECK-COUNT-2: attn.normalize
  %0 = attn.normalize %s : tensor<8x?x?xf32>
  %1 = attn.normalize %0 : tensor<8x?x?xf32>
  return %1 : tensor<8x?x?xf32>
}

// Reassociation is a pass, never a canonicalization.
// CHECK-LABEL: func @chain
func.func @chain(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK: attn.score
  // CHECK-NEXT: attn.apply
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// The identity map keeps its declaration: passes read it.
// CHECK-LABEL: func @identity_map
func.func @identity_map(%x: tensor<8x?x16xf32>) -> tensor<8x?x16xf32> {
  // CHECK: attn.feature_map %{{.*}}, #attn.identity
  %0 = attn.feature_map %x, #attn.identity : tensor<8x?x16xf32> -> tensor<8x?x16xf32>
  return %0 : tensor<8x?x16xf32>
}

// Operations without users go, also those with a region.
// CHECK-LABEL: func @dead
// CHECK-NEXT: return
func.func @dead(%x: tensor<8x?x16xf32>) {
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    %t = math.tanh %e : f32
    attn.yield %t : f32
  } : tensor<8x?x16xf32> -> tensor<8x?x16xf32>
  %1 = attn.score %0, %x : tensor<8x?x16xf32>, tensor<8x?x16xf32> -> tensor<8x?x?xf32>
  return
}
