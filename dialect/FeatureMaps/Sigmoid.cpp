//===- Sigmoid.cpp - phi(x) = 1 / (1 + exp(-x)) -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
SigmoidAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                              int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double SigmoidAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return 4.0 * inDim;
}

void SigmoidAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                              MutableArrayRef<double> out) const {
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = 1 / (1 + std::exp(-from));
}

bool SigmoidAttr::isElementwise() const { return true; }

std::pair<double, double> SigmoidAttr::getRange() const { return {0, 1}; }

Value SigmoidAttr::emitElement(OpBuilder &builder, Location loc,
                               Value x) const {
  // exp(-|x|) does not overflow: e / (1 + e) for x < 0, else 1 / (1 + e).
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(x.getType(), 0.0));
  Value one = arith::ConstantOp::create(builder, loc,
                                        builder.getFloatAttr(x.getType(), 1.0));
  Value negative = arith::NegFOp::create(builder, loc,
                                         math::AbsFOp::create(builder, loc, x));
  Value exp = math::ExpOp::create(builder, loc, negative);
  Value isPositive =
      arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, x, zero);
  Value numerator = arith::SelectOp::create(builder, loc, isPositive, one, exp);
  Value divisor = arith::AddFOp::create(builder, loc, one, exp);
  return arith::DivFOp::create(builder, loc, numerator, divisor);
}
