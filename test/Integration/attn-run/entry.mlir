// RUN: attn-run %s --entry=twice --random=1 | FileCheck %s --check-prefix=TWICE
// RUN: attn-run %s --entry=hidden --random=1 | FileCheck %s --check-prefix=HIDDEN
// RUN: not attn-run %s --random=1 2>&1 | FileCheck %s --check-prefix=SEVERAL
// RUN: not attn-run %s --random=1 --entry=thrice 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not attn-run %s --random=1 --entry=outside 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: echo 'func.func private @f() { return }' > %t.mlir
// RUN: not attn-run %t.mlir 2>&1 | FileCheck %s --check-prefix=NONE

// TWICE: cpu: @twice -> 2xf32
func.func @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @hidden(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// HIDDEN: cpu: @hidden -> 2xf32
func.func private @hidden(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = arith.addf %x, %x : tensor<2xf32>
  return %y : tensor<2xf32>
}

func.func @other() { return }
func.func private @outside(tensor<2xf32>) -> tensor<2xf32>

// SEVERAL: attn-run: error: '{{.*}}entry.mlir': several public functions: choose one by --entry of twice, other
// UNKNOWN: attn-run: error: {{.*}}no function '{{thrice|outside}}' to run; there is twice, hidden, other
// NONE: attn-run: error: '{{.*}}': no public function to run
