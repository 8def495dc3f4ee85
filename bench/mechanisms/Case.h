//===- Case.h - A graph, its arguments, and what it returns --- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_CASE_H
#define ATTN_BENCH_MECHANISMS_CASE_H

#include "Inputs.h"
#include "Measurement.h"

namespace attn::bench {

/// The arguments of a graph, several times over: no call finds those of the
/// call before.
using InputSets = llvm::SmallVector<llvm::SmallVector<Array>>;

/// A row's graph at the sizes of a measurement.
class Case {
public:
  static llvm::Expected<Case> create(mlir::MLIRContext &context,
                                     const MeasurementOptions &options);
  /// The same from 16 bits.
  llvm::Expected<Case> narrow(mlir::MLIRContext &context) const;

  /// The result of `call`, in poisoned memory, for the first set of arguments;
  /// of all tokens one by one, if the measurement decodes.
  using Call = llvm::function_ref<llvm::Error(llvm::ArrayRef<Array> inputs,
                                              Array &output)>;
  llvm::Expected<Array> collect(Call call) const;

  /// Writes the relative error of the first tokens to f64, and of all tokens to
  /// `whole`, if there is one; what is wrong gets an `error`.
  llvm::Error check(const Array &output, const Array *whole, double tolerance,
                    llvm::json::Object &entry) const;

  Graph graph;
  /// Whole arguments, or tokens one by one.
  InputSets sets;

private:
  llvm::Error evaluate(llvm::ArrayRef<Array> inputs);

  const MeasurementOptions *options = nullptr;
  /// The first tokens in f64, of a causal row.
  Array expected;
};

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_CASE_H
