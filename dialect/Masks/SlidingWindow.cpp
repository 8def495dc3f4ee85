//===- SlidingWindow.cpp - Keys around the query -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::attn;

LogicalResult
SlidingWindowAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                          int64_t left, int64_t right) {
  if (left < 0 || right < 0)
    return emitError() << "[M6] expected left and right of 0 or more, got "
                       << left << " and " << right;
  return success();
}

LogicalResult
SlidingWindowAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                              RankedTensorType, TypeRange operands) const {
  return verifyNoMaskOperands(error, operands);
}

// Differences of indices are compared, not sums with `left` and `right`: those
// could overflow.

bool SlidingWindowAttr::contains(const MaskPoint &point) const {
  int64_t ahead = point.col - point.row;
  return -getLeft() <= ahead && ahead <= getRight();
}

Value SlidingWindowAttr::emitPredicate(OpBuilder &builder, Location loc,
                                       Value row, Value col, ValueRange) const {
  Value ahead = arith::SubIOp::create(builder, loc, col, row);
  Value first = arith::ConstantIndexOp::create(builder, loc, -getLeft());
  Value last = arith::ConstantIndexOp::create(builder, loc, getRight());
  Value notBefore = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::sge, ahead, first);
  Value notAfter = arith::CmpIOp::create(
      builder, loc, arith::CmpIPredicate::sle, ahead, last);
  return arith::AndIOp::create(builder, loc, notBefore, notAfter);
}

std::pair<Value, Value> SlidingWindowAttr::emitKeyRange(OpBuilder &builder,
                                                        Location loc,
                                                        Value rowBegin,
                                                        Value rowEnd) const {
  // The first row sees the keys from rowBegin - left on, the last row,
  // rowEnd - 1, those below rowEnd + right.
  Value left = arith::ConstantIndexOp::create(builder, loc, getLeft());
  Value first = arith::SubIOp::create(builder, loc, rowBegin, left);
  // A window to the right of more keys than memory holds is no bound.
  if (getRight() > std::numeric_limits<int64_t>::max() / 2)
    return {first, nullptr};
  Value right = arith::ConstantIndexOp::create(builder, loc, getRight());
  return {first, arith::AddIOp::create(builder, loc, rowEnd, right)};
}
