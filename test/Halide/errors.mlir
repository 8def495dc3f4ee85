// What has no form is refused by name; bad targets are errors.
// REQUIRES: halide
// RUN: split-file %s %t
// RUN: not attn-run %t/unbounded.mlir --random=1 --dim=n=5 --target=halide 2>&1 | FileCheck %t/unbounded.mlir
// RUN: not attn-run %t/scores.mlir --random=1 --dim=n=5 --dim=m=5 --target=halide 2>&1 | FileCheck %t/scores.mlir
// RUN: attn-run %t/scores.mlir --random=1 --dim=n=5 --dim=m=5 --target=halide --allow-quadratic --verify
// RUN: not attn-run %t/branch.mlir --random=1 --target=halide 2>&1 | FileCheck %t/branch.mlir
// RUN: not attn-run %t/map.mlir --random=1 --target=halide 2>&1 | FileCheck %t/map.mlir
// RUN: not attn-run %t/good.mlir --random=1 --dim=n=5 --target=halide:foo 2>&1 | FileCheck %t/good.mlir --check-prefix=FOO
// RUN: not attn-run %t/good.mlir --target=halide: 2>&1 | FileCheck %t/good.mlir --check-prefix=EMPTY
// RUN: not attn-run %t/good.mlir --random=1 --dim=n=5 --target=halide:arm-64-linux 2>&1 | FileCheck %t/good.mlir --check-prefix=ELSEWHERE
// RUN: not attn-run %t/good.mlir --random=1 --dim=n=5 --target=halide --autoscheduler=Best 2>&1 | FileCheck %t/good.mlir --check-prefix=BEST
// RUN: not attn-run %t/good.mlir --random=1 --dim=n=5 --target=halide --autoscheduler=Mullapudi2016 2>&1 | FileCheck %t/good.mlir --check-prefix=STEPS
// RUN: not attn-run %t/good.mlir --random=1 --dim=n=5 --autoscheduler=Mullapudi2016 2>&1 | FileCheck %t/good.mlir --check-prefix=CPU

//--- unbounded.mlir
// CHECK: unbounded.mlir:4:8: 'attn.causal_score' op has no form in Halide without the linear one, which was not derived: remarks say why
func.func @main(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x8xf32>, %g: tensor<2x?xf32>) -> tensor<2x?x8xf32> {
  // Decays that grow.
  %a = attn.causal_score %q, %k decay(%g : tensor<2x?xf32>) unbounded : tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x8xf32> -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}

//--- scores.mlir
// CHECK: scores.mlir:4:3: scores that leave the function need a buffer of queries times keys
func.func @main(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>) -> tensor<2x?x?xf32> {
  %a = attn.score %q, %k : tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x?xf32>
  return %a : tensor<2x?x?xf32>
}

//--- branch.mlir
// CHECK: branch.mlir:5:8: 'scf.if' op has no form in Halide
func.func @main(%q: tensor<2x5x8xf32>, %x: f32) -> tensor<2x5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %x, %zero : f32
  %o = scf.if %c -> tensor<2x5x8xf32> {
    %r = attn.feature_map %q, #attn.exp : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
    scf.yield %r : tensor<2x5x8xf32>
  } else {
    scf.yield %q : tensor<2x5x8xf32>
  }
  return %o : tensor<2x5x8xf32>
}

//--- map.mlir
// CHECK: map.mlir:5:10: 'math.erf' op has no form in Halide
func.func @main(%q: tensor<2x5x8xf32>) -> tensor<2x5x8xf32> {
  %o = attn.feature_map %q {
  ^bb0(%x: f32):
    %y = math.erf %x : f32
    attn.yield %y : f32
  } : tensor<2x5x8xf32> -> tensor<2x5x8xf32>
  return %o : tensor<2x5x8xf32>
}

//--- good.mlir
// FOO: error: Halide: 'foo' is not a target of Halide: expected arch-bits-os-features
// EMPTY: error: unknown target 'halide:': expected halide:TARGET, such as halide:host-opencl
// ELSEWHERE: error: Halide: code for 'arm-64-linux' does not run on this machine
// BEST: error: Halide: no autoscheduler 'Best': expected Mullapudi2016
// STEPS: error: Halide: no autoscheduler keeps the steps of a recurrence
// CPU: error: --autoscheduler is for --target=halide
func.func @main(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %a = attn.causal_score %q, %k : tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x8xf32> -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}
