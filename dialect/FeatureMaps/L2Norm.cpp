//===- L2Norm.cpp - phi(x) = x / sqrt(|x|^2 + eps) -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/FeatureTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

LogicalResult L2NormAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 FloatAttr eps) {
  double value = eps.getValueAsDouble();
  if (!(value >= 0) || std::isinf(value))
    return emitError() << "[F7] expected a finite eps, 0 or more, got "
                       << value;
  return success();
}

LogicalResult
L2NormAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                             int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double L2NormAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  // Squares and their sum, a root, a quotient a feature.
  return 3.0 * inDim + 2.0;
}

void L2NormAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                             MutableArrayRef<double> out) const {
  double norm = getEps().getValueAsDouble();
  for (double element : x)
    norm += element * element;
  for (auto [from, to] : llvm::zip_equal(x, out))
    to = norm == 0 ? 0 : from / std::sqrt(norm);
}

std::pair<double, double> L2NormAttr::getRange() const { return {-1, 1}; }

Value L2NormAttr::emitTile(OpBuilder &builder, Location loc,
                           const FeatureMapTile &tile) const {
  Type element = tile.getElementType();
  FeatureTiles tiles(builder, loc, element);
  int64_t tokens = tile.getNumTokens();
  // norm[t] = eps + sum_d x[t, d]^2
  Value norm = tiles.reduceRows(
      tiles.fill({tokens}, getEps().getValueAsDouble()), tile.input,
      [](OpBuilder &b, Location l, ValueRange v) -> Value {
        Value square = arith::MulFOp::create(b, l, v[0], v[0]);
        return arith::AddFOp::create(b, l, v[1], square);
      });
  // length[t] = sqrt(norm[t]), 1 for a row of zeros
  Value length =
      tiles.map(tiles.empty({tokens}), norm,
                [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                  Value zero = FeatureTiles::constant(b, l, element, 0.0);
                  Value one = FeatureTiles::constant(b, l, element, 1.0);
                  Value isZero = arith::CmpFOp::create(
                      b, l, arith::CmpFPredicate::OEQ, v[0], zero);
                  Value root = math::SqrtOp::create(b, l, v[0]);
                  return arith::SelectOp::create(b, l, isZero, one, root);
                });
  return tiles.map(tiles.empty({tokens, tile.getWidth()}), {tile.input, length},
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     return arith::DivFOp::create(b, l, v[0], v[1]);
                   });
}
