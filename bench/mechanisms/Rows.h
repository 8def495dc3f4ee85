//===- Rows.h - The mechanisms that are measured -------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_ROWS_H
#define ATTN_BENCH_MECHANISMS_ROWS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace attn::bench {

/// The sizes of a measurement. Rows of channels (hgrn, rwkv4, mamba1) have
/// heads * width of them.
struct Sizes {
  int64_t batch, tokens, width;
};

/// Heads, as the graphs have them.
constexpr int64_t kHeads = 8;

/// Flops that a form cannot do without, a head and token, with K = V = D. The
/// decay of the state is not among them: chunks do it once for many tokens.
/// `triangle` is what chunks of 16 tokens add: the shortest ones that fill
/// registers. bound = FMA peak / (heads * (flops + triangle)).
struct Cost {
  llvm::StringRef formula;
  double (*flops)(double width, double tokens);
  double (*triangle)(double width);
};

/// How the values of an argument are drawn; all else is standard normal.
enum class Draw {
  /// Log decays, -0.1 e^x.
  Decay,
  /// What -exp, or -exp of it times a step, makes a log decay of.
  LogDecay,
  /// What log_sigmoid makes a log decay of.
  Forget,
  /// Standard normal less 1, for softplus.
  Step,
  /// From 0 to 1.
  Factor,
  /// Rows of length 1.
  Unit,
  /// -a times a factor a channel, where a is the argument before.
  Erase
};

struct Row {
  llvm::StringRef name;
  /// Relative to examples/.
  llvm::StringRef file;
  const Cost *cost;
  llvm::SmallVector<std::pair<llvm::StringRef, Draw>> draws;
  /// A size in the graph's types, and the multiple of the width it becomes.
  llvm::SmallVector<std::pair<int64_t, double>> sizes;
  /// Causal rows can be checked on a prefix of the tokens; softmax and features
  /// of positions have no state of a fixed size.
  bool isCausal, hasState;
  /// Relative error of f32 results that counts as right.
  double tolerance;
  /// Tokens of the prefix that is checked.
  int64_t prefix;
};

llvm::ArrayRef<Row> getRows();
llvm::Expected<const Row *> findRow(llvm::StringRef name);

/// A graph with other sizes than the file's.
struct Graph {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The arguments' names, in order.
  llvm::SmallVector<std::string> names;

  /// The argument of this name, or -1.
  int find(llvm::StringRef name) const;
};

/// Reads the graph of a row from the folder of examples. `narrow`: what models
/// keep in 16 bits, the tokens' vectors but no gates or decays, is bf16.
llvm::Expected<Graph> loadGraph(mlir::MLIRContext &context,
                                llvm::StringRef folder, const Row &row,
                                const Sizes &sizes, bool narrow);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_ROWS_H
