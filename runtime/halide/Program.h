//===- Program.h - A program as Halide functions -*- C++ -*- ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_HALIDE_PROGRAM_H
#define ATTN_RUNTIME_HALIDE_PROGRAM_H

#include <Halide.h>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace attn::halide {

/// A function of the program, and what a schedule asks about it.
struct Stage {
  int id = 0;
  Halide::Func func;
  std::vector<Halide::Var> vars;
  /// The sizes of its dimensions.
  std::vector<Halide::Expr> extents;
  struct Update {
    /// The loops, the innermost first.
    std::vector<Halide::RVar> loops;
    /// Whether a dimension's index is its own variable.
    std::vector<bool> isPure;
  };
  std::vector<Update> updates;
  /// The functions that it reads, but itself.
  std::set<int> reads;
  /// The words of `schedule`.
  std::vector<std::string> hints;
  bool isOutput = false;
};

/// A program of HalidePlugin.h, read. Algorithms alone: nothing is scheduled.
struct Program {
  std::vector<Halide::Param<int32_t>> sizes;
  std::vector<Halide::ImageParam> inputs;
  std::vector<std::vector<Halide::Expr>> inputExtents;
  /// In the order of the program: what is read comes first.
  std::vector<Stage> stages;
  std::vector<int> outputs;
  std::map<int, Halide::RVar> rvars;

  Stage &getStage(int id);
  std::vector<Halide::Argument> getArguments() const;
  Halide::Pipeline getPipeline();

  /// Throws std::runtime_error for a text that is not a program.
  static Program read(const char *text);
};

/// The type of a KIND, and the value of an operation on operands; both throw
/// for a name that is not known.
Halide::Type getType(const std::string &kind);
Halide::Expr makeOperation(const std::string &name, Halide::Type type,
                           const std::vector<Halide::Expr> &operands);

} // namespace attn::halide

#endif // ATTN_RUNTIME_HALIDE_PROGRAM_H
