// RUN: attn-opt %s --attn-vectorize-tiles --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-vectorize-tiles="register-rows=4 register-cols=16" --canonicalize --cse | FileCheck %s --check-prefix=SMALL
// RUN: attn-opt %s --attn-vectorize-tiles="register-rows=1 register-cols=1 vector-length=1 vectorize=false" --canonicalize --cse | FileCheck %s --check-prefix=ELEMENTS

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

// Tiles divide sizes: of 65 rows 5. Columns that fill no vector are apart.
// CHECK-LABEL: func @odd
// CHECK: vector.contract {{.*}} into vector<5x16xf32>
// CHECK: vector.contract {{.*}} into vector<5x8xf32>
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

// A tile of a product starts from what its accumulators start from and is mapped
// as it leaves them: nothing but the loop over the summed axis is inside.
// CHECK-LABEL: func @whole
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<8x32xf32>
// CHECK: scf.for {{.*}} step %c8
// CHECK-NEXT: scf.for {{.*}} step %c32
// CHECK-NOT: linalg.
// CHECK: vector.transfer_write %[[ZERO]]
// CHECK: scf.for {{.*}} step %c1
// CHECK: vector.contract
// CHECK: scf.yield
// CHECK: math.exp {{.*}} : vector<8x32xf32>
func.func @whole(%a: tensor<16x48xf32>, %b: tensor<48x64xf32>) -> tensor<16x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<16x48xf32>, tensor<48x64xf32>) outs(%f : tensor<16x64xf32>) -> tensor<16x64xf32>
  %1 = linalg.exp ins(%0 : tensor<16x64xf32>) outs(%e : tensor<16x64xf32>) -> tensor<16x64xf32>
  return %1 : tensor<16x64xf32>
}

// A map of the accumulators is no pass of its own.
// CHECK-LABEL: func @decayed
// CHECK: scf.for {{.*}} step %c8
// CHECK-NEXT: scf.for {{.*}} step %c32
// CHECK: arith.mulf {{.*}} : vector<8x32xf32>
// CHECK: scf.for {{.*}} step %c1
// CHECK: vector.contract
func.func @decayed(%s: tensor<64x64xf32>, %g: tensor<64x64xf32>, %k: tensor<64x16xf32>, %v: tensor<16x64xf32>) -> tensor<64x64xf32> {
  %0 = linalg.mul ins(%s, %g : tensor<64x64xf32>, tensor<64x64xf32>) outs(%s : tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = linalg.matmul ins(%k, %v : tensor<64x16xf32>, tensor<16x64xf32>) outs(%0 : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %1 : tensor<64x64xf32>
}

// Few rows have more columns: sums enough to hide the latency of each.
// CHECK-LABEL: func @row
// CHECK: vector.contract {{.*}} into vector<1x128xf32>
func.func @row(%a: tensor<1x48xf32>, %b: tensor<48x128xf32>, %acc: tensor<1x128xf32>) -> tensor<1x128xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<1x48xf32>, tensor<48x128xf32>) outs(%acc : tensor<1x128xf32>) -> tensor<1x128xf32>
  return %0 : tensor<1x128xf32>
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

// A state and its read by one row: the rows of both in one loop, the sums of the
// read in registers.
// CHECK-LABEL: func @update_and_read
// CHECK: scf.for {{.*}} step %c1{{.*}} -> (tensor<1x64xf32>, tensor<64x64xf32>)
// CHECK: arith.mulf {{.*}} : vector<1x64xf32>
// CHECK: vector.contract {{.*}} : vector<1x1xf32>, vector<1x64xf32> into vector<1x64xf32>
// CHECK-NOT: scf.for
// CHECK: return
func.func @update_and_read(%s: tensor<64x64xf32>, %g: tensor<64x64xf32>, %q: tensor<1x64xf32>, %acc: tensor<1x64xf32>) -> (tensor<1x64xf32>, tensor<64x64xf32>) {
  %0 = linalg.mul ins(%s, %g : tensor<64x64xf32>, tensor<64x64xf32>) outs(%s : tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = linalg.matmul ins(%q, %0 : tensor<1x64xf32>, tensor<64x64xf32>) outs(%acc : tensor<1x64xf32>) -> tensor<1x64xf32>
  return %1, %0 : tensor<1x64xf32>, tensor<64x64xf32>
}

// Element by element, without vectors: the update of a state and the product
// that reads it are one loop over its rows.
// ELEMENTS-LABEL: @column_update(
// ELEMENTS: scf.for
// ELEMENTS-NOT: scf.for
// ELEMENTS: linalg.generic {{.*}} outs({{.*}} : tensor<1x1xf32>)
// ELEMENTS: linalg.matmul {{.*}} outs({{.*}} : tensor<1x1xf32>)
// ELEMENTS-NOT: vector<
// ELEMENTS: return
func.func @column_update(%s: tensor<64x1xf32>, %k: tensor<64xf32>, %v: tensor<1xf32>, %q: tensor<1x64xf32>, %o: tensor<1x1xf32>) -> (tensor<64x1xf32>, tensor<1x1xf32>) {
  %t = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%k, %v : tensor<64xf32>, tensor<1xf32>) outs(%s : tensor<64x1xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %d = math.fma %a, %b, %c : f32
      linalg.yield %d : f32
  } -> tensor<64x1xf32>
  %r = linalg.matmul ins(%q, %t : tensor<1x64xf32>, tensor<64x1xf32>) outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %t, %r : tensor<64x1xf32>, tensor<1x1xf32>
}
