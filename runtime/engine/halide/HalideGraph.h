//===- HalideGraph.h - A graph as a program for Halide -*- C++ -*--------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HALIDE_HALIDEGRAPH_H
#define ATTN_RUNTIME_ENGINE_HALIDE_HALIDEGRAPH_H

#include "runtime/engine/Engine.h"
#include "runtime/engine/halide/Translator.h"

namespace attn::halide {

struct GraphOptions {
  bool keepOrder = false;
  bool allowQuadratic = false;
};

/// The program of a function, and for each result the state that it updates, or
/// -1.
struct GraphProgram {
  TranslatedGraph graph;
  llvm::SmallVector<int64_t> states;
};

/// Runs the passes of the algebra on a copy of the module, and writes the
/// linear forms that they derive. An error names the operation that has no
/// form.
llvm::Expected<GraphProgram> writeProgram(mlir::ModuleOp module,
                                          llvm::StringRef entry,
                                          const GraphOptions &options,
                                          CompileTimes *times = nullptr);

} // namespace attn::halide

#endif // ATTN_RUNTIME_ENGINE_HALIDE_HALIDEGRAPH_H
