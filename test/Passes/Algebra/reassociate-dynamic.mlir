// RUN: attn-opt %s --attn-reassociate --split-input-file | FileCheck %s --check-prefixes=CHECK,AUTO
// RUN: attn-opt %s --attn-reassociate=order=linear --attn-verify-no-quadratic --split-input-file | FileCheck %s --check-prefixes=CHECK,LINEAR
// RUN: attn-opt %s --attn-reassociate=order=written --split-input-file | FileCheck %s --check-prefixes=CHECK,WRITTEN

// Both orders can win: the costs are compared at the sizes of the call. The
// letter n ties the numbers of queries, keys and values to one symbol, which is
// read once.
// CHECK-LABEL: @branch
// CHECK-SAME: (%[[Q:[a-z0-9]*]]: tensor<?x8x?x64xf32>
func.func @branch(%q: tensor<?x8x?x64xf32> {attn.axes = "bhnd"}, %k: tensor<?x8x?x64xf32> {attn.axes = "bhnd"}, %v: tensor<?x8x?x64xf32> {attn.axes = "bhnv"}) -> tensor<?x8x?x64xf32> {
  // AUTO-COUNT-2: tensor.dim %[[Q]]
  // AUTO-NOT: tensor.dim
  // AUTO: %[[C:.*]] = arith.cmpf ole
  // AUTO-NEXT: %[[O:.*]] = scf.if %[[C]]
  // AUTO-NEXT: attn.append_ones
  // AUTO-NEXT: attn.contract {{.*}} -> tensor<?x8x64x65xf32>
  // AUTO-NEXT: attn.contract {{.*}} -> tensor<?x8x?x65xf32>
  // AUTO-NEXT: %[[X:.*]] = attn.divide_by_last
  // AUTO-NEXT: scf.yield %[[X]]
  // AUTO-NEXT: else
  // AUTO-NEXT: attn.score
  // AUTO-NEXT: attn.normalize
  // AUTO-NEXT: %[[Y:.*]] = attn.apply
  // AUTO-NEXT: scf.yield %[[Y]]
  // AUTO: return %[[O]]
  // LINEAR-NEXT: attn.append_ones
  // LINEAR-NEXT: attn.contract
  // LINEAR-NEXT: attn.contract
  // LINEAR-NEXT: attn.divide_by_last
  // LINEAR-NEXT: return
  // WRITTEN-NEXT: attn.score
  // WRITTEN-NEXT: attn.normalize
  // WRITTEN-NEXT: attn.apply
  // WRITTEN-NEXT: return
  %a = attn.score %q, %k : tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x?xf32>
  %p = attn.normalize %a : tensor<?x8x?x?xf32>
  %o = attn.apply %p, %v : tensor<?x8x?x?xf32>, tensor<?x8x?x64xf32> -> tensor<?x8x?x64xf32>
  return %o : tensor<?x8x?x64xf32>
}

// -----

// The branch that is not linear keeps the exact softmax.
// CHECK-LABEL: @approximated
func.func @approximated(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> tensor<?x64xf32> {
  // AUTO: scf.if
  // AUTO-COUNT-2: attn.feature_map
  // AUTO: attn.divide_by_last
  // AUTO: else
  // AUTO: attn.softmax %{{.*}} approximated_by
  // LINEAR-NOT: attn.softmax
  // LINEAR: attn.divide_by_last
  // WRITTEN-NOT: attn.feature_map
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %p = attn.softmax %a approximated_by #attn.favor(%w : tensor<64x64xf32>) : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----

// Dynamic heads: r = (gr) / g comes from the sizes of queries and keys.
// CHECK-LABEL: @groups
// CHECK-SAME: (%[[Q:[a-z0-9]*]]: tensor<?x?x64xf32>, %[[K:[a-z0-9]*]]: tensor<?x?x64xf32>,
func.func @groups(%q: tensor<?x?x64xf32>, %k: tensor<?x?x64xf32>, %v: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  // AUTO: %[[HQ:.*]] = tensor.dim %[[Q]], %c0
  // AUTO: arith.divui %[[HQ]], %{{.*}}
  // AUTO: scf.if
  // CHECK: subscripts "(gr)n{{[dm]}}
  %a = attn.score %q, %k subscripts "(gr)nd,gmd->(gr)nm" : tensor<?x?x64xf32>, tensor<?x?x64xf32> -> tensor<?x?x?xf32>
  %o = attn.apply %a, %v subscripts "(gr)nm,gmv->(gr)nv" : tensor<?x?x?xf32>, tensor<?x?x64xf32> -> tensor<?x?x64xf32>
  return %o : tensor<?x?x64xf32>
}
