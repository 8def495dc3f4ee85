//===- Favor.cpp - phi(x) = exp(W x - |x|^2 / 2) / sqrt(m) -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/FeatureTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::attn;

static int64_t getNumProjections(TypeRange operands) {
  auto type = cast<RankedTensorType>(operands.front());
  return type.getDimSize(type.getRank() - 2);
}

LogicalResult
FavorAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                            int64_t inDim, TypeRange operands) const {
  return verifyProjectionOperand(emitError, inDim, operands, /*required=*/true);
}

int64_t FavorAttr::getNumFeatures(int64_t, TypeRange operands) const {
  return getNumProjections(operands);
}

double FavorAttr::getFlopsPerToken(int64_t inDim, TypeRange operands) const {
  // W x, |x|^2, and a difference and an exponential a feature.
  double m = getNumProjections(operands);
  return 2.0 * m * inDim + 2.0 * inDim + 2.0 * m;
}

void FavorAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &row,
                            MutableArrayRef<double> out) const {
  const SpecMatrix &w = row.operands.front();
  double norm = 0;
  for (double element : x)
    norm += element * element;
  for (int64_t f = 0; f < w.rows; ++f) {
    double product = 0;
    for (int64_t d = 0; d < w.cols; ++d)
      product += w(f, d) * x[d];
    out[f] = std::exp(product - norm / 2) / std::sqrt(w.rows);
  }
}

bool FavorAttr::isExponential() const { return true; }

Value FavorAttr::emitLogTile(OpBuilder &builder, Location loc,
                             const FeatureMapTile &tile) const {
  Type element = tile.getElementType();
  FeatureTiles tiles(builder, loc, element);
  // norm[t] = sum_d x[t, d]^2
  Value norm =
      tiles.reduceRows(tiles.fill({tile.getNumTokens()}, 0.0), tile.input,
                       [](OpBuilder &b, Location l, ValueRange v) -> Value {
                         Value square = arith::MulFOp::create(b, l, v[0], v[0]);
                         return arith::AddFOp::create(b, l, v[1], square);
                       });
  Value product = tiles.project(tile.input, tile.operands.front());
  // psi[t, f] = (W x)[t, f] - (norm[t] / 2 + log(m) / 2). The sums over d are
  // taken apart: their difference is smaller than either.
  int64_t m = cast<RankedTensorType>(product.getType()).getDimSize(1);
  return tiles.map(
      product, norm, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        Value half = FeatureTiles::constant(b, l, element, 0.5);
        Value logScale = FeatureTiles::constant(
            b, l, element, std::log(static_cast<double>(m)) / 2);
        Value shift = arith::AddFOp::create(
            b, l, arith::MulFOp::create(b, l, v[0], half), logScale);
        return arith::SubFOp::create(b, l, v[1], shift);
      });
}

std::pair<double, double> FavorAttr::getRange() const {
  return {0, std::numeric_limits<double>::infinity()};
}
