// What the compiler chose and did: --explain, --remarks, --dump-ir, --time.
// RUN: attn-run %s --explain | FileCheck %s --check-prefix=SYMBOLIC
// RUN: attn-run %s --explain --random=1 --dim=n=1000 --dim=m=1000 | FileCheck %s --check-prefix=NUMBERS
// RUN: attn-run %s --explain --dim=n=4 --dim=m=4 | FileCheck %s --check-prefix=SHORT
// RUN: attn-run %s --remarks --random=1 --dim=n=100 --dim=m=100 2>&1 | FileCheck %s --check-prefix=REMARKS
// RUN: attn-run %s --random=1 --dim=n=100 --dim=m=100 --time=4 | FileCheck %s --check-prefix=TIME
// RUN: rm -rf %t && attn-run %s --random=1 --dim=n=100 --dim=m=100 --dump-ir=%t/ir
// RUN: find %t/ir -name "*.mlir" | FileCheck %s --check-prefix=DUMP
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t/ir/kernel.ll
// RUN: touch %t/file
// RUN: not attn-run %s --random=1 --dim=n=100 --dim=m=100 --dump-ir=%t/file 2>&1 | FileCheck %s --check-prefix=NO-FOLDER

// SYMBOLIC: order{{ +}}flops{{ +}}bytes{{ +}}peak memory
// SYMBOLIC: (arg0 arg1^T) arg2  (written){{.*n}}
// SYMBOLIC-NOT: measured
// NUMBERS: -> {{.*}}arg0 (arg1^T arg2)
// NUMBERS: cpu: @main
// NUMBERS: measured peak memory: inputs {{.*}} MiB, outputs {{.*}} MiB, the run added {{.*}} MiB
// SHORT: -> {{.*}}(arg0 arg1^T) arg2
// REMARKS: plan.mlir:[[#]]:[[#]]: remark: {{.*}}Passed
// REMARKS: cpu: @main
// TIME: time: median {{[0-9.]+ (us|ms|s)}}, min {{[0-9.]+ (us|ms|s)}}, max {{[0-9.]+ (us|ms|s)}}, spread {{[0-9.]+}}%, 4 runs
// DUMP: attn-reassociate.mlir
// LLVM: define {{.*}}@_mlir_ciface_main
// NO-FOLDER: attn-run: error: cannot create folder '{{.*}}file'
func.func @main(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
}
