//===- Cosformer.cpp - relu features weighted by position -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/FeatureTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

LogicalResult
CosformerAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t maxLen) {
  if (maxLen <= 0)
    return emitError() << "[F7] expected a positive max_len, got " << maxLen;
  return success();
}

LogicalResult
CosformerAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                                int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

int64_t CosformerAttr::getNumFeatures(int64_t inDim, TypeRange) const {
  return 2 * inDim;
}

double CosformerAttr::getFlopsPerToken(int64_t inDim, TypeRange) const {
  // cos, sin and their angle; a maximum and a product a feature.
  return 3.0 + 2.0 * 2.0 * inDim;
}

std::optional<int64_t> CosformerAttr::getMaxTokens() const {
  return getMaxLen();
}

bool CosformerAttr::usesPosition() const { return true; }

void CosformerAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &row,
                                MutableArrayRef<double> out) const {
  double angle = llvm::numbers::pi * row.position / (2.0 * getMaxLen());
  for (auto [i, element] : llvm::enumerate(x)) {
    // A comparison with NaN is false: NaN stays.
    double relu = element < 0 ? 0 : element;
    out[i] = relu * std::cos(angle);
    out[x.size() + i] = relu * std::sin(angle);
  }
}

Value CosformerAttr::emitTile(OpBuilder &builder, Location loc,
                              const FeatureMapTile &tile) const {
  Type element = tile.getElementType();
  FeatureTiles tiles(builder, loc, element);
  int64_t tokens = tile.getNumTokens(), width = tile.getWidth();
  // weight[t] = cos or sin of pi (position + t) / 2M
  auto emitWeights = [&](bool sine) {
    return tiles.map(
        tiles.empty({tokens}), {},
        [&](OpBuilder &b, Location l, ValueRange) -> Value {
          Value index = arith::AddIOp::create(b, l, tile.position,
                                              linalg::IndexOp::create(b, l, 0));
          Value token = arith::SIToFPOp::create(
              b, l, element,
              arith::IndexCastOp::create(b, l, b.getI64Type(), index));
          Value step = FeatureTiles::constant(
              b, l, element, llvm::numbers::pi / (2.0 * getMaxLen()));
          Value angle = arith::MulFOp::create(b, l, token, step);
          if (sine)
            return math::SinOp::create(b, l, angle);
          return math::CosOp::create(b, l, angle);
        });
  };
  Value out = tiles.empty({tokens, 2 * width});
  for (bool sine : {false, true}) {
    OpFoldResult begin = builder.getIndexAttr(sine ? width : 0);
    // out[t, begin + d] = max(x[t, d], 0) weight[t]
    Value part = tiles.map(
        tiles.getColumns(out, begin, width), {tile.input, emitWeights(sine)},
        [&](OpBuilder &b, Location l, ValueRange v) -> Value {
          Value zero = FeatureTiles::constant(b, l, element, 0.0);
          Value relu = arith::MaximumFOp::create(b, l, v[0], zero);
          return arith::MulFOp::create(b, l, relu, v[1]);
        });
    out = tiles.setColumns(part, out, begin);
  }
  return out;
}
