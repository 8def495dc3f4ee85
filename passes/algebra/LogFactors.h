//===- LogFactors.h - The logarithms of a state's factors ---*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_LOGFACTORS_H
#define ATTN_PASSES_ALGEBRA_LOGFACTORS_H

#include "passes/algebra/SequenceValues.h"

namespace mlir::attn {

/// log c, where c is an exponential, a product of exponentials, or known to be
/// between 0 and 1. Fails where neither holds.
FailureOr<SequenceValue> getLogFactor(SequenceBuilder &sequences,
                                      const SequenceValue &factor);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_LOGFACTORS_H
