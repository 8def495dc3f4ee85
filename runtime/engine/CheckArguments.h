//===- CheckArguments.h - A call against its signature -*- C++ -*- ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H
#define ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H

#include "runtime/engine/Signature.h"

namespace attn {

/// What the memory of a call must be.
struct MemoryRules {
  /// Where tensors are; pinned and managed memory of CUDA is on both. Scalars
  /// are on the CPU.
  DLDevice device = {kDLCPU, 0};
  /// Strides may be any, but the last dimension's, which is 1; else tensors are
  /// dense. States are always dense.
  bool strided = false;
};

/// The function of that name, which has a body, or the public one if the name
/// is empty; the error lists the functions that there are.
llvm::Expected<mlir::func::FuncOp> findEntry(mlir::ModuleOp module,
                                             llvm::StringRef name);

/// Checks the number of arguments, and of each the device, the element type,
/// the rank, the static sizes, the strides, the alignment and that there is
/// data. The error says what was expected and what came.
llvm::Error checkArguments(const Signature &signature,
                           llvm::ArrayRef<DLTensor> arguments,
                           const MemoryRules &rules);

/// Likewise the results, for arguments that are right: their sizes are those
/// which the arguments determine. Results overlap nothing, but a result may be
/// exactly the state that it updates.
llvm::Error checkResults(const Signature &signature,
                         llvm::ArrayRef<DLTensor> arguments,
                         llvm::ArrayRef<DLTensor> results,
                         const MemoryRules &rules);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H
