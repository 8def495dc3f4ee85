// Files of one float type serve arguments of another; scalars are arrays of
// rank 0; results may be scalars, constants, or arguments as they came.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../../Inputs/make_npy.py %t/f8.npy f8 4 0.1,1.00390625,-3,30000
// RUN: %python %S/../../Inputs/make_npy.py %t/f2.npy f2 4 0.5,1,2,3
// RUN: %python %S/../../Inputs/make_npy.py %t/scale.npy f4 "()" 2.5
// RUN: %python %S/../../Inputs/make_npy.py %t/index.npy i8 "()" 7
// RUN: %python %S/../../Inputs/make_npy.py %t/flags.npy b1 4 1,0,1,1
// RUN: %python %S/../../Inputs/make_npy.py %t/i4.npy i4 4 1,-2,3,4
// RUN: %python %S/../../Inputs/make_npy.py %t/big.npy i8 4 1,2,3,3000000000

// RUN: attn-run %s --entry=narrow --inputs=%t/f8.npy,%t/f8.npy --outputs=%t/b.npy,%t/h.npy --verify | FileCheck %s --check-prefix=NARROW
// RUN: %python %S/../../Inputs/make_npy.py --print %t/b.npy | FileCheck %s --check-prefix=BF16
// RUN: %python %S/../../Inputs/make_npy.py --print %t/h.npy | FileCheck %s --check-prefix=F16
// RUN: attn-run %s --entry=wide --inputs=%t/f2.npy --verify | FileCheck %s --check-prefix=WIDE
// RUN: attn-run %s --entry=scalars --inputs=%t/f8.npy,%t/scale.npy,%t/index.npy,%t/flags.npy --outputs=%t/y.npy,%t/s.npy,%t/x.npy,%t/i.npy,%t/c.npy,%t/m.npy --verify | FileCheck %s --check-prefix=SCALARS
// RUN: %python %S/../../Inputs/make_npy.py --print %t/y.npy | FileCheck %s --check-prefix=Y
// RUN: %python %S/../../Inputs/make_npy.py --print %t/x.npy | FileCheck %s --check-prefix=X
// RUN: %python %S/../../Inputs/make_npy.py --print %t/s.npy | FileCheck %s --check-prefix=S
// RUN: %python %S/../../Inputs/make_npy.py --print %t/i.npy | FileCheck %s --check-prefix=I
// RUN: %python %S/../../Inputs/make_npy.py --print %t/c.npy | FileCheck %s --check-prefix=C
// RUN: %python %S/../../Inputs/make_npy.py --print %t/m.npy | FileCheck %s --check-prefix=M
// RUN: attn-run %s --entry=one --inputs=%t/scale.npy --verify | FileCheck %s --check-prefix=ONE
// RUN: attn-run %s --entry=same --inputs=%t/f8.npy --verify | FileCheck %s --check-prefix=SAME
// RUN: attn-run %s --entry=wide_index --inputs=%t/i4.npy --verify | FileCheck %s --check-prefix=I64
// RUN: not attn-run %s --entry=narrow_index --inputs=%t/big.npy 2>&1 | FileCheck %s --check-prefix=RANGE

// NARROW: cpu: @narrow -> 4xbf16, 4xf16
// NARROW: rel_err={{.*}} tol=1.0e-02
// BF16: f4 4: 0.200195 2 -6 59904
// F16: f2 4: 0.199951 2.00781 -6 60000
func.func @narrow(%x: tensor<4xbf16>, %y: tensor<4xf16>) -> (tensor<4xbf16>, tensor<4xf16>) {
  %a = arith.addf %x, %x : tensor<4xbf16>
  %b = arith.addf %y, %y : tensor<4xf16>
  return %a, %b : tensor<4xbf16>, tensor<4xf16>
}

// WIDE: cpu: @wide -> 4xf64
// WIDE: tol=1.0e-10
func.func @wide(%x: tensor<4xf64>) -> tensor<4xf64> {
  %a = arith.mulf %x, %x : tensor<4xf64>
  return %a : tensor<4xf64>
}

// SCALARS: cpu: @scalars -> 4xf32, f32, 4xf32, i64, 2xf32, 4xi1
// Y: f4 4: 0.2 2.00781 -6 60000
// S: f4 (): 2.5
// The sum is not made in the argument's memory.
// X: f4 4: 0.1 1.00391 -3 30000
// I: i8 (): 7
// C: f4 2: 1 2
// M: b1 4: 1 0 1 1
func.func @scalars(%x: tensor<4xf32>, %s: f32, %i: index, %m: tensor<4xi1>) -> (tensor<4xf32>, f32, tensor<4xf32>, index, tensor<2xf32>, tensor<4xi1>) {
  %y = arith.addf %x, %x : tensor<4xf32>
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %y, %s, %x, %i, %c, %m : tensor<4xf32>, f32, tensor<4xf32>, index, tensor<2xf32>, tensor<4xi1>
}

// ONE: cpu: @one -> f64
// ONE: rel_err=0.0e+00
func.func @one(%s: f64) -> f64 {
  %y = arith.addf %s, %s : f64
  return %y : f64
}

// Two results, one memory.
// SAME: cpu: @same -> 4xf32, 4xf32
// SAME: rel_err=0.0e+00
// SAME: rel_err[1]=0.0e+00
func.func @same(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y, %y : tensor<4xf32>, tensor<4xf32>
}

// I64: cpu: @wide_index -> 4xi64
// I64: rel_err=0.0e+00
func.func @wide_index(%x: tensor<4xi64>) -> tensor<4xi64> {
  return %x : tensor<4xi64>
}

// RANGE: attn-run: error: {{.*}}big.npy': {{.*}}out of range
func.func @narrow_index(%x: tensor<4xi32>) -> tensor<4xi32> {
  return %x : tensor<4xi32>
}
