//===- EmitRecurrence.h - Recurrences as loops over tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_EMITRECURRENCE_H
#define ATTN_PASSES_LOWER_EMITRECURRENCE_H

#include "passes/lower/TileEmitter.h"

namespace mlir::attn {

/// Values of the graph and the tensors that hold them.
using ComputedValues = SmallVector<std::pair<Value, Value>>;

/// Parts of states: of so many value channels, or, if that is 0, as many as the
/// CPU's cache wants and as leave work for all threads.
struct PartSizes {
  int64_t columns = 0, threads = 1;
};

/// Computes a recurrence in its form: in parallel over the batch axes of the
/// state, and over segments of packed sequences, a loop over the chunks of
/// tokens that carries the state. Operands are computed a tile at a time by
/// `emitter`. Returns a tensor for each result; fails with a diagnostic.
FailureOr<ComputedValues> emitRecurrence(TileEmitter &emitter, RecurrenceOp op,
                                         const PartSizes &parts);

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_EMITRECURRENCE_H
