//===- KernelBuilder.h - A kernel and its launch -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_KERNELBUILDER_H
#define ATTN_PASSES_GPU_KERNELBUILDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::attn {

/// The kernel that a call of a function without a body stands for. The call's
/// operands are the blocks, the threads of a block, its bytes of shared memory,
/// and the kernel's arguments.
constexpr StringLiteral kKernelAttrName = "attn.kernel";
/// Replaces such a call by the launch.
void emitLaunch(func::CallOp call);

/// Makes a gpu.func in a module of its own, beside the host's code that will
/// launch it. Sizes and pointers of the host become arguments of the kernel
/// when they are first asked for.
class KernelBuilder {
public:
  KernelBuilder(ModuleOp module, StringRef name, Operation *launchPoint);

  /// Where the host's and the kernel's operations are written.
  OpBuilder host;
  OpBuilder entry;
  gpu::GPUFuncOp getFunction() { return function; }

  /// A number of the host, of type index, in the kernel.
  Value pass(Value number);
  OpFoldResult pass(OpFoldResult number);
  /// The size of a dimension of a tensor or a buffer of the host.
  OpFoldResult passSize(Value shaped, int64_t dim);
  /// The address of the first element of a tensor, to be read, or of a buffer,
  /// as !llvm.ptr<1>. Both are contiguous.
  Value passPointer(Value tensorOrBuffer);

  /// Launches `blocks` blocks of `threads` threads with so many bytes of shared
  /// memory.
  void launch(Value blocks, int64_t threads, int64_t sharedBytes);
  /// The start of the block's shared memory, !llvm.ptr<3>.
  Value getSharedMemory();
  /// Undoes everything.
  void erase();

private:
  Value addArgument(Value operand);

  Location loc;
  gpu::GPUModuleOp kernels;
  gpu::GPUFuncOp function;
  SmallVector<Value> operands;
  DenseMap<Value, Value> passed, pointers;
  DenseMap<std::pair<Value, int64_t>, Value> sizes;
  SmallVector<Operation *> hostOps;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_KERNELBUILDER_H
