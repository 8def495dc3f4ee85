//===- SquaredRelu.cpp - phi(x) = max(x, 0)^2 -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <limits>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
SquaredReluAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double SquaredReluAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return 2.0 * inDim;
}

void SquaredReluAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                                  MutableArrayRef<double> out) const {
  // A comparison with NaN is false: NaN stays.
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = from < 0 ? 0 : from * from;
}

bool SquaredReluAttr::isElementwise() const { return true; }

Value SquaredReluAttr::emitElement(OpBuilder &builder, Location loc,
                                   Value x) const {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(x.getType(), 0.0));
  Value positive = arith::MaximumFOp::create(builder, loc, x, zero);
  return arith::MulFOp::create(builder, loc, positive, positive);
}

std::pair<double, double> SquaredReluAttr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}
