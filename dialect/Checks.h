//===- Checks.h - Constraints that several operations share -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_CHECKS_H
#define ATTN_DIALECT_CHECKS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::attn {

/// E1: the result is at least as wide as every input.
LogicalResult verifyWidth(Operation *op, TypeRange inputs);

/// Whether two sizes can be equal at run time.
inline bool canMatch(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

} // namespace mlir::attn

#endif // ATTN_DIALECT_CHECKS_H
