//===- Options.h - The command line of attn-run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_OPTIONS_H
#define ATTN_TOOLS_ATTN_RUN_OPTIONS_H

#include "runtime/engine/Engine.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace attn::tool {

/// What the command line asks for; what it does not give is empty.
struct Options {
  std::string file;
  std::optional<std::string> entry;
  Target target;

  /// Paths between commas.
  std::optional<std::string> inputs, outputs, check;
  std::optional<uint64_t> seed;
  /// NAME=SIZE
  llvm::SmallVector<std::string> dims;

  std::optional<double> tolerance;
  bool verify = false;
  unsigned timedRuns = 0;
  bool explain = false;
  bool remarks = false;

  /// How the function is compiled.
  EngineOptions engine;
  /// States are arguments and results.
  bool exposesState = false;
  /// Tokens a call; 0 is all of them in one.
  int64_t pieceTokens = 0;
};

/// Reads the command line. Help and version are printed and end the process.
llvm::Expected<Options> parseCommandLine(int argc, char **argv);

/// The paths between the commas of `value`, none without it; an error where
/// they are not `count`.
llvm::Expected<llvm::SmallVector<std::string>>
splitPaths(llvm::StringRef option, const std::optional<std::string> &value,
           size_t count);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_OPTIONS_H
