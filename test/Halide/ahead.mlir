// An object and a header of Halide's, for this machine and for another.
// REQUIRES: halide
// RUN: rm -rf %t && mkdir %t
// RUN: attn-compile %s --target=halide --name=mean -o %t/mean.o
// RUN: %host_cc -I%t -c %S/Inputs/call.c -o %t/call.o
// RUN: %host_cc -x none %t/call.o %t/mean.o -lpthread -ldl -lm -o %t/call
// RUN: %t/call | FileCheck %s --check-prefix=CALL
// CALL: 0: 4 19
// RUN: attn-compile %s --target=halide:arm-64-android --name=mean -o %t/arm.o
// RUN: %llvm_tools/llvm-readobj --file-header %t/arm.o | FileCheck %s --check-prefix=ARM
// ARM: Format: elf64-littleaarch64
// RUN: FileCheck %s --check-prefix=HEADER --input-file=%t/arm.h
// HEADER: int mean(int32_t {{.*}}, struct halide_buffer_t *
// RUN: not attn-compile %s --target=halide -o %t/mean.so 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: mean.so: expected .o for --target=halide
// RUN: not attn-compile %s --target=halide:foo -o %t/mean.o 2>&1 | FileCheck %s --check-prefix=FOO
// FOO: 'foo' is not a target of Halide

func.func @main(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
  %a = attn.score %q, %k : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  %p = attn.normalize %a : tensor<2x?x?xf32>
  %o = attn.apply %p, %v : tensor<2x?x?xf32>, tensor<2x?x4xf32> -> tensor<2x?x4xf32>
  return %o : tensor<2x?x4xf32>
}
