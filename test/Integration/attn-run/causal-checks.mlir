// What only a call knows about decays, gates, segments and steps. The location
// is that of the operation.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../../Inputs/make_npy.py %t/x.npy f4 4x2 1,2,3,4,5,6,7,8
// RUN: %python %S/../../Inputs/make_npy.py %t/fine.npy f4 4 -1,0,-2,-0.5
// RUN: %python %S/../../Inputs/make_npy.py %t/positive.npy f4 4 -1,0,0.25,-0.5
// RUN: %python %S/../../Inputs/make_npy.py %t/beta.npy f4 4 0,1,0.5,0.25
// RUN: attn-run %s --entry=decay --target=reference --inputs=%t/x.npy,%t/x.npy,%t/fine.npy
// RUN: not attn-run %s --entry=decay --target=reference --inputs=%t/x.npy,%t/x.npy,%t/positive.npy 2>&1 | FileCheck %s --check-prefix=DECAY
// DECAY: attn-run: error: {{.*}}causal-checks.mlir:[[@LINE+2]]:8: 'attn.causal_score': decay [2] is 0.25, expected 0 or less
func.func @decay(%q: tensor<?x2xf32>, %v: tensor<?x2xf32>, %g: tensor<?xf32>) -> tensor<?x2xf32> {
  %a = attn.causal_score %q, %q decay(%g : tensor<?xf32>) : tensor<?x2xf32>, tensor<?x2xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  return %o : tensor<?x2xf32>
}

// RUN: attn-run %s --entry=gate --target=reference --inputs=%t/x.npy,%t/beta.npy
// RUN: not attn-run %s --entry=gate --target=reference --inputs=%t/x.npy,%t/fine.npy 2>&1 | FileCheck %s --check-prefix=GATE
// GATE: attn-run: error: {{.*}}causal-checks.mlir:[[@LINE+2]]:8: 'attn.gate': gate [0] is -1, expected a value in [0, 1]
func.func @gate(%v: tensor<?x2xf32>, %b: tensor<?xf32>) -> tensor<?x2xf32> {
  %r = attn.gate %v, %b in [0.0, 1.0] : tensor<?x2xf32>, tensor<?xf32> -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}

// RUN: %python %S/../../Inputs/make_npy.py %t/cu.npy i8 3 0,1,4
// RUN: %python %S/../../Inputs/make_npy.py %t/order.npy i8 3 0,5,4
// RUN: %python %S/../../Inputs/make_npy.py %t/end.npy i8 3 0,1,3
// RUN: attn-run %s --entry=packed --target=reference --inputs=%t/x.npy,%t/x.npy,%t/cu.npy
// RUN: not attn-run %s --entry=packed --target=reference --inputs=%t/x.npy,%t/x.npy,%t/order.npy 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not attn-run %s --entry=packed --target=reference --inputs=%t/x.npy,%t/x.npy,%t/end.npy 2>&1 | FileCheck %s --check-prefix=END
// ORDER: attn-run: error: {{.*}}causal-checks.mlir:[[@LINE+3]]:12: 'attn.recurrence': cu_seqlens does not increase at position 2: 4 after 5
// END: attn-run: error: {{.*}}causal-checks.mlir:[[@LINE+2]]:12: 'attn.recurrence': cu_seqlens ends at 3, expected the number of queries, 4
func.func @packed(%q: tensor<?x2xf32>, %v: tensor<?x2xf32>, %cu: tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2x2xf32>) {
  %o, %s = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") packed(%cu) -> "nv", state "sdv" : (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x2x2xf32>)
  return %o, %s : tensor<?x2xf32>, tensor<?x2x2xf32>
}

// RUN: attn-run %s --entry=steps --target=reference --inputs=%t/x.npy
// RUN: not attn-run %s --entry=steps --target=reference --random=1 --dim=x0=5 2>&1 | FileCheck %s --check-prefix=STEPS
// STEPS: attn-run: error: {{.*}}causal-checks.mlir:[[@LINE+2]]:8: 'attn.take_steps': 5 steps are not a multiple of 2
func.func @steps(%x: tensor<?x2xf32> {attn.axes = "nd"}) -> tensor<?x2xf32> {
  %r = attn.take_steps %x steps 2 : tensor<?x2xf32> -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
}
