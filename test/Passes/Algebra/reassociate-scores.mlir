// RUN: attn-opt %s --attn-reassociate | FileCheck %s

// Scores cannot leave a branch: one order is taken for all sizes.
// CHECK-LABEL: @projected_scores
func.func @projected_scores(%x: tensor<?x32xf32>, %wq: tensor<32x24xf32>, %wk: tensor<32x24xf32>, %v: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // CHECK-NOT: scf.if
  // CHECK: attn.softmax
  %q = attn.contract %x, %wq subscripts "ne,ed->nd" : tensor<?x32xf32>, tensor<32x24xf32> -> tensor<?x24xf32>
  %k = attn.contract %x, %wk subscripts "me,ed->md" : tensor<?x32xf32>, tensor<32x24xf32> -> tensor<?x24xf32>
  %s = attn.score %q, %k : tensor<?x24xf32>, tensor<?x24xf32> -> tensor<?x?xf32>
  %p = attn.softmax %s : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x32xf32> -> tensor<?x32xf32>
  return %o : tensor<?x32xf32>
}
