//===- Relu.cpp - phi(x) = max(x, 0) -*- C++ -*-===//
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
ReluAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                           int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double ReluAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return inDim;
}

void ReluAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                           MutableArrayRef<double> out) const {
  // A comparison with NaN is false: NaN stays.
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = from < 0 ? 0 : from;
}

bool ReluAttr::isElementwise() const { return true; }

Value ReluAttr::emitElement(OpBuilder &builder, Location loc, Value x) const {
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(x.getType(), 0.0));
  return arith::MaximumFOp::create(builder, loc, x, zero);
}

std::pair<double, double> ReluAttr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}
