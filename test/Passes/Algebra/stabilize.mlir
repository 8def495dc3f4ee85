// RUN: attn-opt %s --attn-stabilize --split-input-file --remarks-filter=attn-stabilize --remark-policy=all --remark-format=emitRemark 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// The normaliser cancels a factor of each query and one of all keys.
// CHECK-LABEL: @quadratic
func.func @quadratic(%q: tensor<8x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>, %w: tensor<256x64xf32>) -> tensor<8x?x64xf32> {
  // CHECK: attn.feature_map {{.*}} stabilize = token
  // CHECK: attn.feature_map {{.*}} stabilize = sequence
  %fq = attn.feature_map %q, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
  %fk = attn.feature_map %k, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
  %a = attn.score %fq, %fk : tensor<8x?x256xf32>, tensor<8x?x256xf32> -> tensor<8x?x?xf32>
  %m = attn.mask %a, #attn.causal else 0.0 : tensor<8x?x?xf32>
  %p = attn.normalize %m : tensor<8x?x?xf32>
  %o = attn.apply %p, %v : tensor<8x?x?xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// -----

// The linear form, with grouped heads.
// CHECK-LABEL: @linear
func.func @linear(%q: tensor<8x?x64xf32>, %k: tensor<2x?x64xf32>, %v: tensor<2x?x64xf32>, %w: tensor<256x64xf32>) -> tensor<8x?x64xf32> {
  // CHECK: attn.feature_map {{.*}} stabilize = token
  // CHECK: attn.feature_map {{.*}} stabilize = sequence
  %fq = attn.feature_map %q, #attn.favor(%w : tensor<256x64xf32>) : tensor<8x?x64xf32> -> tensor<8x?x256xf32>
  %fk = attn.feature_map %k, #attn.favor(%w : tensor<256x64xf32>) : tensor<2x?x64xf32> -> tensor<2x?x256xf32>
  %v1 = attn.append_ones %v : tensor<2x?x64xf32> -> tensor<2x?x65xf32>
  %s = attn.contract %fk, %v1 subscripts "gmd,gmv->gdv" : tensor<2x?x256xf32>, tensor<2x?x65xf32> -> tensor<2x256x65xf32>
  %c = attn.scale %s by 0.5 : tensor<2x256x65xf32> -> tensor<2x256x65xf32>
  %x = attn.contract %fq, %c subscripts "(gr)nd,gdv->(gr)nv" : tensor<8x?x256xf32>, tensor<2x256x65xf32> -> tensor<8x?x65xf32>
  %o = attn.divide_by_last %x : tensor<8x?x65xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// -----

// CHECK-LABEL: @eps
// REMARK: [Missed] attn-stabilize {{.*}}at 'attn.normalize' its eps is not zero, so the factor does not cancel
func.func @eps(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NOT: stabilize
  %fq = attn.feature_map %q, #attn.exp feature_dim = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %a = attn.score %fq, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %p = attn.normalize %a eps 1.0e-6 : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: @unnormalized
// REMARK: [Missed] attn-stabilize {{.*}}at 'func.return' no normaliser has cancelled the factor before it
func.func @unnormalized(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NOT: stabilize
  %fq = attn.feature_map %q, #attn.exp feature_dim = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %a = attn.score %fq, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----

// One use that cancels is not enough; a column of ones does not take a factor.
// CHECK-LABEL: @ones
// REMARK: [Missed] attn-stabilize {{.*}}at 'attn.append_ones' no normaliser
func.func @ones(%k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<64x64xf32> {
  // CHECK-NOT: stabilize
  %fv = attn.feature_map %v, #attn.exp feature_dim = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %v1 = attn.append_ones %fv : tensor<?x64xf32> -> tensor<?x65xf32>
  %s = attn.contract %k, %v1 subscripts "md,mv->dv" : tensor<?x64xf32>, tensor<?x65xf32> -> tensor<64x65xf32>
  %o = attn.divide_by_last %s : tensor<64x65xf32> -> tensor<64x64xf32>
  return %o : tensor<64x64xf32>
}

// -----

// A factor of a head does not survive a sum over heads.
// CHECK-LABEL: @heads
// REMARK: [Missed] attn-stabilize {{.*}}at 'attn.contract' the product sums over the axis 'h', along which the factor differs
func.func @heads(%q: tensor<8x?x64xf32>, %k: tensor<8x64x32xf32>) -> tensor<64x?x64x32xf32> {
  // CHECK-NOT: stabilize
  %fq = attn.feature_map %q, #attn.exp feature_dim = 2 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  %a = attn.contract %k, %fq subscripts "hev,hnd->envd" : tensor<8x64x32xf32>, tensor<8x?x64xf32> -> tensor<64x?x32x64xf32>
  %p = attn.normalize %a : tensor<64x?x32x64xf32>
  %i = tensor.empty() : tensor<64x64xf32>
  %o = attn.contract %p, %i subscripts "envd,df->enfv" : tensor<64x?x32x64xf32>, tensor<64x64xf32> -> tensor<64x?x64x32xf32>
  return %o : tensor<64x?x64x32xf32>
}

// -----

// Maps that are not exponential need no permission.
// CHECK-LABEL: @bounded
// REMARK-NOT: bounded
func.func @bounded(%q: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NOT: stabilize
  %fq = attn.feature_map %q, #attn.relu feature_dim = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  return %fq : tensor<?x64xf32>
}
