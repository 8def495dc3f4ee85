// Arguments from files, results to files, and results against files.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../../Inputs/make_npy.py %t/x.npy f4 2x3 1,2,3
// RUN: %python %S/../../Inputs/make_npy.py %t/y.npy f4 2x3 0.5
// RUN: %python %S/../../Inputs/make_npy.py %t/sum.npy f4 2x3 1.5,2.5,3.5
// RUN: %python %S/../../Inputs/make_npy.py %t/off.npy f4 2x3 1.5,2.5,3.6
// RUN: %python %S/../../Inputs/make_npy.py %t/flat.npy f4 6 1.5,2.5,3.5

// RUN: attn-run %s --inputs=%t/x.npy,%t/y.npy --outputs=%t/s.npy,%t/d.npy | FileCheck %s --check-prefix=RESULT
// RUN: %python %S/../../Inputs/make_npy.py --print %t/s.npy | FileCheck %s --check-prefix=SUM
// RUN: %python %S/../../Inputs/make_npy.py --print %t/d.npy | FileCheck %s --check-prefix=DIFFERENCE
// RUN: attn-run %s --inputs=%t/x.npy,%t/y.npy --check=%t/sum.npy, | FileCheck %s --check-prefix=CHECK-FILE
// RUN: not attn-run %s --inputs=%t/x.npy,%t/y.npy --check=%t/off.npy, 2>&1 | FileCheck %s --check-prefix=MISMATCH
// RUN: attn-run %s --inputs=%t/x.npy,%t/y.npy --check=%t/off.npy, --tol=0.1 | FileCheck %s --check-prefix=TOLERANCE
// RUN: not attn-run %s --inputs=%t/x.npy,%t/y.npy --check=%t/flat.npy, 2>&1 | FileCheck %s --check-prefix=SHAPE

// An empty path drops a result.
// RUN: attn-run %s --inputs=%t/x.npy,%t/y.npy --outputs=,%t/only.npy && ls %t | FileCheck %s --check-prefix=DROPPED

// Nobody can write to /proc: the result that was written before is removed.
// RUN: not attn-run %s --inputs=%t/x.npy,%t/y.npy --outputs=%t/first.npy,/proc/second.npy 2>&1 | FileCheck %s --check-prefix=UNWRITABLE
// RUN: not ls %t/first.npy
// UNWRITABLE: attn-run: error: '/proc/second.npy': cannot write

// RESULT: cpu: @main -> 2x3xf32, 2x3xf32
// SUM: f4 2x3: 1.5 2.5 3.5 1.5 2.5 3.5
// DIFFERENCE: f4 2x3: 0.5 1.5 2.5 0.5 1.5 2.5
// CHECK-FILE: rel_err=0.0e+00 tol=1.0e-05 against {{.*}}sum.npy
// CHECK-FILE-NOT: rel_err
// MISMATCH: rel_err=2.2e-02 tol=1.0e-05 against {{.*}}off.npy
// MISMATCH: attn-run: error: result 0 against {{.*}}off.npy: relative error 2.2e-02 is not within the tolerance 1.0e-05
// TOLERANCE: rel_err=2.2e-02 tol=1.0e-01
// SHAPE: attn-run: error: result 0 against {{.*}}flat.npy: {{.*}}[2, 3]{{.*}}[6]
// DROPPED: only.npy
func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %s = arith.addf %x, %y : tensor<2x3xf32>
  %d = arith.subf %x, %y : tensor<2x3xf32>
  return %s, %d : tensor<2x3xf32>, tensor<2x3xf32>
}
