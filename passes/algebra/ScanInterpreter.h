//===- ScanInterpreter.h - What a scan's region computes ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_SCANINTERPRETER_H
#define ATTN_PASSES_ALGEBRA_SCANINTERPRETER_H

#include "passes/algebra/AffineState.h"

namespace mlir::attn {

/// Why a scan is not replaced, and where.
struct ScanRefusal {
  Operation *op = nullptr;
  std::string reason;
};

/// The region's results, in terms of the state before the token.
struct ScanMeaning {
  std::shared_ptr<const StateValue> state;
  VectorValue output;
};

/// Evaluates the region on values that are affine in the state, and writes
/// what does not depend on it for the whole sequence in front of the scan.
FailureOr<ScanMeaning> interpretScan(ScanOp scan, SequenceBuilder &sequences,
                                     AffineAlgebra &algebra,
                                     ScanRefusal &refusal);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_SCANINTERPRETER_H
