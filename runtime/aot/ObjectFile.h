//===- ObjectFile.h - A graph as an object that needs no LLVM -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_OBJECTFILE_H
#define ATTN_RUNTIME_AOT_OBJECTFILE_H

#include "passes/Passes.h"
#include "runtime/aot/CInterface.h"
#include "runtime/engine/Target.h"
#include "llvm/Support/MemoryBuffer.h"

namespace attn {

struct ObjectFileOptions {
  /// What the code runs on.
  CpuModel cpu;
  /// The C function.
  std::string name;
  /// States become arguments that calls update in place: a step of the graph.
  bool exposesStates = false;
  /// Leave the graph as it is written: no reassociation.
  bool keepOrder = false;
  /// The form of recurrences, and the tokens in a chunk; 0 is by cost.
  mlir::attn::RecurrenceForm form = mlir::attn::RecurrenceForm::Auto;
  int64_t chunk = 0;
  /// Threads that the code counts on. Above 1 it calls OpenMP's runtime, which
  /// decides how many there are.
  int64_t threads = 1;
};

/// An object file, relocatable and position-independent, and what it has.
struct ObjectFile {
  std::unique_ptr<llvm::MemoryBuffer> object;
  CInterface interface;
  /// The functions that it calls: of the C library, of libm and of OpenMP.
  std::vector<std::string> undefinedSymbols;
  bool needsMath = false, needsOpenMP = false;
};

/// Compiles the function `entry` of a graph, or the public one if the name is
/// empty. The module is not changed. An error where the graph cannot be
/// lowered, where results have sizes that arguments do not determine, or where
/// the code would need a library besides these three.
llvm::Expected<ObjectFile> compileToObject(mlir::ModuleOp module,
                                           llvm::StringRef entry,
                                           const ObjectFileOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_OBJECTFILE_H
