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
#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// out[t, 1 + D + i D + j] = scale x[t, i] x[t, j], block i after block i.
static Value emitOuterProducts(OpBuilder &builder, Location loc, Value x,
                               Value out, double scale) {
  auto type = cast<RankedTensorType>(x.getType());
  Type element = type.getElementType();
  int64_t tokens = type.getDimSize(0), width = type.getDimSize(1);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  return scf::ForOp::create(
             builder, loc, index(0), index(width), index(1), out,
             [&](OpBuilder &b, Location l, Value i, ValueRange carried) {
               SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
               Value column = tensor::ExtractSliceOp::create(
                   b, l, RankedTensorType::get({tokens}, element), x,
                   ArrayRef<OpFoldResult>{b.getIndexAttr(0), i},
                   ArrayRef<OpFoldResult>{b.getIndexAttr(tokens),
                                          b.getIndexAttr(1)},
                   strides);
               Value block = arith::MulIOp::create(
                   b, l, i, arith::ConstantIndexOp::create(b, l, width));
               Value begin = arith::AddIOp::create(
                   b, l, block,
                   arith::ConstantIndexOp::create(b, l, 1 + width));
               FeatureTiles tiles(b, l, element);
               Value part = tiles.map(
                   tiles.getColumns(carried[0], begin, width), {x, column},
                   [&](OpBuilder &n, Location at, ValueRange v) -> Value {
                     Value by = FeatureTiles::constant(n, at, element, scale);
                     Value scaled = arith::MulFOp::create(n, at, v[1], by);
                     return arith::MulFOp::create(n, at, scaled, v[0]);
                   });
               scf::YieldOp::create(b, l,
                                    tiles.setColumns(part, carried[0], begin));
             })
      .getResult(0);
}

Value Taylor2Attr::emitTile(OpBuilder &builder, Location loc,
                            const FeatureMapTile &tile) const {
  Type element = tile.getElementType();
  FeatureTiles tiles(builder, loc, element);
  int64_t tokens = tile.getNumTokens(), width = tile.getWidth();
  Value out = tiles.empty({tokens, 1 + width + width * width});

  // x / D^(1/4)
  Value linear = tiles.map(
      tiles.getColumns(out, builder.getIndexAttr(1), width), tile.input,
      [&](OpBuilder &b, Location l, ValueRange v) -> Value {
        Value by =
            FeatureTiles::constant(b, l, element, std::pow(width, -0.25));
        return arith::MulFOp::create(b, l, v[0], by);
      });
  out = tiles.setColumns(linear, out, builder.getIndexAttr(1));

  // (x (x) x) / sqrt(2 D)
  out = emitOuterProducts(builder, loc, tile.input, out,
                          1.0 / std::sqrt(2.0 * width));

  // 1, last: a constant column in an empty tile would be moved out of the loop
  // over tiles, and each tile would begin with a copy of it.
  Value one = FeatureTiles::constant(builder, loc, element, 1.0);
  Value first = tiles.getColumns(out, builder.getIndexAttr(0), 1);
  Value ones = linalg::FillOp::create(builder, loc, one, first).getResult(0);
  return tiles.setColumns(ones, out, builder.getIndexAttr(0));
}
