// What cannot be compiled is an error with its place, and leaves no file.

// RUN: rm -rf %t && mkdir %t
// RUN: split-file %s %t/in
// RUN: not attn-compile %t/in/parse.mlir -o %t/o.o 2>&1 | FileCheck %s --check-prefix=PARSE
// PARSE: attn-compile: error: {{.*}}parse.mlir:2:8: custom op 'attn.sore' is unknown
// RUN: not attn-compile %t/in/verify.mlir -o %t/o.o 2>&1 | FileCheck %s --check-prefix=VERIFY
// VERIFY: verify.mlir:2:8: 'attn.score' op [P4] axis 'd' has the sizes 4 and 3
// RUN: not attn-compile %t/in/sizes.mlir -o %t/o.o 2>&1 | FileCheck %s --check-prefix=SIZES
// SIZES: sizes.mlir:1:1: 'f', result 0: its sizes are not those of arguments
// RUN: not attn-compile %t/in/scores.mlir -o %t/o.o 2>&1 | FileCheck %s --check-prefix=SCORES
// SCORES: scores.mlir:2:8:
// RUN: not attn-compile %t/in/two.mlir -o %t/o.o 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: {{f, g|several}}
// RUN: not attn-compile %t/in/two.mlir --entry=h -o %t/o.o 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: no function 'h'
// RUN: not attn-compile %t/in/two.mlir --entry=f --state -o %t/o.o 2>&1 | FileCheck %s --check-prefix=STATE
// STATE: 'f' has no state
// RUN: not attn-compile %t/in/calls.mlir --name=malloc -o %t/o.o 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: the C function cannot be named 'malloc'
// RUN: not attn-compile %t/in/outside.mlir --entry=f -o %t/o.o 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: outside.mlir:{{[0-9:]+}} the code would need 'outside', which the C library has not
// RUN: not attn-compile %t/absent.mlir 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: cannot read '{{.*}}absent.mlir': No such file
// RUN: not ls %t/o.o %t/o.h
// RUN: attn-compile %t/in/two.mlir --entry=g --name="my name" -o %t/g.o && FileCheck %s --check-prefix=HEADER < %t/g.h
// HEADER: x: float [x_dim0][4], read; strides 4, 1
// HEADER: i: int64_t, by value
// HEADER: r: float [x_dim0][4], written; strides 4, 1
// HEADER: int32_t my_name(int64_t x_dim0,
// HEADER-NEXT: const float *x,
// HEADER-NEXT: int64_t i,
// HEADER-NEXT: float *r);

//--- parse.mlir
func.func @f(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %0 = attn.sore %x, %x : tensor<2x4xf32>
}
//--- verify.mlir
func.func @f(%x: tensor<2x4xf32>, %y: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %0 = attn.score %x, %y : tensor<2x4xf32>, tensor<2x3xf32> -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
//--- sizes.mlir
func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = attn.expand_steps %x steps 2 : tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
//--- scores.mlir
func.func @f(%x: tensor<?x4xf32>) -> tensor<?x?xf32> {
  %0 = attn.score %x, %x : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
//--- two.mlir
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @g(%x: tensor<?x4xf32>, %i: i64) -> tensor<?x4xf32> {
  %r = attn.scale %x by 2.0 : tensor<?x4xf32> -> tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}
//--- calls.mlir
func.func @f(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %s = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %s, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  %x = attn.feature_map %o, #attn.elu1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %t = attn.score %x, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %p = attn.softmax %t : tensor<?x?xf32>
  %r = attn.apply %p, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}
//--- outside.mlir
func.func private @outside(f32) -> f32
func.func @f(%x: f32) -> f32 {
  %0 = call @outside(%x) : (f32) -> f32
  return %0 : f32
}
