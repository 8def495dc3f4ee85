// From files to files a piece at a time: the same files as of one run.
// RUN: rm -rf %t && mkdir -p %t/out
// RUN: %python %S/../../Inputs/make_npy.py %t/q.npy f4 2x130x16
// RUN: %python %S/../../Inputs/make_npy.py %t/k.npy f2 2x130x16 0.5,-1,0.25,2,-0.5,1,-0.125
// RUN: %python %S/../../Inputs/make_npy.py %t/v.npy f8 2x130x24 1,-1,0.5,0.25,-2
// RUN: %python %S/../../Inputs/make_npy.py %t/g.npy f4 2x130 -0.1,-0.02,-0.3,-0.7
// RUN: %python %S/../../Inputs/make_npy.py %t/b.npy f4 2x130 0.5,0.9,0.1
// RUN: %python %S/../../Inputs/make_npy.py %t/w.npy f4 24 1,2,-1
// RUN: %python %S/../../Inputs/make_npy.py %t/s.npy f4 2x16x24 0.5,-0.25,1
// RUN: attn-run %s --entry=delta --form=recurrent --state --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy --outputs=%t/o.npy,%t/m.npy,%t/end.npy
// RUN: attn-run %s --entry=delta --stream=37 --state --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy --check=%t/o.npy,%t/m.npy,%t/end.npy --outputs=%t/out/o.npy,%t/out/m.npy,%t/out/end.npy | FileCheck %s --check-prefix=FILES
// RUN: attn-run %s --entry=delta --form=recurrent --state --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy --check=%t/out/o.npy,%t/out/m.npy,%t/out/end.npy | FileCheck %s --check-prefix=BACK
// RUN: ls %t/out | FileCheck %s --check-prefix=THREE
// FILES: streamed: @delta, 130 tokens, 37 a call, the run added
// FILES-NEXT: rel_err={{.*}} tol=1.0e-05 against {{.*}}o.npy
// FILES-NEXT: rel_err[1]=0.0e+00 tol=1.0e-05 against {{.*}}m.npy
// FILES-NEXT: rel_err[2]={{.*}} tol=1.0e-05 against {{.*}}end.npy
// BACK: rel_err={{.*}} against {{.*}}out{{.}}o.npy
// THREE: end.npy
// THREE-NEXT: m.npy
// THREE-NEXT: o.npy
// THREE-NOT: {{.}}

// One token a call, the f64 evaluation beside the files, an initial state.
// RUN: attn-run %s --entry=delta --form=recurrent --state --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy,%t/s.npy --outputs=%t/o.npy,,%t/end.npy
// RUN: attn-run %s --entry=delta --stream=1 --state --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy,%t/s.npy --check=%t/o.npy,,%t/end.npy --verify | FileCheck %s --check-prefix=INITIAL
// INITIAL: rel_err={{.*}} against {{.*}}o.npy
// INITIAL-NEXT: rel_err[2]={{.*}} against {{.*}}end.npy
// INITIAL-NEXT: rel_err={{.*}} against the f64 evaluation
// INITIAL-NEXT: rel_err[1]={{.*}} against the f64 evaluation
// INITIAL-NEXT: rel_err[2]={{.*}} against the f64 evaluation

// Results of the reference are f64 files.
// RUN: attn-run %s --entry=delta --stream=50 --target=reference --inputs=%t/q.npy,%t/k.npy,%t/v.npy,%t/g.npy,%t/b.npy,%t/w.npy --outputs=%t/f64.npy, --check=%t/out/o.npy, | FileCheck %s --check-prefix=REFERENCE
// RUN: %python %S/../../Inputs/make_npy.py --print %t/f64.npy | FileCheck %s --check-prefix=F64
// REFERENCE: rel_err={{[^ ]*}} tol=1.0e-05 against {{.*}}o.npy
// F64: f8 2x130x24:

// Files give the number of tokens that random arguments share; bf16 results are
// f32 files; a file that is read may be replaced.
// RUN: attn-run %s --entry=narrow --random=3 --inputs=,%t/v.npy --stream=50 --outputs=%t/n.npy
// RUN: attn-run %s --entry=narrow --random=3 --inputs=,%t/v.npy --stream=50 --check=%t/n.npy --tol=4e-3 --outputs=%t/n.npy
// RUN: %python %S/../../Inputs/make_npy.py --print %t/n.npy | FileCheck %s --check-prefix=NARROW
// NARROW: f4 2x130x24:

// The error is the largest of a piece, and what is wrong leaves no file.
// RUN: %python %S/../../Inputs/make_npy.py %t/ones.npy f4 2x4x16 1
// RUN: %python %S/../../Inputs/make_npy.py %t/off.npy f4 2x4x16 16,16,16,16,16,16,16,16,16,16,16,16,16,16,16,16,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,32,48,48,48,48,48,48,48,48,48,48,48,48,48,48,48,48,128,128,128,128,128,128,128,128,128,128,128,128,128,128,128,128
// RUN: rm -rf %t/out && mkdir %t/out
// RUN: not attn-run %s --entry=sum --inputs=%t/ones.npy,%t/ones.npy --stream=1 --check=%t/off.npy --outputs=%t/out/o.npy 2>&1 | FileCheck %s --check-prefix=LARGEST
// RUN: not attn-run %s --entry=sum --inputs=%t/ones.npy,%t/ones.npy --stream=1 --verify --check=%t/ones.npy --outputs=%t/out/o.npy 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not ls %t/out/o.npy && rmdir %t/out
// LARGEST: rel_err=5.0e-01 tol=1.0e-05 against {{.*}}off.npy
// LARGEST: attn-run: error: result 0 against {{.*}}off.npy: relative error 5.0e-01 is not within the tolerance 1.0e-05
// WRONG: attn-run: error: result 0 against {{.*}}ones.npy: relative error

!t = tensor<2x?x16xf32>
!v = tensor<2x?x24xf32>
!s = tensor<2x?x?xf32>

func.func @delta(%q: !t, %x: !t, %v: !v, %g: tensor<2x?xf32>, %beta: tensor<2x?xf32>, %w: tensor<24xf32>) -> (!v, tensor<24xf32>) {
  %k = attn.feature_map %x, #attn.l2_norm<eps = 1.0e-6> : !t -> !t
  %c = attn.causal_score %k, %k decay(%g : tensor<2x?xf32>) strict : !t, !t -> !s
  %l = attn.gate %c, %beta in [0.0, 1.0] : !s, tensor<2x?xf32> -> !s
  %b = attn.gate %v, %beta : !v, tensor<2x?xf32> -> !v
  %u = attn.solve %l, %b : !s, !v -> !v
  %a = attn.causal_score %q, %k decay(%g : tensor<2x?xf32>) : !t, !t -> !s
  %o = attn.apply %a, %u : !s, !v -> !v
  %m = arith.addf %w, %w : tensor<24xf32>
  return %o, %m : !v, tensor<24xf32>
}

func.func @narrow(%q: tensor<2x?x16xbf16>, %v: tensor<2x?x24xbf16>) -> tensor<2x?x24xbf16> {
  %a = attn.causal_score %q, %q : tensor<2x?x16xbf16>, tensor<2x?x16xbf16> -> !s
  %o = attn.apply %a, %v : !s, tensor<2x?x24xbf16> -> !v
  %n = arith.truncf %o : !v to tensor<2x?x24xbf16>
  return %n : tensor<2x?x24xbf16>
}

func.func @sum(%x: !t, %v: !t) -> !t {
  %a = attn.causal_score %x, %x : !t, !t -> !s
  %o = attn.apply %a, %v : !s, !t -> !t
  return %o : !t
}
