//===- IsolatedGraph.h - One function of a graph by itself -*- C++ -*-----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_ISOLATEDGRAPH_H
#define ATTN_RUNTIME_ENGINE_ISOLATEDGRAPH_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/engine/Signature.h"

namespace attn {

/// The function `entry` of a module, or the public one if the name is empty, as
/// the one that can be called from outside.
llvm::Expected<mlir::func::FuncOp> isolate(mlir::ModuleOp module,
                                           llvm::StringRef entry);

/// A copy of a module in which one function is public, and what its calls look
/// like.
struct IsolatedGraph {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  ContentChecks checks;
  Signature signature;

  /// With `exposesStates` states are arguments and results of the function.
  static llvm::Expected<IsolatedGraph>
  create(mlir::ModuleOp module, llvm::StringRef entry, bool exposesStates);

  llvm::StringRef getName() const { return signature.function; }

  /// A copy to lower, whose function works in memory of the caller. Results
  /// whose shape the caller knows have a buffer from it, as arguments behind
  /// the graph's, and states may be written. Strided tensors have any strides
  /// but the last, which is 1; states are dense, for a function returns nothing
  /// else. The very last argument is the status that attn-check-allocations
  /// reports to.
  mlir::OwningOpRef<mlir::ModuleOp> copyToLower(bool strided) const;

  /// For each result the argument of the lowered function that is its memory,
  /// or -1 where the function returns it.
  llvm::SmallVector<int64_t> getPlaces(mlir::ModuleOp lowered) const;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_ISOLATEDGRAPH_H
