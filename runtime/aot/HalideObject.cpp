//===- HalideObject.cpp - Objects of Halide's targets ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/HalideObject.h"
#include "runtime/engine/halide/HalideGraph.h"
#include "runtime/engine/halide/HalideLibrary.h"

namespace attn {

llvm::Error writeHalideObject(mlir::ModuleOp module, llvm::StringRef entry,
                              const HalideObjectOptions &options,
                              llvm::StringRef object, llvm::StringRef header) {
  auto api = halide::openLibrary();
  if (!api)
    return api.takeError();
  halide::GraphOptions graph;
  graph.keepOrder = options.keepOrder;
  auto program = halide::writeProgram(module, entry, graph);
  if (!program)
    return program.takeError();
  attn_halide_options plugin = {options.target.c_str(),
                                options.autoscheduler.c_str(), 4096, nullptr};
  return halide::takeError(
      **api, (*api)->emit(program->graph.program.getText().c_str(), &plugin,
                          options.name.c_str(), object.str().c_str(),
                          header.str().c_str()));
}

} // namespace attn
