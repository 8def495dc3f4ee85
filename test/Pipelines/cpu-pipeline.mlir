// From a graph to the LLVM dialect: nothing of any other dialect is left.
// RUN: attn-opt %s --attn-cpu-pipeline | FileCheck %s --check-prefixes=LLVM,PARALLEL
// RUN: attn-opt %s --attn-cpu-pipeline=parallel=false | FileCheck %s --check-prefixes=LLVM,SERIAL --implicit-check-not=omp.
// RUN: attn-opt %s --attn-cpu-pipeline | not grep -E '(^|[ =])"?(attn|linalg|scf|tensor|memref|vector|math|arith|affine|bufferization|cf|func|ub|builtin\.unrealized)[._][a-z]'
// RUN: attn-opt %s --attn-cpu-pipeline=parallel=false | not grep -E '(^|[ =])"?(attn|linalg|scf|tensor|memref|vector|math|arith|affine|bufferization|cf|func|ub|omp|builtin\.unrealized)[._][a-z]'

// The C interface is a pointer to a descriptor for each tensor.
// LLVM: llvm.func @softmax(
// PARALLEL: omp.parallel
// SERIAL: llvm.br
// LLVM: llvm.func @_mlir_ciface_softmax(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) attributes {llvm.emit_c_interface}
// LLVM: llvm.func @linear(

// No buffer has two sizes of tokens, and those that are not the result are
// freed. With its products as they are written @linear has none but the result.
// RUN: attn-opt %s --attn-cpu-pipeline --mlir-print-ir-after=convert-bufferization-to-memref -o /dev/null 2>&1 | FileCheck %s --check-prefixes=BUFFERS,STATE --implicit-check-not='memref.alloc({{.*}}x?x?x' --implicit-check-not='memref.alloc({{[^)]*}},' --implicit-check-not='memref.alloc('
// RUN: attn-opt %s --attn-cpu-pipeline=keep-order --mlir-print-ir-after=convert-bufferization-to-memref -o /dev/null 2>&1 | FileCheck %s --check-prefixes=BUFFERS,WRITTEN --implicit-check-not='memref.alloc('
// BUFFERS-LABEL: func.func @softmax
// BUFFERS: %[[O:.*]] = memref.alloc(%{{[a-z0-9_]+}}) {{.*}}: memref<2x?x32xf32>
// BUFFERS-NOT: memref.dealloc
// BUFFERS: return %[[O]]
func.func @softmax(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x32xf32>) -> tensor<2x?x32xf32> {
  %s = attn.score %q, %k : tensor<2x?x16xf32>, tensor<2x?x16xf32> -> tensor<2x?x?xf32>
  %m = attn.mask %s, #attn.causal else -inf : tensor<2x?x?xf32>
  %p = attn.softmax %m : tensor<2x?x?xf32>
  %o = attn.apply %p, %v : tensor<2x?x?xf32>, tensor<2x?x32xf32> -> tensor<2x?x32xf32>
  return %o : tensor<2x?x32xf32>
}

// BUFFERS-LABEL: func.func @linear
// STATE: %[[S:.*]] = memref.alloc() {{.*}}: memref<8x64x128xf32>
// STATE: %[[O:.*]] = memref.alloc() {{.*}}: memref<8x4096x128xf32>
// STATE: memref.dealloc %[[S]]
// WRITTEN: %[[O:.*]] = memref.alloc() {{.*}}: memref<8x4096x128xf32>
// WRITTEN-NOT: memref.dealloc
// BUFFERS: return %[[O]]
func.func @linear(%q: tensor<8x4096x64xf32>, %k: tensor<8x4096x64xf32>, %v: tensor<8x4096x128xf32>) -> tensor<8x4096x128xf32> {
  %s = attn.score %q, %k : tensor<8x4096x64xf32>, tensor<8x4096x64xf32> -> tensor<8x4096x4096xf32>
  %o = attn.apply %s, %v : tensor<8x4096x4096xf32>, tensor<8x4096x128xf32> -> tensor<8x4096x128xf32>
  return %o : tensor<8x4096x128xf32>
}
