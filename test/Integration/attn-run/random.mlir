// Random arguments: sizes by name, files for some of them.
// RUN: rm -rf %t && mkdir -p %t
// RUN: attn-run %s --random=7 --dim=n=5 --dim=m=9 --outputs=%t/a.npy | FileCheck %s
// RUN: attn-run %s --random=7 --dim=m=9 --dim=n=5 --check=%t/a.npy --tol=0
// RUN: not attn-run %s --random=8 --dim=n=5 --dim=m=9 --check=%t/a.npy 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: attn-run %s --target=reference --random=7 --dim=n=5 --dim=m=9 --check=%t/a.npy | FileCheck %s --check-prefix=REFERENCE
// CHECK: cpu: @main -> 5x4xf32
// OTHER: rel_err={{[1-9].*}}
// OTHER: attn-run: error: result 0
// REFERENCE: reference: @main -> 5x4xf64
// REFERENCE: rel_err=

// The second argument from a file, with its number of keys.
// RUN: %python %S/../../Inputs/make_npy.py %t/k.npy f4 6x8
// RUN: attn-run %s --random=7 --dim=n=5 --inputs=,%t/k.npy, --verify | FileCheck %s
// RUN: not attn-run %s --random=7 --dim=n=5 --dim=m=7 --inputs=,%t/k.npy, 2>&1 | FileCheck %s --check-prefix=CONFLICT
// RUN: not attn-run %s --inputs=,%t/k.npy, 2>&1 | FileCheck %s --check-prefix=NO-VALUE
// CONFLICT: attn-run: error: {{.*}}random.mlir:[[#]]:[[#]]: dimension 0 of argument 1 is 6, but --dim=m=7
// NO-VALUE: attn-run: error: {{.*}}argument 0, tensor<?x8xf32>, has no value: give its file by --inputs or --random=SEED

// RUN: not attn-run %s --random=7 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not attn-run %s --random=7 --dim=n=3 2>&1 | FileCheck %s --check-prefix=MISSING-M
// RUN: not attn-run %s --random=7 --dim=n=5 --dim=m=9 --dim=z=1 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not attn-run %s --random=7 --dim=n=-5 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not attn-run %s --random=7 --dim=n 2>&1 | FileCheck %s --check-prefix=NO-SIZE
// RUN: not attn-run %s --random=7 --dim=n=5 --dim=n=6 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not attn-run %s --random=7 --dim=n=9000000000000 --dim=m=9 2>&1 | FileCheck %s --check-prefix=HUGE
// MISSING: attn-run: error: needs --dim=NAME=SIZE for n (dimension 0 of argument 0), m (dimension 0 of argument 1)
// MISSING-M: attn-run: error: needs --dim=NAME=SIZE for m (dimension 0 of argument 1)
// UNKNOWN: attn-run: error: no dynamic dimension is named 'z'; there is n (dimension 0 of argument 0), m (dimension 0 of argument 1)
// NEGATIVE: attn-run: error: --dim=n=-5: expected NAME=SIZE with a size of 0 or more
// NO-SIZE: attn-run: error: --dim=n: expected NAME=SIZE
// TWICE: attn-run: error: --dim=n=6: 'n' is already 5
// HUGE: attn-run: error: {{.*}}out of memory
func.func @main(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %a = attn.score %q, %k : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %o : tensor<?x4xf32>
}
