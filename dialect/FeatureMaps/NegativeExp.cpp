//===- NegativeExp.cpp - phi(x) = -exp(x) -*- C++ -*-===//
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
NegativeExpAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double NegativeExpAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return 2.0 * inDim;
}

void NegativeExpAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                                  MutableArrayRef<double> out) const {
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = -std::exp(from);
}

bool NegativeExpAttr::isElementwise() const { return true; }

std::pair<double, double> NegativeExpAttr::getRange() const {
  return {-std::numeric_limits<double>::infinity(), 0};
}

Value NegativeExpAttr::emitElement(OpBuilder &builder, Location loc,
                                   Value x) const {
  return arith::NegFOp::create(builder, loc,
                               math::ExpOp::create(builder, loc, x));
}
