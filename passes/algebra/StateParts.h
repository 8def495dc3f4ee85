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

/// Whether a state of so many columns leaves half of the first cache free, of
/// `L1_cache_size_in_bytes` of the device `CPU` in the
/// `dlti.target_system_spec` around `op`, by default 32 KiB.
bool isNear(RecurrenceOp op, int64_t columns);

/// The value channels of a part: as many as are near, in whole vectors, or all
/// of them where tiles of values cannot be cut.
int64_t getPartColumns(RecurrenceOp op);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_STATEPARTS_H
