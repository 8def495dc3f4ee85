//===- Softplus.cpp - phi(x) = log(1 + exp(x)) -*- C++ -*-===//
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
SoftplusAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                               int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double SoftplusAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return 4.0 * inDim;
}

void SoftplusAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                               MutableArrayRef<double> out) const {
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = std::max(from, 0.0) + std::log1p(std::exp(-std::fabs(from)));
}

bool SoftplusAttr::isElementwise() const { return true; }

std::pair<double, double> SoftplusAttr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}

Value SoftplusAttr::emitElement(OpBuilder &builder, Location loc,
                                Value x) const {
  // max(x, 0) + log1p(exp(-|x|))
  Value zero = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(x.getType(), 0.0));
  Value negative = arith::NegFOp::create(builder, loc,
                                         math::AbsFOp::create(builder, loc, x));
  Value exp = math::ExpOp::create(builder, loc, negative);
  Value log = math::Log1pOp::create(builder, loc, exp);
  Value most = arith::MaximumFOp::create(builder, loc, x, zero);
  return arith::AddFOp::create(builder, loc, most, log);
}
