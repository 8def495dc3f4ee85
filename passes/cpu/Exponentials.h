//===- Exponentials.h - exp and expm1 as polynomials -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_CPU_EXPONENTIALS_H
#define ATTN_PASSES_CPU_EXPONENTIALS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::attn {

/// math.exp and math.expm1 of f32, scalars and vectors, to within 1.1 and 1.7
/// ulp, in place of upstream's polynomials. Both of one value share all but
/// their last operation.
void populateExponentialPatterns(RewritePatternSet &patterns);

} // namespace mlir::attn

#endif // ATTN_PASSES_CPU_EXPONENTIALS_H
