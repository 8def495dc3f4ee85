// RUN: rm -rf %t && split-file %s %t
// RUN: not attn-run %t/syntax.mlir --random=1 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not attn-run %t/types.mlir --random=1 2>&1 | FileCheck %s --check-prefix=TYPES
// RUN: not attn-run %t/unsupported.mlir --random=1 2>&1 | FileCheck %s --check-prefix=NO-LOWERING
// RUN: not attn-run %t/complex.mlir --random=1 2>&1 | FileCheck %s --check-prefix=COMPLEX
// RUN: not attn-run %t/empty.mlir 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not attn-run %t/axes.mlir --random=1 2>&1 | FileCheck %s --check-prefix=AXES

//--- syntax.mlir
// SYNTAX: syntax.mlir:{{3|4}}:{{[0-9]+}}: error:
// SYNTAX: attn-run: error: cannot parse '{{.*}}syntax.mlir'
func.func @main(%x: tensor<2xf32> { return }

//--- types.mlir
// TYPES: types.mlir:3:{{[0-9]+}}: error: 'attn.score' op [P4]
func.func @main(%q: tensor<2x4xf32>, %k: tensor<2x5xf32>) -> tensor<2x2xf32> {
  %a = attn.score %q, %k : tensor<2x4xf32>, tensor<2x5xf32> -> tensor<2x2xf32>
  return %a : tensor<2x2xf32>
}

//--- unsupported.mlir
// No lowering to CPUs.
// NO-LOWERING: attn-run: error: {{.*}}unsupported.mlir:4:{{[0-9]+}}:
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = tosa.cos %x : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

//--- complex.mlir
// COMPLEX: attn-run: error: {{.*}}complex<f32>
func.func @main(%x: tensor<2xcomplex<f32>>) -> tensor<2xcomplex<f32>> {
  return %x : tensor<2xcomplex<f32>>
}

//--- empty.mlir
// EMPTY: attn-run: error: '{{.*}}empty.mlir': no public function to run

//--- axes.mlir
// AXES: attn-run: error: {{.*}}axes.mlir:2:{{[0-9]+}}: {{.*}}attn.axes
func.func @main(%q: tensor<?x4xf32> {attn.axes = "n"}) -> tensor<?x4xf32> {
  return %q : tensor<?x4xf32>
}
