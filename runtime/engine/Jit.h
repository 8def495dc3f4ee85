//===- Jit.h - From the LLVM dialect to machine code -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_JIT_H
#define ATTN_RUNTIME_ENGINE_JIT_H

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinOps.h"

namespace attn {

struct JitOptions {
  int optLevel = 3;
  /// Write the LLVM IR before optimization into this folder; not if empty.
  std::string dumpDirectory;
};

/// Names this machine as the `llvm.target` of a module.
llvm::Error setHostTarget(mlir::ModuleOp module);

/// Compiles a module of the LLVM dialect (and OpenMP) for this machine. What
/// kernels call is resolved and global constructors have run.
llvm::Expected<std::unique_ptr<mlir::ExecutionEngine>>
compileForHost(mlir::ModuleOp module, const JitOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_JIT_H
