// RUN: attn-opt %s --attn-reassociate --remarks-filter=attn-reassociate --remark-policy=all --remark-format=emitRemark --split-input-file -o /dev/null 2>&1 | FileCheck %s

// Passed: the costs before and after.
// CHECK: [[@LINE+4]]:8: remark: [Passed] attn-reassociate {{.*}}reordered; before normalize(arg0 arg1^T) arg2: 34628173824 flops, 1090519040 bytes; after arg0 (arg1^T [arg2 1]): 547356672 flops, 33820672 bytes
func.func @passed(%q: tensor<8x4096x64xf32>, %k: tensor<8x4096x64xf32>, %v: tensor<8x4096x64xf32>) -> tensor<8x4096x64xf32> {
  %a = attn.score %q, %k : tensor<8x4096x64xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x4096xf32>
  %p = attn.normalize %a : tensor<8x4096x4096xf32>
  %o = attn.apply %p, %v : tensor<8x4096x4096xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x64xf32>
  return %o : tensor<8x4096x64xf32>
}

// -----

// Polynomials where sizes are dynamic.
// CHECK: [Passed] {{.*}}chosen at run time; before (arg0 arg1^T) arg2: 256*n*m flops, {{.*}}; after arg0 (arg1^T arg2): 8192*n + 8192*m flops,
func.func @symbolic(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}

// -----

// CHECK: [Passed] {{.*}}approximate: the softmax is replaced by its declared feature map
func.func @approximate(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %p = attn.softmax %a approximated_by #attn.exp : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// Each obstacle once, at its place.
// CHECK: [[@LINE+5]]:8: remark: [Missed] {{.*}}'attn.softmax' is not reordered: the softmax has no declared feature map; the scores 'nd,md->nm' stay before 'attn.apply'
// CHECK: [[@LINE+3]]:8: remark: [Missed] {{.*}}'attn.mask' is not reordered: the mask #attn.causal does not factor
func.func @softmax(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %m = attn.mask %a, #attn.causal else -inf : tensor<4096x4096xf32>
  %p = attn.softmax %m : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// CHECK: [Missed] {{.*}}Function=mask |{{.*}}'attn.mask' is not reordered: the mask #attn.sliding_window<left = 7, right = 0> does not factor
// CHECK-NOT: Function=mask
func.func @mask(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %m = attn.mask %a, #attn.sliding_window<left = 7, right = 0> else 0.0 : tensor<4096x4096xf32>
  %p = attn.normalize %m : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// CHECK: [Missed] {{.*}}'attn.feature_map' is not reordered: the feature map acts on the scores, not on queries and keys
func.func @nonlinearity(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %r = attn.feature_map %a, #attn.squared_relu feature_dim = 1 : tensor<4096x4096xf32> -> tensor<4096x4096xf32>
  %o = attn.apply %r, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// CHECK: [Missed] {{.*}}'arith.addf' is not reordered: the operation is not linear in the scores
func.func @bias(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>, %b: tensor<4096x4096xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %r = arith.addf %a, %b : tensor<4096x4096xf32>
  %o = attn.apply %r, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// CHECK: [Missed] {{.*}}'attn.score' is not reordered: the scores have several uses
func.func @uses(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> (tensor<4096x16xf32>, tensor<4096x4096xf32>) {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %o = attn.apply %a, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o, %a : tensor<4096x16xf32>, tensor<4096x4096xf32>
}

// -----

// CHECK: [Missed] {{.*}}the declared feature map stands for a positive scale, got -2
func.func @negative(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %s = attn.scale %a by -2.0 : tensor<4096x4096xf32> -> tensor<4096x4096xf32>
  %p = attn.softmax %s approximated_by #attn.exp : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}

// -----

// CHECK: [Missed] {{.*}}'attn.normalize' is not reordered: the product 'nm,mv->nv' has no static dimension of the values to append a column of ones to
func.func @dynamic_values(%q: tensor<4096x16xf32>, %k: tensor<4096x16xf32>, %v: tensor<4096x?xf32>) -> tensor<4096x?xf32> {
  %a = attn.score %q, %k : tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x4096xf32>
  %p = attn.normalize %a : tensor<4096x4096xf32>
  %o = attn.apply %p, %v : tensor<4096x4096xf32>, tensor<4096x?xf32> -> tensor<4096x?xf32>
  return %o : tensor<4096x?xf32>
}
