//===- ScoreTerm.h - Scores as a recurrence reads them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_SCORETERM_H
#define ATTN_PASSES_ALGEBRA_SCORETERM_H

#include "passes/algebra/AxisNames.h"
#include "passes/algebra/ShapeClasses.h"
#include <vector>

namespace mlir::attn {

/// Why something is not linear-time, and where.
struct Refusal {
  Operation *op = nullptr;
  std::string reason;
};

/// A tensor of tokens with factors that scores had on their rows or columns.
struct ScaledTokens {
  NamedTensor base;
  std::vector<NamedTensor> gates;
  double scale = 1;

  bool operator==(const ScaledTokens &other) const {
    return base == other.base && gates == other.gates && scale == other.scale;
  }
};

/// Scores `A[n, m] = q_n . D(n, m) k_m e^(i_m)` for m < n, and on the diagonal
/// as the read says: masks, decays, gates and scales of a chain of operations
/// in one place.
struct ScoreTerm {
  ScaledTokens query, key;
  NamedTensor decay, bonus, logGate;
  StateRead read = StateRead::Current;
  /// Previous states and a diagonal of q . k, without a bonus' factors.
  bool hasOwnPair = false;
  Value cuSeqlens;
  NormalizeOp normalize;
  /// All operations of the chain, the scores last.
  SmallVector<Operation *> chain;
};

/// Reads chains of scores.
class ScoreReader {
public:
  ScoreReader(AxisNames &names, const ShapeClasses &classes)
      : names(names), classes(classes) {}

  /// The term of `scores` with the axes `axes`, rows n and columns m. `strict`
  /// leaves out the diagonal. Fails with `refusal`; without a reason where the
  /// scores are not causal, which is nothing to refuse.
  FailureOr<ScoreTerm> read(Value scores, const EinsumOperand &axes,
                            bool strict);

  const Refusal &getRefusal() const { return refusal; }
  LogicalResult refuse(Operation *op, const Twine &reason) {
    refusal = {op, reason.str()};
    return failure();
  }

private:
  LogicalResult readMask(MaskOp mask, const EinsumOperand &axes);
  LogicalResult readGate(GateOp gate, const EinsumOperand &axes, Value &scores,
                         EinsumOperand &inner);
  LogicalResult readCausalScore(CausalScoreOp op, const EinsumOperand &axes,
                                bool strict);
  LogicalResult readScore(ContractionOpInterface op, const EinsumOperand &axes,
                          bool strict);

  AxisNames &names;
  const ShapeClasses &classes;
  Refusal refusal;
  ScoreTerm term;
  /// The triangle of masks in the chain: none, with or without the diagonal.
  std::optional<bool> triangle;
};

/// Whether a chain of scores leads to `value`: its operation, or null.
Operation *findScores(Value value);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_SCORETERM_H
