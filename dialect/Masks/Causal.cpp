//===- Causal.cpp - Causal masks -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::attn;

LogicalResult CausalAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                                     RankedTensorType,
                                     TypeRange operands) const {
  return verifyNoMaskOperands(error, operands);
}

bool CausalAttr::contains(const MaskPoint &point) const {
  return point.col <= point.row + getOffset();
}

/// row + offset.
static Value emitLastKey(OpBuilder &builder, Location loc, Value row,
                         int64_t offset) {
  if (offset == 0)
    return row;
  Value by = arith::ConstantIndexOp::create(builder, loc, offset);
  return arith::AddIOp::create(builder, loc, row, by);
}

Value CausalAttr::emitPredicate(OpBuilder &builder, Location loc, Value row,
                                Value col, ValueRange) const {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, col,
                               emitLastKey(builder, loc, row, getOffset()));
}

std::pair<Value, Value> CausalAttr::emitKeyRange(OpBuilder &builder,
                                                 Location loc, Value,
                                                 Value rowEnd) const {
  // The last row, rowEnd - 1, sees the keys below rowEnd + offset.
  return {nullptr, emitLastKey(builder, loc, rowEnd, getOffset())};
}

std::optional<bool> CausalAttr::getTriangle() const {
  return getOffset() == 0 ? std::optional(true) : std::nullopt;
}
