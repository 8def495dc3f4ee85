//===- HostFunction.h - A compiled function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H
#define ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/engine/Jit.h"
#include "runtime/engine/MemRefDescriptor.h"

namespace attn {

/// A function of a graph, compiled for this machine: what all engines that make
/// machine code have in common. Arrays are passed by their addresses, of this
/// machine's memory or of a device's.
class HostFunction {
public:
  /// Lowers a clone of the module, in which `entry` is the one public function
  /// and states are writable, to the LLVM dialect and compiles that.
  static llvm::Expected<HostFunction>
  create(mlir::ModuleOp module, llvm::StringRef entry,
         llvm::function_ref<llvm::Error(mlir::ModuleOp)> lower,
         const JitOptions &options);

  /// What is wrong with arguments, which must be of this machine's memory.
  llvm::Error check(llvm::ArrayRef<Array> arguments) const;
  /// Calls without a check. Results free their memory by `release`.
  llvm::SmallVector<Array> call(llvm::ArrayRef<Array> arguments,
                                void (*release)(void *)) const;

private:
  HostFunction(mlir::OwningOpRef<mlir::ModuleOp> graph,
               mlir::func::FuncOp function, ContentChecks checks)
      : graph(std::move(graph)), function(function), checks(std::move(checks)) {
  }

  /// What the checks read.
  mlir::OwningOpRef<mlir::ModuleOp> graph;
  mlir::func::FuncOp function;
  ContentChecks checks;
  std::unique_ptr<mlir::ExecutionEngine> engine;
  void (*kernel)(void **) = nullptr;
  ResultBuffer resultLayout;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H
