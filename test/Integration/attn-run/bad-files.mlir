// RUN: rm -rf %t && mkdir -p %t/folder
// RUN: %python %S/../../Inputs/make_npy.py %t/x.npy f4 2x3
// RUN: %python %S/../../Inputs/make_npy.py %t/long.npy i8 2x3
// RUN: %python %S/../../Inputs/make_npy.py %t/rank.npy f4 2x3x1
// RUN: %python %S/../../Inputs/make_npy.py %t/size.npy f4 2x4
// RUN: %python %S/../../Inputs/make_npy.py %t/body.npy f4 2x3
// RUN: %python %S/../../Inputs/make_npy.py --truncate %t/body.npy 140
// RUN: %python %S/../../Inputs/make_npy.py %t/header.npy f4 2x3
// RUN: %python %S/../../Inputs/make_npy.py --truncate %t/header.npy 40
// RUN: echo "no array" > %t/text.npy

// RUN: not attn-run %s --inputs=%t/body.npy 2>&1 | FileCheck %s --check-prefix=BODY
// RUN: not attn-run %s --inputs=%t/header.npy 2>&1 | FileCheck %s --check-prefix=HEADER
// RUN: not attn-run %s --inputs=%t/text.npy 2>&1 | FileCheck %s --check-prefix=TEXT
// RUN: not attn-run %s --inputs=%t/folder 2>&1 | FileCheck %s --check-prefix=FOLDER
// RUN: not attn-run %s --inputs=%t/none.npy 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not attn-run %s --inputs=%t/long.npy 2>&1 | FileCheck %s --check-prefix=DTYPE
// RUN: not attn-run %s --inputs=%t/rank.npy 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not attn-run %s --inputs=%t/size.npy 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not attn-run %s --inputs=%t/x.npy,%t/x.npy 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not attn-run %s 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not attn-run %s --inputs=%t/x.npy --check=%t/none.npy 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not attn-run %s --inputs=%t/x.npy --check=%t/body.npy 2>&1 | FileCheck %s --check-prefix=BODY
// BODY: attn-run: error: '{{.*}}body.npy': truncated file
// HEADER: attn-run: error: '{{.*}}header.npy': truncated file
// TEXT: attn-run: error: '{{.*}}text.npy': not an .npy file
// FOLDER: attn-run: error: '{{.*}}folder': cannot read
// NO-FILE: attn-run: error: '{{.*}}none.npy': cannot read: No such file or directory
// DTYPE: attn-run: error: '{{.*}}long.npy': argument 0, tensor<2x3xf32>, takes no elements of i64
// RANK: attn-run: error: '{{.*}}rank.npy': argument 0, tensor<2x3xf32>, takes no array of shape [2, 3, 1]
// SIZE: attn-run: error: '{{.*}}size.npy': argument 0, tensor<2x3xf32>, takes no array of shape [2, 4]
// COUNT: attn-run: error: --inputs: expected 1 paths, got 2
// NOTHING: attn-run: error: {{.*}}bad-files.mlir:[[#]]:[[#]]: argument 0, tensor<2x3xf32>, has no value

// Outputs that cannot be written are found before the run, and leave nothing.
// RUN: not attn-run %s --inputs=%t/x.npy --outputs=%t/none/o.npy 2>&1 | FileCheck %s --check-prefix=NO-PARENT
// RUN: not attn-run %s --inputs=%t/x.npy --outputs=%t/folder 2>&1 | FileCheck %s --check-prefix=IS-FOLDER
// RUN: not attn-run %s --inputs=%t/x.npy --outputs=%t/a.npy,%t/b.npy 2>&1 | FileCheck %s --check-prefix=OUTPUT-COUNT
// RUN: not ls %t/none %t/a.npy
// NO-PARENT: attn-run: error: '{{.*}}o.npy': cannot write: no folder '{{.*}}none'
// IS-FOLDER: attn-run: error: '{{.*}}folder': cannot write: it is a folder
// OUTPUT-COUNT: attn-run: error: --outputs: expected 1 paths, got 2
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  return %x : tensor<2x3xf32>
}
