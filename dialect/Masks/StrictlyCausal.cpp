//===- StrictlyCausal.cpp - Keys before the query -*- C++ -*-===//
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
StrictlyCausalAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                               RankedTensorType, TypeRange operands) const {
  return verifyNoMaskOperands(error, operands);
}

bool StrictlyCausalAttr::contains(const MaskPoint &point) const {
  return point.col < point.row;
}

Value StrictlyCausalAttr::emitPredicate(OpBuilder &builder, Location loc,
                                        Value row, Value col,
                                        ValueRange) const {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, col,
                               row);
}

std::pair<Value, Value> StrictlyCausalAttr::emitKeyRange(OpBuilder &builder,
                                                         Location loc, Value,
                                                         Value rowEnd) const {
  // The last row, rowEnd - 1, sees the keys below it.
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  return {nullptr, arith::SubIOp::create(builder, loc, rowEnd, one)};
}

std::optional<bool> StrictlyCausalAttr::getTriangle() const { return false; }
