//===- StateParts.h - Parts of a state that a cache holds -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The value channels of a recurrence do not meet each other: S_t = A_t S_{t-1}
// + k_t v_t^T holds for each column of S by itself. Single steps on a state
// that is larger than the first cache go over it in parts of some columns, each
// with all tokens.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_STATEPARTS_H
#define ATTN_PASSES_ALGEBRA_STATEPARTS_H

#include "dialect/Attn.h"

namespace mlir::attn {

/// Whether a state of so many columns leaves half of the CPU's first cache free.
bool isNear(RecurrenceOp op, int64_t columns);

/// The value channels of a part of a state, or all of them where tiles of
/// values cannot be cut. Columns do not depend on each other: results are the
/// same whatever the parts. For single steps: as many columns as are near.
int64_t getPartColumns(RecurrenceOp op);
/// At most `columns`, and as many as leave work for all threads where there are
/// fewer sequences.
int64_t getThreadColumns(RecurrenceOp op, int64_t columns, int64_t threads);

/// `columns` if they can be a part of the state, or all.
int64_t getGivenColumns(RecurrenceOp op, int64_t columns);

/// The value channels of `columns` that a step takes at a time: as many as stay
/// in registers if the recurrence is one for each element, otherwise all.
int64_t getStepColumns(RecurrenceOp op, int64_t columns);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_STATEPARTS_H
