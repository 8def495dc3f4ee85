//===- Exp.cpp - phi(x) = exp(x) -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
ExpAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError, int64_t,
                          TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double ExpAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  return inDim;
}

void ExpAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                          MutableArrayRef<double> out) const {
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = std::exp(from);
}

bool ExpAttr::isExponential() const { return true; }

Value ExpAttr::emitLogTile(OpBuilder &, Location,
                           const FeatureMapTile &tile) const {
  return tile.input; // psi = x
}

std::pair<double, double> ExpAttr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}
