//===- Options.h - The command line of attn-compile -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_COMPILE_OPTIONS_H
#define ATTN_TOOLS_ATTN_COMPILE_OPTIONS_H

#include "passes/Passes.h"
#include "runtime/engine/Target.h"

namespace attn::tool {

enum class Output { Object, StaticLibrary, SharedLibrary, Ptx };

struct Options {
  std::string file;
  /// Empty for the public function.
  std::string entry;
  Target target;
  Output kind = Output::Object;
  /// For Halide; none if empty.
  std::string autoscheduler;
  std::string output, header;
  /// The C function.
  std::string name;
  std::string linker;
  bool exposesStates = false;
  bool keepOrder = false;
  mlir::attn::RecurrenceForm form = mlir::attn::RecurrenceForm::Auto;
  int64_t chunk = 0;
  int64_t threads = 1;
};

llvm::Expected<Options> parseCommandLine(int argc, char **argv);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_COMPILE_OPTIONS_H
