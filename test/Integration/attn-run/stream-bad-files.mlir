// Files that cannot be streamed are named before anything runs.
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python %S/../../Inputs/make_npy.py %t/x.npy f4 2x8x4
// RUN: %python %S/../../Inputs/make_npy.py %t/y.npy f4 2x8x6
// RUN: %python %S/../../Inputs/make_npy.py %t/short.npy f4 2x7x6
// RUN: %python %S/../../Inputs/make_npy.py %t/rank.npy f4 2x8
// RUN: %python %S/../../Inputs/make_npy.py %t/long.npy i8 2x8x6
// RUN: %python %S/../../Inputs/make_npy.py %t/cut.npy f4 2x8x6
// RUN: %python %S/../../Inputs/make_npy.py --truncate %t/cut.npy 200

// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/cut.npy 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/none.npy 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/long.npy 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/rank.npy 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/short.npy 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy, 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --dim=n=9 2>&1 | FileCheck %s --check-prefix=DIM
// CUT: attn-run: error: '{{.*}}cut.npy': truncated file: expected 384 bytes for shape [2, 8, 6] of f32, got 72
// NO-FILE: attn-run: error: '{{.*}}none.npy': cannot read: No such file or directory
// DTYPE: attn-run: error: '{{.*}}long.npy': argument 1, tensor<2x?x6xf32>, takes no elements of i64
// RANK: attn-run: error: '{{.*}}rank.npy': argument 1, tensor<2x?x6xf32>, takes no array of shape [2, 8]
// SHORT: attn-run: error: {{.*}}stream-bad-files.mlir:[[#]]:[[#]]: argument 1 has 7 tokens; expected 8, as the arguments before it
// NOTHING: attn-run: error: {{.*}}argument 1, tensor<2x?x6xf32>, has no value
// DIM: attn-run: error: {{.*}}dimension 1 of argument 0 is 8, but --dim=n=9

// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --check=%t/cut.npy 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --check=%t/short.npy --outputs=%t/o.npy 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --check=%t/y.npy,%t/y.npy 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --outputs=%t/none/o.npy 2>&1 | FileCheck %s --check-prefix=NO-PARENT
// RUN: not attn-run %s --stream=3 --inputs=%t/x.npy,%t/y.npy --outputs=/proc/o.npy 2>&1 | FileCheck %s --check-prefix=UNWRITABLE
// RUN: not ls %t/o.npy
// SHAPE: attn-run: error: result 0 against {{.*}}short.npy: cannot compare arrays of the shapes [2, 8, 6] and [2, 7, 6]
// COUNT: attn-run: error: --check: expected 1 paths, got 2
// NO-PARENT: attn-run: error: '{{.*}}o.npy': cannot write: no folder '{{.*}}none'
// UNWRITABLE: attn-run: error: '/proc/o.npy': cannot write

// A fixed number of tokens has no pieces, whatever the file holds.
// RUN: not attn-run %s --entry=static --stream=3 --inputs=%t/x.npy,%t/y.npy 2>&1 | FileCheck %s --check-prefix=STATIC
// STATIC: attn-run: error: {{.*}}streaming needs a dynamic number of tokens, '?'

// RUN: %python %S/../../Inputs/make_npy.py %t/odd.npy f4 2x7x4
// RUN: not attn-run %s --entry=steps --stream=3 --inputs=%t/x.npy,%t/odd.npy,%t/odd.npy 2>&1 | FileCheck %s --check-prefix=ODD
// ODD: attn-run: error: {{.*}}argument 1 has 7 steps; expected a multiple of 2, the steps of a token
func.func @main(%x: tensor<2x?x4xf32>, %y: tensor<2x?x6xf32>) -> tensor<2x?x6xf32> {
  %a = attn.causal_score %x, %x : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %y : tensor<2x?x?xf32>, tensor<2x?x6xf32> -> tensor<2x?x6xf32>
  return %o : tensor<2x?x6xf32>
}

func.func private @static(%x: tensor<2x8x4xf32>, %y: tensor<2x8x6xf32>) -> tensor<2x8x6xf32> {
  %a = attn.causal_score %x, %x : tensor<2x8x4xf32>, tensor<2x8x4xf32> -> tensor<2x8x8xf32>
  %o = attn.apply %a, %y : tensor<2x8x8xf32>, tensor<2x8x6xf32> -> tensor<2x8x6xf32>
  return %o : tensor<2x8x6xf32>
}

func.func private @steps(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
  %s = attn.expand_steps %q steps 2 : tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  %a = attn.causal_score %s, %k : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  %x = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  %o = attn.take_steps %x steps 2 : tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return %o : tensor<2x?x4xf32>
}
