//===- RecurrencePlan.h - A recurrence before it is written -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_RECURRENCEPLAN_H
#define ATTN_PASSES_ALGEBRA_RECURRENCEPLAN_H

#include "passes/algebra/ScoreTerm.h"

namespace mlir::attn {

/// A summand of what is replaced: a value that has no scores, or scores applied
/// to values.
struct Summand {
  NamedTensor local;
  ScoreTerm score;
  NamedTensor values;
  /// The solve whose result the values are.
  SolveOp solve;
  double sign = 1;
};

/// One recurrence,
///   S~ = T(S),  u = sum local - p^T S~,  S' = S~ + sum k v^T + k_u u^T.
struct RecurrencePlan {
  Operation *root;
  EinsumOperand axes; // of the root
  ScoreTerm score;    // of the output: query, decay, read
  std::vector<Summand> writes;
  SolveOp solve;
  ScoreTerm erasure;
  std::vector<Summand> inputs;

  /// The remark's words for it.
  std::string describe() const;
};

/// Finds what `root`, the result of a product or a sum of such, is as
/// recurrences and values without scores; fails with a refusal.
class RecurrencePlanner {
public:
  RecurrencePlanner(const ShapeClasses &classes) : reader(names, classes) {}

  FailureOr<RecurrencePlan> plan(Operation *root);

  AxisNames &getNames() { return names; }
  const Refusal &getRefusal() const { return reader.getRefusal(); }

private:
  LogicalResult collect(NamedTensor value, double sign, bool strict,
                        std::vector<Summand> &summands);
  LogicalResult addProduct(ContractionOpInterface op, const NamedTensor &value,
                           double sign, bool strict,
                           std::vector<Summand> &summands);
  EinsumOperand nameRoot(Operation *root);
  LogicalResult planErasure(RecurrencePlan &plan);
  bool isSame(const NamedTensor &a, const NamedTensor &b);
  bool isSame(const ScaledTokens &a, const ScaledTokens &b, double factor = 1);
  bool readsAlike(const ScoreTerm &a, const ScoreTerm &b);

  AxisNames names;
  ScoreReader reader;
};

/// Whether the product sums scores over their keys or queries.
bool appliesScores(ContractionOpInterface op);

/// Writes the recurrence in front of its root; returns what replaces the
/// root's result. Fails with a reason.
FailureOr<Value> emitRecurrencePlan(const RecurrencePlan &plan,
                                    AxisNames &names, std::string &reason);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_RECURRENCEPLAN_H
