//===- Graph.h - A module in a context of its own -*- C++ -*- -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_GRAPH_H
#define ATTN_RUNTIME_ENGINE_GRAPH_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/ThreadPool.h"

namespace attn {

/// A module in a context of its own, so that threads share nothing.
class Graph {
public:
  /// Reads text; errors are located in `name`. Arguments and results without
  /// `attn.name` get the names that they have in the text, numbers apart.
  static llvm::Expected<Graph> parse(llvm::StringRef text,
                                     llvm::StringRef name);

  mlir::ModuleOp getModule() { return *module; }

private:
  Graph();

  /// A context creates attributes under locks only if it has a pool of threads.
  /// This pool has none: passes run in the calling thread.
  std::unique_ptr<llvm::SingleThreadExecutor> executor;
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The text of a module, with the locations of its operations.
std::string printGraph(mlir::ModuleOp module);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_GRAPH_H
