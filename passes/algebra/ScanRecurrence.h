//===- ScanRecurrence.h - The recurrence of a scan ----------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_SCANRECURRENCE_H
#define ATTN_PASSES_ALGEBRA_SCANRECURRENCE_H

#include "passes/algebra/ScanInterpreter.h"

namespace mlir::attn {

/// The parts of an attn.recurrence, and what is done to its output.
struct ScanRecurrence {
  TransitionAttrInterface transition;
  SequenceValue operand; // of the transition, may be null

  SequenceValue query;
  StateRead read = StateRead::Current;
  SequenceValue bonus; // may be null
  SmallVector<OuterProduct> writes;

  SequenceValue eraseQuery, eraseKey, eraseInput; // null without an erasure
  StateRead eraseRead = StateRead::Decayed;

  /// output = factors * read + addend, addend may be null
  SmallVector<SequenceValue> factors;
  SequenceValue addend;
  /// The axes of the output's dimensions in the region.
  Axes outputTile;

  /// "a diagonal decay, one low-rank correction and reads the current state"
  std::string getStructure() const;
};

/// Finds the transition, the erasure and the state that is read.
FailureOr<ScanRecurrence> findRecurrence(ScanOp scan,
                                         const ScanMeaning &meaning,
                                         SequenceBuilder &sequences,
                                         AffineAlgebra &algebra,
                                         ScanRefusal &refusal);

/// Writes it in front of the scan; the values of the scan's results.
FailureOr<SmallVector<Value>> emitRecurrence(ScanOp scan,
                                             const ScanRecurrence &recurrence,
                                             SequenceBuilder &sequences,
                                             ScanRefusal &refusal);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_SCANRECURRENCE_H
