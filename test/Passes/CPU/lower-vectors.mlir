// RUN: attn-opt %s --attn-lower-vectors | FileCheck %s
// RUN: attn-opt %s --attn-lower-vectors --cse | FileCheck %s --check-prefix=CSE

// A product of a column and a row: a fused multiply-add for each row.
// CHECK-LABEL: func @product
// CHECK-COUNT-8: vector.fma {{.*}} : vector<32xf32>
// CHECK-NOT: vector.contract
// CHECK-NOT: vector.outerproduct
// CHECK-NOT: vector.reduction
// CHECK: return
func.func @product(%a: vector<8x1xf32>, %b: vector<1x32xf32>, %acc: vector<8x32xf32>) -> vector<8x32xf32> {
  %0 = vector.contract {
      indexing_maps = [affine_map<(x, y, c) -> (x, c)>, affine_map<(x, y, c) -> (c, y)>, affine_map<(x, y, c) -> (x, y)>],
      iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
    %a, %b, %acc : vector<8x1xf32>, vector<1x32xf32> into vector<8x32xf32>
  return %0 : vector<8x32xf32>
}

// CHECK-LABEL: func @rows
// CHECK-NOT: vector.multi_reduction
// CHECK: vector.reduction <maximumf>, {{.*}} : vector<64xf32> into f32
// CHECK-NOT: vector.multi_reduction
// CHECK: return
func.func @rows(%x: vector<1x64xf32>, %acc: vector<1xf32>) -> vector<1xf32> {
  %0 = vector.multi_reduction <maximumf>, %x, %acc [1] : vector<1x64xf32> to vector<1xf32>
  return %0 : vector<1xf32>
}

// exp of f32 is a polynomial, tanh a rational; of f64 they are libm's.
// CHECK-LABEL: func @functions
// CHECK-NOT: math.exp {{.*}}f32
// CHECK-NOT: math.tanh {{.*}}f32
// CHECK: math.fma {{.*}} : vector<64xf32>
// CHECK-NOT: math.exp {{.*}}f32
// CHECK-NOT: math.tanh {{.*}}f32
// CHECK: math.exp {{.*}} : vector<8xf64>
func.func @functions(%x: vector<64xf32>, %y: vector<8xf64>) -> (vector<64xf32>, vector<64xf32>, vector<8xf64>) {
  %0 = math.exp %x : vector<64xf32>
  %1 = math.tanh %x : vector<64xf32>
  %2 = math.exp %y : vector<8xf64>
  return %0, %1, %2 : vector<64xf32>, vector<64xf32>, vector<8xf64>
}

// expm1 takes neither a logarithm nor a division: 2^n (e^r - 1) + (2^n - 1).
// CHECK-LABEL: func @expm1
// CHECK-NOT: math.expm1
// CHECK-NOT: math.log
// CHECK-NOT: arith.divf
// CHECK: arith.shli
// CHECK: %[[P:.*]] = arith.bitcast
// CHECK: %[[L:.*]] = arith.subf %[[P]]
// CHECK: %[[R:.*]] = math.fma %[[P]], %{{.*}}, %[[L]]
// CHECK: return %[[R]]
func.func @expm1(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.expm1 %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// exp and expm1 of one value are one polynomial.
// CSE-LABEL: func @both
// CSE-COUNT-1: arith.shli
// CSE-NOT: arith.shli
// CSE: return
func.func @both(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>) {
  %0 = math.expm1 %x : vector<16xf32>
  %1 = math.exp %x : vector<16xf32>
  return %0, %1 : vector<16xf32>, vector<16xf32>
}
