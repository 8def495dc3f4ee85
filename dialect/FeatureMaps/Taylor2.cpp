//===- Taylor2.cpp - second-order Taylor features -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/FeatureTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
Taylor2Attr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                              int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

int64_t Taylor2Attr::getNumFeatures(int64_t inDim, TypeRange) const {
  return 1 + inDim + inDim * inDim;
}

double Taylor2Attr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  // A product for each x_i, two for each x_i x_j.
  return inDim + 2.0 * inDim * inDim;
}

void Taylor2Attr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                              MutableArrayRef<double> out) const {
  size_t width = x.size();
  out[0] = 1;
  for (size_t i = 0; i < width; ++i) {
    out[1 + i] = x[i] / std::pow(width, 0.25);
    for (size_t j = 0; j < width; ++j)
      out[1 + width + i * width + j] = x[i] * x[j] / std::sqrt(2.0 * width);
  }
}

/// out[t, i, j] = scale x[t, i] x[t, j]
static Value emitOuterProducts(OpBuilder &builder, Location loc, Value x,
                               Value out, double scale) {
  Type element = cast<RankedTensorType>(x.getType()).getElementType();
  AffineExpr t = builder.getAffineDimExpr(0), i = builder.getAffineDimExpr(1),
             j = builder.getAffineDimExpr(2);
  MLIRContext *context = builder.getContext();
  AffineMap maps[] = {AffineMap::get(3, 0, {t, i}, context),
                      AffineMap::get(3, 0, {t, j}, context),
                      builder.getMultiDimIdentityMap(3)};
  SmallVector<utils::IteratorType> parallel(3, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, out.getType(), ValueRange{x, x}, out, maps, parallel,
             [&](OpBuilder &b, Location l, ValueRange v) {
               Value by = FeatureTiles::constant(b, l, element, scale);
               Value scaled = arith::MulFOp::create(b, l, v[0], by);
               linalg::YieldOp::create(
                   b, l, arith::MulFOp::create(b, l, scaled, v[1]).getResult());
             })
      .getResult(0);
}

Value Taylor2Attr::emitTile(OpBuilder &builder, Location loc,
                            const FeatureMapTile &tile) const {
  Type element = tile.getElementType();
  FeatureTiles tiles(builder, loc, element);
  int64_t tokens = tile.getNumTokens(), width = tile.getWidth();
  Value out = tiles.empty({tokens, 1 + width + width * width});

  // 1
  Value one = FeatureTiles::constant(builder, loc, element, 1.0);
  Value ones =
      linalg::FillOp::create(builder, loc, one, tiles.getColumns(out, 0, 1))
          .getResult(0);
  out = tiles.setColumns(ones, out, 0);

  // x / D^(1/4)
  Value linear =
      tiles.map(tiles.getColumns(out, 1, width), tile.input,
                [&](OpBuilder &b, Location l, ValueRange v) -> Value {
                  Value by = FeatureTiles::constant(b, l, element,
                                                    std::pow(width, -0.25));
                  return arith::MulFOp::create(b, l, v[0], by);
                });
  out = tiles.setColumns(linear, out, 1);

  // (x (x) x) / sqrt(2 D), as a cube over the last D^2 columns.
  SmallVector<ReassociationIndices> fold{{0}, {1, 2}};
  Value columns = tiles.getColumns(out, 1 + width, width * width);
  Value cube = tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get({tokens, width, width}, element),
      columns, fold);
  cube = emitOuterProducts(builder, loc, tile.input, cube,
                           1.0 / std::sqrt(2.0 * width));
  Value quadratic = tensor::CollapseShapeOp::create(builder, loc, cube, fold);
  return tiles.setColumns(quadratic, out, 1 + width);
}
