//===- Elu1.cpp - phi(x) = elu(x) + 1 -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
Elu1Attr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                           int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double Elu1Attr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return 2.0 * inDim;
}

void Elu1Attr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                           MutableArrayRef<double> out) const {
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = from > 0 ? from + 1 : std::exp(from);
}

bool Elu1Attr::isElementwise() const { return true; }

Value Elu1Attr::emitElement(OpBuilder &builder, Location loc, Value x) const {
  // max(x, 0) + exp(min(x, 0)): both branches are finite and NaN propagates.
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(x.getType(), 0.0));
  Value positive = arith::MaximumFOp::create(builder, loc, x, zero);
  Value negative = arith::MinimumFOp::create(builder, loc, x, zero);
  Value exp = math::ExpOp::create(builder, loc, negative);
  return arith::AddFOp::create(builder, loc, positive, exp);
}

std::pair<double, double> Elu1Attr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}
