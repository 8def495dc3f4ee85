//===- Full.cpp - The mask that keeps every pair -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::attn;

LogicalResult FullAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                                   RankedTensorType, TypeRange operands) const {
  return verifyNoMaskOperands(error, operands);
}

bool FullAttr::isFull() const { return true; }

bool FullAttr::contains(const MaskPoint &) const { return true; }

Value FullAttr::emitPredicate(OpBuilder &builder, Location loc, Value, Value,
                              ValueRange) const {
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
}
