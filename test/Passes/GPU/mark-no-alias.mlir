// RUN: attn-opt %s --attn-mark-no-alias | FileCheck %s

gpu.module @kernels {
// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME: %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i64, %{{.*}}: !llvm.ptr {llvm.noalias})
llvm.func @kernel(%x: !llvm.ptr, %n: i64, %y: !llvm.ptr) attributes {nvvm.kernel} {
  llvm.return
}

// What is no kernel may be called with anything.
// CHECK-LABEL: llvm.func @function(
// CHECK-SAME: %{{.*}}: !llvm.ptr)
llvm.func @function(%x: !llvm.ptr) {
  llvm.return
}
}
