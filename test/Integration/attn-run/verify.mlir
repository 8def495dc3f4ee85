// The f64 evaluation of the graph as it is written.
// RUN: attn-run %s --random=1 --dim=n=70 --dim=m=130 --verify | FileCheck %s
// RUN: attn-run %s --random=1 --dim=n=70 --dim=m=130 --verify --keep-order | FileCheck %s
// RUN: attn-run %s --random=1 --dim=n=70 --dim=m=130 --verify --threads=1 | FileCheck %s
// RUN: not attn-run %s --random=1 --dim=n=70 --dim=m=130 --verify --tol=1e-12 2>&1 | FileCheck %s --check-prefix=TIGHT
// CHECK: cpu: @main -> 2x70x16xf32
// CHECK: rel_err={{.*}} tol=1.0e-05 against the f64 evaluation
// TIGHT: rel_err={{[1-9].*}} tol=1.0e-12
// TIGHT: attn-run: error: result 0 against the f64 evaluation: relative error {{.*}} is not within the tolerance 1.0e-12

// A result that differs leaves no file.
// RUN: rm -f %t.npy
// RUN: not attn-run %s --random=1 --dim=n=70 --dim=m=130 --verify --tol=1e-12 --outputs=%t.npy
// RUN: not ls %t.npy
func.func @main(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>) -> tensor<2x?x16xf32> {
  %fq = attn.feature_map %q, #attn.elu1 : tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  %fk = attn.feature_map %k, #attn.elu1 : tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  %a = attn.score %fq, %fk : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x?x?xf32>
  %p = attn.normalize %a : tensor<2x?x?xf32>
  %o = attn.apply %p, %v : tensor<2x?x?xf32>, tensor<2x?x16xf32> -> tensor<2x?x16xf32>
  return %o : tensor<2x?x16xf32>
}
