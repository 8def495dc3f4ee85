//===- ChainCost.cpp - What the orders of a chain cost -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ChainCost.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::attn;

static double getElementBytes(Type type) {
  return getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 8.0;
}

static double getResultBytes(const Chain &chain) {
  return getElementBytes(chain.root->getResult(0).getType());
}

int64_t attn::getNumFeatures(const Chain &chain) {
  SoftmaxOp softmax = chain.getSoftmax();
  int64_t width = chain.axes.lookup(chain.getSummedAxis(1)).staticSize;
  return softmax.getMap()->getNumFeatures(width,
                                          softmax.getMapOperands().getTypes());
}

bool ChainCost::carriesOnes(const Bracketing &order) const {
  return chain.rows && order.back()[1] != chain.size() - 1;
}

Polynomial ChainCost::getSize(char axis, bool onesCarried) const {
  // In an order without softmax the features take the place of the width.
  if (onesCarried && chain.getSoftmax() && axis == chain.getSummedAxis(1))
    return Polynomial(getNumFeatures(chain));
  const ChainAxis entry = chain.axes.lookup(axis);
  double column = onesCarried && axis == chain.valueAxis ? 1 : 0;
  if (ShapedType::isStatic(entry.staticSize))
    return Polynomial(entry.staticSize + column);
  return Polynomial::symbol(entry.size) + Polynomial(column);
}

Polynomial ChainCost::getSize(ArrayRef<char> axes, bool onesCarried) const {
  Polynomial product(1);
  for (char axis : axes)
    product = product * getSize(axis, onesCarried);
  return product;
}

Cost ChainCost::getStep(Bracket bracket, bool onesCarried) const {
  auto [low, middle, high] = bracket;
  SmallVector<char> lhs = chain.getAxes(low, middle);
  SmallVector<char> rhs = chain.getAxes(middle, high);
  SmallVector<char> result = chain.getAxes(low, high);
  Cost cost;
  // 2 |X u Y| flops.
  SmallVector<char> all(lhs);
  for (char axis : rhs)
    if (!llvm::is_contained(all, axis))
      all.push_back(axis);
  cost.flops = Polynomial(2) * getSize(all, onesCarried);
  // Bytes; scores are not stored, keys and values are read for each row tile.
  bool scoresResult = chain.isQuadratic(low, high);
  bool touchesScores = chain.isQuadratic(low, middle) ||
                       chain.isQuadratic(middle, high) || scoresResult;
  char row = chain.getRowAxis();
  auto read = [&](unsigned first, unsigned last, ArrayRef<char> axes) {
    if (chain.isQuadratic(first, last))
      return;
    // A factor is read as it was given: maps and ones come with its tiles.
    bool isLeaf = last - first == 1;
    Polynomial bytes =
        getSize(axes, onesCarried && !isLeaf) *
        Polynomial(isLeaf
                       ? getElementBytes(chain.factors[first].value.getType())
                       : getResultBytes(chain));
    if (touchesScores && row && !llvm::is_contained(axes, row))
      bytes = bytes * getRowTiles(getSize(row, onesCarried));
    cost.bytes += bytes;
  };
  read(low, middle, lhs);
  read(middle, high, rhs);
  if (!scoresResult) {
    // The last product is divided in the tile that computes it: its column of
    // sums is never stored.
    bool isLast = low == 0 && high == chain.size();
    Polynomial bytes = getSize(result, onesCarried && !isLast) *
                       Polynomial(getResultBytes(chain));
    cost.bytes += bytes;
    cost.held += bytes;
  }
  return cost;
}

/// phi of one factor, computed in the tiles that the product reads.
Cost ChainCost::getFeatureMap(unsigned factor) const {
  SoftmaxOp softmax = chain.getSoftmax();
  char width = chain.getSummedAxis(1);
  SmallVector<char> axes = chain.getAxes(factor, factor + 1);
  SmallVector<char> tokens;
  for (char axis : axes)
    if (axis != width)
      tokens.push_back(axis);
  double flops = softmax.getMap()->getFlopsPerToken(
      chain.axes.lookup(width).staticSize, softmax.getMapOperands().getTypes());
  Cost cost;
  cost.flops = getSize(tokens, true) * Polynomial(flops);
  return cost;
}

Cost ChainCost::getExtra(bool onesCarried) const {
  Cost cost;
  if (!chain.rows)
    return cost;
  if (!onesCarried) {
    SmallVector<char> scores = chain.getAxes(0, chain.size() - 1);
    cost.flops =
        getSize(scores, false) *
        Polynomial(chain.getSoftmax() ? kSoftmaxFlops : kNormalizeFlops);
    return cost;
  }
  // [V 1] and the division are computed in tiles: flops, but no buffer.
  cost.flops = getSize(chain.getAxes(0, chain.size()), false);
  if (chain.getSoftmax()) {
    cost += getFeatureMap(0);
    cost += getFeatureMap(1);
  }
  return cost;
}

Cost ChainCost::getTotal(const Bracketing &order) const {
  bool onesCarried = carriesOnes(order);
  Cost cost = getExtra(onesCarried);
  for (const Bracket &bracket : order)
    cost += getStep(bracket, onesCarried);
  return cost;
}
