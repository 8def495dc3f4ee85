//===- Hedgehog.cpp - phi(x) = [softmax(W x), softmax(-W x)] -*- C++ -*-===//
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

/// m, the width of each softmax.
static int64_t getSoftmaxWidth(int64_t inDim, TypeRange operands) {
  if (operands.empty())
    return inDim;
  auto type = cast<RankedTensorType>(operands.front());
  return type.getDimSize(type.getRank() - 2);
}

LogicalResult
HedgehogAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                               int64_t inDim, TypeRange operands) const {
  return verifyProjectionOperand(emitError, inDim, operands,
                                 /*required=*/false);
}

int64_t HedgehogAttr::getNumFeatures(int64_t inDim, TypeRange operands) const {
  return 2 * getSoftmaxWidth(inDim, operands);
}

double HedgehogAttr::getFlopsPerToken(int64_t inDim, TypeRange operands) const {
  // W x, and a maximum, a difference, an exponential, a sum and a quotient a
  // feature.
  double m = getSoftmaxWidth(inDim, operands);
  return (operands.empty() ? 0 : 2.0 * m * inDim) + 5.0 * 2.0 * m;
}

/// softmax(sign y), with the maximum subtracted so that nothing overflows.
static void softmax(ArrayRef<double> y, double sign,
                    MutableArrayRef<double> out) {
  double max = -std::numeric_limits<double>::infinity();
  for (double element : y)
    max = std::fmax(max, sign * element);
  double sum = 0;
  for (auto [from, to] : llvm::zip_equal(y, out)) {
    to = std::exp(sign * from - max);
    sum += to;
  }
  for (double &element : out)
    element /= sum;
}

void HedgehogAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &row,
                               MutableArrayRef<double> out) const {
  SmallVector<double> y(x);
  if (!row.operands.empty()) {
    const SpecMatrix &w = row.operands.front();
    y.assign(w.rows, 0.0);
    for (int64_t f = 0; f < w.rows; ++f)
      for (int64_t d = 0; d < w.cols; ++d)
        y[f] += w(f, d) * x[d];
  }
  softmax(y, 1.0, out.take_front(y.size()));
  softmax(y, -1.0, out.take_back(y.size()));
}

/// softmax(y) or softmax(-y) in the tile `out`.
static Value emitSoftmax(FeatureTiles &tiles, Value y, bool negative,
                         Value out) {
  auto type = cast<RankedTensorType>(y.getType());
  double infinity = std::numeric_limits<double>::infinity();
  // bound = max(y), or min(y) = -max(-y).
  Value bound = tiles.reduceRows(
      tiles.fill({type.getDimSize(0)}, negative ? infinity : -infinity), y,
      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        if (negative)
          return arith::MinimumFOp::create(b, l, v[0], v[1]);
        return arith::MaximumFOp::create(b, l, v[0], v[1]);
      });
  // e = exp(y - bound), or exp(bound - y)
  Value exp = tiles.map(
      out, {y, bound}, [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        Value difference =
            arith::SubFOp::create(b, l, v[negative], v[!negative]);
        return math::ExpOp::create(b, l, difference);
      });
  Value sum =
      tiles.reduceRows(tiles.fill({type.getDimSize(0)}, 0.0), exp,
                       [](OpBuilder &b, Location l, ValueRange v) -> Value {
                         return arith::AddFOp::create(b, l, v[1], v[0]);
                       });
  return tiles.map(exp, sum,
                   [](OpBuilder &b, Location l, ValueRange v) -> Value {
                     return arith::DivFOp::create(b, l, v[1], v[0]);
                   });
}

Value HedgehogAttr::emitTile(OpBuilder &builder, Location loc,
                             const FeatureMapTile &tile) const {
  FeatureTiles tiles(builder, loc, tile.getElementType());
  Value y = tile.operands.empty()
                ? tile.input
                : tiles.project(tile.input, tile.operands.front());
  int64_t m = cast<RankedTensorType>(y.getType()).getDimSize(1);
  Value out = tiles.empty({tile.getNumTokens(), 2 * m});
  for (bool negative : {false, true}) {
    OpFoldResult begin = builder.getIndexAttr(negative ? m : 0);
    Value part =
        emitSoftmax(tiles, y, negative, tiles.getColumns(out, begin, m));
    out = tiles.setColumns(part, out, begin);
  }
  return out;
}

std::pair<double, double> HedgehogAttr::getRange() const { return {0, 1}; }
