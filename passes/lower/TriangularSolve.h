//===- TriangularSolve.h - Forward substitution on tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_TRIANGULARSOLVE_H
#define ATTN_PASSES_LOWER_TRIANGULARSOLVE_H

#include "mlir/IR/Builders.h"

namespace mlir::attn {

/// U of (I + L) U = R for L `tensor<C x C>`, zero on and above the diagonal,
/// and R `tensor<C x V>`: by halves, so that all but small triangles is
/// products,
///
///   U_1 = solve(L_11, R_1),  U_2 = solve(L_22, R_2 - L_21 U_1)
Value emitUnitLowerSolve(OpBuilder &b, Location loc, Value lower, Value rhs);

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_TRIANGULARSOLVE_H
