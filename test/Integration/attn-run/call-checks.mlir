// What only a call knows: sizes that disagree, contents of masks, the reach of
// feature maps. The location is that of the operation.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../../Inputs/make_npy.py %t/q3.npy f4 3x4
// RUN: %python %S/../../Inputs/make_npy.py %t/k5.npy f4 5x4
// RUN: %python %S/../../Inputs/make_npy.py %t/v6.npy f4 6x4
// RUN: %python %S/../../Inputs/make_npy.py %t/v5.npy f4 5x4
// RUN: attn-run %s --entry=plain --inputs=%t/q3.npy,%t/k5.npy,%t/v5.npy --verify
// RUN: not attn-run %s --entry=plain --inputs=%t/q3.npy,%t/k5.npy,%t/v6.npy 2>&1 | FileCheck %s --check-prefix=SIZES
// SIZES: attn-run: error: {{.*}}call-checks.mlir:[[@LINE+3]]:8: dimension 0 of argument {{1 is 5|2 is 6}} and dimension 0 of argument {{2 is 6|1 is 5}}, expected equal sizes
func.func @plain(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// The keys are as many as the graph says.
// RUN: attn-run %s --entry=fixed --inputs=%t/q3.npy,%t/v5.npy --verify
// RUN: attn-run %s --entry=fixed --random=1 --dim=n=3 --verify
// RUN: not attn-run %s --entry=fixed --inputs=%t/q3.npy,%t/v6.npy 2>&1 | FileCheck %s --check-prefix=STATIC
// STATIC: attn-run: error: {{.*}}call-checks.mlir:[[#]]:[[#]]: dimension 0 of argument 1 is 6, expected 5
func.func @fixed(%q: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %k = arith.constant dense<0.5> : tensor<5x4xf32>
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<5x4xf32> -> tensor<?x5xf32>
  %o = attn.apply %a, %v : tensor<?x5xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// Heads in groups.
// RUN: %python %S/../../Inputs/make_npy.py %t/h6.npy f4 6x5x4
// RUN: %python %S/../../Inputs/make_npy.py %t/h3.npy f4 3x5x4
// RUN: %python %S/../../Inputs/make_npy.py %t/h4.npy f4 4x5x4
// RUN: attn-run %s --entry=groups --inputs=%t/h6.npy,%t/h3.npy,%t/h3.npy --verify
// RUN: not attn-run %s --entry=groups --inputs=%t/h6.npy,%t/h4.npy,%t/h4.npy 2>&1 | FileCheck %s --check-prefix=GROUPS
// GROUPS: attn-run: error: {{.*}}call-checks.mlir:[[#]]:[[#]]: dimension 0 of argument 0 is 6 and dimension 0 of argument 1 is 4, expected a multiple of it
func.func @groups(%q: tensor<?x5x4xf32>, %k: tensor<?x5x4xf32>, %v: tensor<?x5x4xf32>) -> tensor<?x5x4xf32> {
  %a = attn.score %q, %k subscripts "(gr)nd,gmd->(gr)nm" : tensor<?x5x4xf32>, tensor<?x5x4xf32> -> tensor<?x5x5xf32>
  %p = attn.softmax %a : tensor<?x5x5xf32>
  %o = attn.apply %p, %v subscripts "(gr)nm,gmv->(gr)nv" : tensor<?x5x5xf32>, tensor<?x5x4xf32> -> tensor<?x5x4xf32>
  return %o : tensor<?x5x4xf32>
}

// RUN: %python %S/../../Inputs/make_npy.py %t/cu.npy i8 3 0,2,5
// RUN: %python %S/../../Inputs/make_npy.py %t/start.npy i8 3 1,2,5
// RUN: %python %S/../../Inputs/make_npy.py %t/order.npy i8 3 0,6,5
// RUN: %python %S/../../Inputs/make_npy.py %t/end.npy i8 3 0,2,4
// RUN: attn-run %s --entry=packed --inputs=%t/k5.npy,%t/k5.npy,%t/v5.npy,%t/cu.npy --verify
// RUN: not attn-run %s --entry=packed --inputs=%t/k5.npy,%t/k5.npy,%t/v5.npy,%t/start.npy 2>&1 | FileCheck %s --check-prefix=START
// RUN: not attn-run %s --entry=packed --inputs=%t/k5.npy,%t/k5.npy,%t/v5.npy,%t/order.npy 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not attn-run %s --entry=packed --inputs=%t/k5.npy,%t/k5.npy,%t/v5.npy,%t/end.npy 2>&1 | FileCheck %s --check-prefix=END
// RUN: not attn-run %s --entry=packed --inputs=%t/k5.npy,%t/k5.npy,%t/v5.npy, --random=1 2>&1 | FileCheck %s --check-prefix=RANDOM
// START: attn-run: error: {{.*}}call-checks.mlir:[[@LINE+6]]:8: cu_seqlens starts at 1, expected 0
// ORDER: attn-run: error: {{.*}}call-checks.mlir:[[@LINE+5]]:8: cu_seqlens does not increase at position 2: 5 after 6
// END: attn-run: error: {{.*}}call-checks.mlir:[[@LINE+4]]:8: cu_seqlens ends at 4, expected the number of queries, 5
// RANDOM: attn-run: error: {{.*}}argument 3, tensor<3xi32>, cannot be random: give its file by --inputs
func.func @packed(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>, %cu: tensor<3xi32>) -> tensor<?x4xf32> {
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %m = attn.mask %a, #attn.packed(%cu : tensor<3xi32>) else -inf : tensor<?x?xf32>
  %p = attn.softmax %m : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// A constant of the graph is checked as well.
// RUN: attn-run %s --entry=constant --random=1 --dim=n=5 --dim=m=5 --verify
// RUN: not attn-run %s --entry=constant --random=1 --dim=n=6 --dim=m=6 2>&1 | FileCheck %s --check-prefix=CONSTANT
// CONSTANT: attn-run: error: {{.*}}cu_seqlens ends at 5, expected the number of queries, 6
func.func @constant(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %cu = arith.constant dense<[0, 2, 5]> : tensor<3xi64>
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %m = attn.mask %a, #attn.packed(%cu : tensor<3xi64>) else -inf : tensor<?x?xf32>
  %p = attn.softmax %m : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}

// RUN: attn-run %s --entry=reach --random=1 --dim=n=8 --dim=m=8 --verify
// RUN: not attn-run %s --entry=reach --random=1 --dim=n=9 --dim=m=8 2>&1 | FileCheck %s --check-prefix=REACH
// REACH: attn-run: error: {{.*}}call-checks.mlir:[[@LINE+2]]:9: the feature map is defined for up to 8 tokens, got 9
func.func @reach(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %fq = attn.feature_map %q, #attn.cosformer<max_len = 8> : tensor<?x4xf32> -> tensor<?x8xf32>
  %fk = attn.feature_map %k, #attn.cosformer<max_len = 8> : tensor<?x4xf32> -> tensor<?x8xf32>
  %a = attn.score %fq, %fk : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %p = attn.normalize %a : tensor<?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
