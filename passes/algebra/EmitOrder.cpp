//===- EmitOrder.cpp - IR of a chain in a given order -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/EmitOrder.h"
#include "mlir/IR/IRMapping.h"
#include "passes/algebra/ChainCost.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

namespace {
/// A tensor and what its dimensions are.
struct Factor {
  Value value;
  EinsumOperand axes;
};

class OrderEmitter {
public:
  OrderEmitter(OpBuilder &builder, const Chain &chain, const Bracketing &order)
      : builder(builder), chain(chain), order(order), loc(chain.root->getLoc()),
        count(chain.size()),
        keepsRows(chain.rows && order.back()[1] == count - 1),
        ones(chain.rows && !keepsRows),
        type(cast<RankedTensorType>(chain.root->getResult(0).getType())) {}
  Value emit();

private:
  Factor emitInterval(unsigned low, unsigned high);
  Factor emitLeaf(unsigned index);
  Factor emitProduct(const Factor &lhs, const Factor &rhs,
                     EinsumOperand result);
  EinsumOperand getLayout(unsigned low, unsigned high, const Factor &lhs,
                          const Factor &rhs) const;
  Value emitFeatureMap(unsigned index);
  Value emitScale(Value value, double factor);
  Value emitRows(Value scores);
  int64_t getSize(const EinsumDim &dim) const;
  double getCount(unsigned low, unsigned high) const;
  void placeScale();

  OpBuilder &builder;
  const Chain &chain;
  const Bracketing &order;
  Location loc;
  unsigned count;
  bool keepsRows, ones;
  RankedTensorType type;
  /// Where the constant is applied, and the constant.
  std::pair<unsigned, unsigned> scaled = {0, 0};
  double scale = 1;
};
} // namespace

int64_t OrderEmitter::getSize(const EinsumDim &dim) const {
  int64_t product = 1;
  for (char axis : dim) {
    int64_t size = chain.axes.lookup(axis).staticSize;
    if (ones && chain.getSoftmax() && axis == chain.getSummedAxis(1))
      size = getNumFeatures(chain);
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    if (ones && axis == chain.valueAxis)
      ++size;
    product *= size;
  }
  return product;
}

/// The number of elements of an interval's product, with 1024 for a dynamic
/// size: only the smaller of two counts matters.
double OrderEmitter::getCount(unsigned low, unsigned high) const {
  double product = 1;
  for (char axis : chain.getAxes(low, high)) {
    int64_t size = chain.axes.lookup(axis).staticSize;
    product *= ShapedType::isDynamic(size) ? 1024 : size;
  }
  return product;
}

/// c (A B) = (c A) B: the constant goes to the smallest tensor that is stored.
/// In rows(A) V it belongs to A. Where a column of ones carries the normaliser,
/// any place will do: c scales sum and divisor alike, as it does in A.
void OrderEmitter::placeScale() {
  // softmax(c Q K^T): the feature maps take sqrt(c) Q and sqrt(c) K instead.
  if (chain.scale == 1 || (ones && chain.getSoftmax()))
    return;
  scale = chain.scale;
  unsigned end = keepsRows ? count - 1 : count;
  scaled = {0, 1};
  for (unsigned i = 1; i < end; ++i)
    if (getCount(i, i + 1) < getCount(scaled.first, scaled.second))
      scaled = {i, i + 1};
  for (const Bracket &bracket : order)
    if (bracket[2] <= end && !chain.isQuadratic(bracket[0], bracket[2]) &&
        getCount(bracket[0], bracket[2]) <
            getCount(scaled.first, scaled.second))
      scaled = {bracket[0], bracket[2]};
}

Value OrderEmitter::emitScale(Value value, double factor) {
  if (factor == 1)
    return value;
  auto input = cast<RankedTensorType>(value.getType());
  return ScaleOp::create(builder, loc, input.clone(type.getElementType()),
                         value, builder.getF64FloatAttr(factor));
}

/// softmax(c Q K^T) ~ rows of phi(sqrt(c) Q) phi(sqrt(c) K)^T over their sums.
Value OrderEmitter::emitFeatureMap(unsigned index) {
  SoftmaxOp softmax = chain.getSoftmax();
  const ChainFactor &factor = chain.factors[index];
  Value input = emitScale(factor.value, std::sqrt(chain.scale));
  auto inputType = cast<RankedTensorType>(input.getType());
  char width = chain.getSummedAxis(1);
  int64_t feature = Einsum::find(factor.axes, width);
  // The token axis is that of the scores: the summed one of keys, one of the
  // rows of queries.
  int64_t token = -1;
  for (auto [i, dim] : llvm::enumerate(factor.axes))
    for (char axis : dim)
      if (axis != width && (token < 0 || Einsum::isTokenAxis(axis)))
        token = i;
  SmallVector<int64_t> shape(inputType.getShape());
  shape[feature] = softmax.getMap()->getNumFeatures(
      shape[feature], softmax.getMapOperands().getTypes());
  auto op = FeatureMapOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), input,
      *softmax.getMap(), softmax.getMapOperands());
  int64_t rank = shape.size();
  if (token != rank - 2)
    op.setTokenDim(token);
  if (feature != rank - 1)
    op.setFeatureDim(feature);
  return op;
}

Factor OrderEmitter::emitLeaf(unsigned index) {
  const ChainFactor &factor = chain.factors[index];
  Value value = factor.value;
  bool isLast = index == count - 1;
  if (ones && chain.getSoftmax() && !isLast)
    value = emitFeatureMap(index);
  if (chain.rows && isLast)
    value = emitScale(value, chain.outerScale);
  if (ones && isLast) {
    // [V 1]
    auto input = cast<RankedTensorType>(value.getType());
    int64_t dim = Einsum::find(factor.axes, chain.valueAxis);
    SmallVector<int64_t> shape(input.getShape());
    ++shape[dim];
    IntegerAttr attr;
    if (dim != input.getRank() - 1)
      attr = builder.getI64IntegerAttr(dim);
    value = AppendOnesOp::create(
        builder, loc, RankedTensorType::get(shape, type.getElementType()),
        value, attr);
  }
  return {value, factor.axes};
}

/// The dimensions of an intermediate: batch, then those of the left operand,
/// then those of the right one. Groups of heads stay together.
EinsumOperand OrderEmitter::getLayout(unsigned low, unsigned high,
                                      const Factor &lhs,
                                      const Factor &rhs) const {
  SmallVector<char> needed = chain.getAxes(low, high);
  EinsumOperand layout;
  for (const EinsumOperand *operand : {&lhs.axes, &rhs.axes})
    for (const EinsumDim &dim : *operand) {
      if (!llvm::is_contained(needed, dim.front()))
        continue;
      auto isPart = [](const EinsumDim &inner, const EinsumDim &outer) {
        return llvm::all_of(
            inner, [&](char axis) { return llvm::is_contained(outer, axis); });
      };
      auto *covered = llvm::find_if(
          layout, [&](const EinsumDim &other) { return isPart(dim, other); });
      if (covered != layout.end())
        continue;
      // A group takes the place of what it holds; of two groups that overlap
      // the second is cut.
      auto *first = llvm::find_if(
          layout, [&](const EinsumDim &other) { return isPart(other, dim); });
      if (first != layout.end()) {
        *first = dim;
        layout.erase(std::remove_if(std::next(first), layout.end(),
                                    [&](const EinsumDim &other) {
                                      return isPart(other, dim);
                                    }),
                     layout.end());
        continue;
      }
      bool overlaps = llvm::any_of(
          dim, [&](char axis) { return Einsum::find(layout, axis) >= 0; });
      if (!overlaps) {
        layout.push_back(dim);
        continue;
      }
      for (char axis : dim)
        if (Einsum::find(layout, axis) < 0)
          layout.push_back({axis});
    }
  std::stable_partition(layout.begin(), layout.end(),
                        [&](const EinsumDim &dim) {
                          return llvm::any_of(dim, [&](char axis) {
                            return chain.axes.lookup(axis).isBatch;
                          });
                        });
  return layout;
}

/// P5: a group that no operand takes apart is one axis.
static void collapseGroups(Einsum &einsum) {
  EinsumOperand *operands[] = {&einsum.lhs, &einsum.rhs, &einsum.result};
  auto isApart = [&](const EinsumDim &group) {
    for (EinsumOperand *operand : operands)
      for (const EinsumDim &dim : *operand)
        if (dim != group && llvm::any_of(group, [&](char axis) {
              return llvm::is_contained(dim, axis);
            }))
          return true;
    return false;
  };
  SmallVector<EinsumDim> whole;
  for (EinsumOperand *operand : operands)
    for (const EinsumDim &dim : *operand)
      if (dim.size() > 1 && !isApart(dim))
        whole.push_back(dim);
  for (EinsumOperand *operand : operands)
    for (EinsumDim &dim : *operand)
      if (llvm::is_contained(whole, dim))
        dim.truncate(1);
}

Factor OrderEmitter::emitProduct(const Factor &lhs, const Factor &rhs,
                                 EinsumOperand result) {
  Einsum einsum{lhs.axes, rhs.axes, result};
  collapseGroups(einsum);
  SmallVector<int64_t> shape;
  for (const EinsumDim &dim : result)
    shape.push_back(getSize(dim));
  Value value = ContractOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()),
      lhs.value, rhs.value, einsum.str());
  return {value, std::move(result)};
}

Value OrderEmitter::emitRows(Value scores) {
  if (auto softmax = chain.getSoftmax())
    return SoftmaxOp::create(builder, loc, scores.getType(), scores,
                             softmax.getMapOperands(), softmax.getMapAttr());
  auto normalize = cast<NormalizeOp>(chain.rows);
  return NormalizeOp::create(builder, loc, scores.getType(), scores,
                             normalize.getFloorAttr(), normalize.getEpsAttr());
}

Factor OrderEmitter::emitInterval(unsigned low, unsigned high) {
  Factor result;
  if (high - low == 1) {
    result = emitLeaf(low);
  } else {
    unsigned middle = getMiddle(order, low, high);
    Factor lhs = emitInterval(low, middle), rhs = emitInterval(middle, high);
    EinsumOperand layout = getLayout(low, high, lhs, rhs);
    if (high - low == count)
      layout = chain.result;
    else if (keepsRows && low == 0 && high == count - 1)
      layout = chain.scores;
    result = emitProduct(lhs, rhs, layout);
  }
  if (scaled == std::pair(low, high))
    result.value = emitScale(result.value, scale);
  if (keepsRows && low == 0 && high == count - 1)
    result.value = emitRows(result.value);
  return result;
}

Value OrderEmitter::emit() {
  placeScale();
  Value value = emitInterval(0, count).value;
  if (ones) {
    // normalize(A) V = divide_by_last(A [V 1])
    FloatAttr eps = builder.getF64FloatAttr(0), floor;
    if (auto normalize = dyn_cast<NormalizeOp>(chain.rows)) {
      eps = normalize.getEpsAttr();
      floor = normalize.getFloorAttr();
    }
    int64_t dim = Einsum::find(chain.result, chain.valueAxis);
    IntegerAttr attr;
    if (dim != type.getRank() - 1)
      attr = builder.getI64IntegerAttr(dim);
    return DivideByLastOp::create(builder, loc, type, value,
                                  /*logScale=*/nullptr, attr, floor, eps);
  }
  // The type of the root may know less than the axes do.
  value.setType(type);
  return value;
}

Value attn::emitOrder(OpBuilder &builder, const Chain &chain,
                      const Bracketing &order) {
  if (order != chain.written)
    return OrderEmitter(builder, chain, order).emit();
  IRMapping mapping;
  for (Operation *op : chain.interior)
    builder.clone(*op, mapping);
  return builder.clone(*chain.root, mapping)->getResult(0);
}
