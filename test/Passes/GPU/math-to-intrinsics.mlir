// RUN: attn-opt %s --attn-math-to-intrinsics | FileCheck %s

// CHECK-LABEL: func.func @instructions(
// CHECK-SAME: %[[X:.*]]: f32, %[[Y:.*]]: f64)
// CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.fabs"(%[[X]]) : (f32) -> f32
// CHECK: %[[B:.*]] = llvm.call_intrinsic "llvm.floor"(%[[A]]) : (f32) -> f32
// CHECK: %[[S:.*]] = llvm.call_intrinsic "llvm.sqrt"(%[[B]]) : (f32) -> f32
// CHECK: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK: %[[R:.*]] = arith.divf %[[ONE]], %[[S]]
// CHECK: %[[C:.*]] = llvm.call_intrinsic "llvm.copysign"(%[[R]], %[[X]]) : (f32, f32) -> f32
// CHECK: llvm.call_intrinsic "llvm.sqrt"(%[[Y]]) : (f64) -> f64
func.func @instructions(%x: f32, %y: f64) -> (f32, f64) {
  %0 = math.absf %x : f32
  %1 = math.floor %0 : f32
  %2 = math.rsqrt %1 : f32
  %3 = math.copysign %2, %x : f32
  %4 = math.sqrt %y : f64
  return %3, %4 : f32, f64
}

// What is no instruction stays.
// CHECK-LABEL: func.func @others(
// CHECK: math.tanh
// CHECK: math.fma
func.func @others(%x: f32) -> f32 {
  %0 = math.tanh %x : f32
  %1 = math.fma %0, %x, %x : f32
  return %1 : f32
}
