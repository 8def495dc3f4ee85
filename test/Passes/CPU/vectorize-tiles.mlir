// RUN: attn-opt %s --attn-vectorize-tiles --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-vectorize-tiles="register-rows=4 register-cols=16" --canonicalize --cse | FileCheck %s --check-prefix=SMALL

// A product walks rows, columns, and inside the summed axis one by one: 8 x 32
// sums, an element of each row of a, a row of b.
// CHECK-LABEL: func @product
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[C32:.*]] = arith.constant 32 : index
// CHECK: scf.for {{.*}} step %[[C8]]
// CHECK: scf.for {{.*}} step %[[C32]]
// CHECK: scf.for {{.*}} step %[[C1]]
// CHECK: vector.contract {{.*}} : vector<8x1xf32>, vector<1x32xf32> into vector<8x32xf32>
// CHECK-NOT: linalg.
// SMALL-LABEL: func @product
// SMALL: vector.contract {{.*}} : vector<4x1xf32>, vector<1x16xf32> into vector<4x16xf32>
func.func @product(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>, %acc: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %0 = linalg.contract indexing_maps = [
      affine_map<(x, y, c) -> (x, c)>, affine_map<(x, y, c) -> (c, y)>, affine_map<(x, y, c) -> (x, y)>]
    ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>) outs(%acc : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %0 : tensor<64x96xf32>
}

// The left side may be [c, x]: it is not turned in memory.
// CHECK-LABEL: func @turned
// CHECK-NOT: linalg.
// CHECK: vector.contract {{.*}} : vector<1x8xf32>, vector<1x32xf32> into vector<8x32xf32>
func.func @turned(%a: tensor<48x64xf32>, %b: tensor<48x96xf32>, %acc: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %0 = linalg.contract indexing_maps = [
      affine_map<(x, y, c) -> (c, x)>, affine_map<(x, y, c) -> (c, y)>, affine_map<(x, y, c) -> (x, y)>]
    ins(%a, %b : tensor<48x64xf32>, tensor<48x96xf32>) outs(%acc : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %0 : tensor<64x96xf32>
}

// Tiles divide sizes: of 24 columns all, of 65 rows none.
// CHECK-LABEL: func @odd
// CHECK: vector.contract {{.*}} into vector<{{1|5}}x24xf32>
func.func @odd(%a: tensor<65x48xf32>, %b: tensor<48x24xf32>, %acc: tensor<65x24xf32>) -> tensor<65x24xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<65x48xf32>, tensor<48x24xf32>) outs(%acc : tensor<65x24xf32>) -> tensor<65x24xf32>
  return %0 : tensor<65x24xf32>
}

// Maps that follow each other are one pass over the rows.
// CHECK-LABEL: func @fused
// CHECK: scf.for
// CHECK: math.exp {{.*}} : vector<1x64xf32>
// CHECK: arith.mulf {{.*}} : vector<1x64xf32>
// CHECK-NOT: scf.for
func.func @fused(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %e = tensor.empty() : tensor<8x64xf32>
  %0 = linalg.exp ins(%x : tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = linalg.square ins(%0 : tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %1 : tensor<8x64xf32>
}

// Dynamic sizes and tensors of i1 stay for convert-linalg-to-loops.
// CHECK-LABEL: func @left_alone
// CHECK-NOT: vector.
// CHECK: linalg.exp
// CHECK: linalg.select
// CHECK-NOT: vector.
// CHECK: return
func.func @left_alone(%x: tensor<?x64xf32>, %b: tensor<8xi1>, %y: tensor<8xf32>) -> (tensor<?x64xf32>, tensor<8xf32>) {
  %0 = linalg.exp ins(%x : tensor<?x64xf32>) outs(%x : tensor<?x64xf32>) -> tensor<?x64xf32>
  %1 = linalg.select ins(%b, %y, %y : tensor<8xi1>, tensor<8xf32>, tensor<8xf32>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
  return %0, %1 : tensor<?x64xf32>, tensor<8xf32>
}
