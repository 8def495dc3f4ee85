//===- TileTokenSums.cpp - Sums over tokens as loops over tiles -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/lower/TileProduct.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The feature maps behind `value` whose factor the sum over tokens may choose.
static void collectSequenceMaps(Value value,
                                llvm::SetVector<Operation *> &maps) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return;
  if (auto map = dyn_cast<FeatureMapOp>(op)) {
    if (map.getStabilize() == Stabilize::Sequence && map.getMap() &&
        map.getMap()->isExponential())
      maps.insert(map);
  } else if (isa<ScaleOp, MaskOp, NormalizeOp>(op)) {
    collectSequenceMaps(op->getOperand(0), maps);
  } else if (auto score = dyn_cast<ContractionOpInterface>(op);
             score && !Einsum::isTokenAxis(
                          score.getSubscripts().getRoles().contracted[0])) {
    collectSequenceMaps(score.getLhs(), maps);
    collectSequenceMaps(score.getRhs(), maps);
  }
}

namespace {
/// The values that a loop over tokens carries, by what they are.
struct Carried {
  Value sums;   // [x, y]: sum_c left right
  Value ones;   // [x]: sum_c left, the product with a column of ones
  Value rowSum; // [x]: sum_c of the weights of a softmax or normaliser
  Value rowMax; // [x]: the running maximum of a softmax
  SmallVector<Value> mapMax; // running maxima of feature maps, scalars

  SmallVector<Value> pack() const {
    SmallVector<Value> values;
    for (Value value : {sums, ones, rowSum, rowMax})
      if (value)
        values.push_back(value);
    llvm::append_range(values, mapMax);
    return values;
  }
  /// The same values under other names.
  Carried unpack(ValueRange values) const {
    Carried other;
    size_t next = 0;
    for (auto member :
         {&Carried::sums, &Carried::ones, &Carried::rowSum, &Carried::rowMax})
      if (this->*member)
        other.*member = values[next++];
    llvm::append_range(other.mapMax, values.drop_front(next));
    return other;
  }
  /// Multiplies every sum by e^(before - after), which is one a row or one for
  /// all.
  void rescale(TileOps &ops, ValueRange factors, Value scalar) {
    auto multiply = [&](OpBuilder &n, Location l, ValueRange x) -> Value {
      return arith::MulFOp::create(n, l, x[0], scalar ? scalar : x[1]);
    };
    for (auto member : {&Carried::sums, &Carried::ones, &Carried::rowSum})
      if (this->*member)
        this->*member = ops.update(this->*member, factors, multiply);
  }
};
} // namespace

static Value add(OpBuilder &b, Location loc, ValueRange x) {
  return arith::AddFOp::create(b, loc, x[0], x[1]);
}

static Value maximum(OpBuilder &b, Location loc, ValueRange x) {
  return arith::MaximumFOp::create(b, loc, x[0], x[1]);
}

/// One step of the online softmax: turns the scores of a tile into weights.
///   m' = max(m, max_j s_j);  p = exp(s - m');  sums *= e^(m - m')
static Value emitOnlineWeights(TileOps &ops, Carried &carried, Value scores,
                               Type element) {
  Value tileMax = ops.rowMax(scores);
  // The factor reads m before m' takes its place.
  Value factor = ops.map({tileMax, carried.rowMax}, element,
                         [](OpBuilder &n, Location l, ValueRange x) {
                           Value max = maximum(n, l, x);
                           return TileOps::expDifference(
                               n, l, x[1], TileOps::finiteShift(n, l, max));
                         });
  carried.rescale(ops, factor, nullptr);
  carried.rowMax = ops.update(carried.rowMax, tileMax, maximum);
  return ops.expRows(scores, carried.rowMax);
}

/// What a softmax or normaliser makes of the weights of rows and their sums.
static Value divideByRowSum(TileOps &ops, Operation *normalizer, Value weights,
                            Value rowSum) {
  auto normalize = dyn_cast<NormalizeOp>(normalizer);
  if (!normalize)
    return ops.divideRows(weights, rowSum, 0);
  std::optional<double> floor;
  if (normalize.getFloor())
    floor = normalize.getFloor()->convertToDouble();
  return ops.divideRows(weights, rowSum, normalize.getEps().convertToDouble(),
                        floor);
}

FailureOr<Value> TileEmitter::emitTokenSum(OpBuilder &b, Product &product) {
  Location loc = product.op.getLoc();
  Type element = product.element;
  int64_t rows = product.getRange(product.x).size;
  AxisRange columns = product.getRange(product.y);
  TileOps ops(b, loc);

  // 1. A softmax or normaliser of the rows x over c becomes online.
  ProductOperand left = product.left, right = product.right;
  Operation *normalizer = left.value.getDefiningOp();
  bool lastIsSum = left.axes.back().front() == product.c &&
                   left.axes[left.axes.size() - 2].front() == product.x;
  if (!isa_and_nonnull<SoftmaxOp, NormalizeOp>(normalizer) || !lastIsSum)
    normalizer = nullptr;
  bool softmax = isa_and_nonnull<SoftmaxOp>(normalizer);
  if (normalizer)
    left.value = normalizer->getOperand(0);

  // 2. A column of ones on the right is a sum of the left rows.
  int64_t width = columns.size;
  bool hasOnes = false;
  if (auto append = right.value.getDefiningOp<AppendOnesOp>();
      append && append.getDimension() == Einsum::find(right.axes, product.y)) {
    int64_t last = append.getType().getDimSize(append.getDimension()) - 1;
    std::optional<int64_t> first = getConstantIntValue(columns.offset);
    if (first && *first + width == last + 1) {
      hasOnes = true;
      --width;
    }
    if (first)
      right.value = append.getInput();
  }

  // 3. What the loop carries.
  llvm::SetVector<Operation *> maps;
  collectSequenceMaps(left.value, maps);
  collectSequenceMaps(right.value, maps);
  double lowest = -std::numeric_limits<double>::infinity();
  Carried carried;
  if (width > 0)
    carried.sums = ops.fill({rows, width}, element, 0);
  if (hasOnes)
    carried.ones = ops.fill({rows}, element, 0);
  if (normalizer)
    carried.rowSum = ops.fill({rows}, element, 0);
  if (softmax)
    carried.rowMax = ops.fill({rows}, element, lowest);
  for (Operation *map : maps)
    carried.mapMax.push_back(
        ops.constant(typeOf(map->getResult(0)).getElementType(), lowest));

  // 4. The loop over tiles of tokens.
  AxisPlaces places = product.places;
  places.ranges[product.y].size = width;
  SmallVector<int64_t> ladder = getLadder(product.extent, sizes.keys);
  auto [lo, hi] =
      emitKeyRange(b, loc, left.value, product.getRange(product.x).offset, rows,
                   product.extent, ladder.front());
  auto body = [&](OpBuilder &n, Value offset, int64_t size,
                  ValueRange values) -> FailureOr<SmallVector<Value>> {
    TileOps tile(n, loc);
    Carried now = carried.unpack(values);
    AxisRange range{OpFoldResult(offset), size};
    for (auto [map, max] : llvm::zip_equal(maps, now.mapMax))
      runningMax[map] = {max, nullptr};
    OperandRequest leftRequest =
        getOperandRequest(n, loc, left, places, product.c, range);
    FailureOr<Value> weights = emit(n, left.value, leftRequest.request);
    if (failed(weights))
      return failure();
    *weights = tile.convert(*weights, element);
    FailureOr<Value> values2 = Value();
    OperandRequest rightRequest;
    if (width > 0) {
      rightRequest = getOperandRequest(n, loc, right, places, product.c, range);
      values2 = emit(n, right.value, rightRequest.request);
      if (failed(values2))
        return failure();
      *values2 = tile.convert(*values2, element);
    }
    for (auto [map, max] : llvm::zip_equal(maps, now.mapMax)) {
      Value after = runningMax[map].after;
      runningMax.erase(map);
      if (!after)
        continue;
      // The features of all tokens so far share the factor e^-max.
      Value factor = TileOps::expDifference(
          n, loc, max, TileOps::finiteShift(n, loc, after));
      Value wide = factor;
      if (wide.getType() != element)
        wide = element.isF64()
                   ? Value(arith::ExtFOp::create(n, loc, element, factor))
                   : Value(arith::TruncFOp::create(n, loc, element, factor));
      now.rescale(tile, {}, wide);
      max = after;
    }
    if (softmax)
      *weights = emitOnlineWeights(tile, now, *weights, element);
    if (normalizer)
      now.rowSum = tile.reduceRows(now.rowSum, *weights, add);
    // A tile is summed by itself: against the sums of all tokens so far, which
    // grow with their number, it is rounded once a tile and not once a token.
    if (now.ones) {
      Value ones = tile.fill({rows}, element, 0);
      ones = leftRequest.sumFirst ? tile.addColumns(ones, *weights)
                                  : tile.reduceRows(ones, *weights, add);
      now.ones = tile.update(now.ones, ones, add);
    }
    if (now.sums) {
      Value sums =
          tile.matmul(tile.fill({rows, width}, element, 0), *weights,
                      leftRequest.sumFirst, *values2, !rightRequest.sumFirst);
      now.sums = tile.update(now.sums, sums, add);
    }
    return now.pack();
  };
  FailureOr<SmallVector<Value>> results =
      forEachTile(b, loc, lo, hi, ladder, carried.pack(), body);
  if (failed(results))
    return failure();
  Carried sums = carried.unpack(*results);

  // 5. Divide by the row sums, put the column of ones back.
  if (normalizer) {
    for (Value *tile : {&sums.sums, &sums.ones})
      if (*tile)
        *tile = divideByRowSum(ops, normalizer, *tile, sums.rowSum);
  }
  if (!sums.ones)
    return sums.sums;
  Value column = tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get({rows, 1}, element), sums.ones,
      ArrayRef<ReassociationIndices>{{0, 1}});
  if (!sums.sums)
    return column;
  Value both = tensor::EmptyOp::create(b, loc, {rows, width + 1}, element);
  SmallVector<OpFoldResult> origin(2, b.getIndexAttr(0)),
      strides(2, b.getIndexAttr(1));
  SmallVector<OpFoldResult> shape{b.getIndexAttr(rows), b.getIndexAttr(width)};
  both = tensor::InsertSliceOp::create(b, loc, sums.sums, both, origin, shape,
                                       strides);
  origin[1] = b.getIndexAttr(width);
  shape[1] = b.getIndexAttr(1);
  return Value(tensor::InsertSliceOp::create(b, loc, column, both, origin,
                                             shape, strides));
}

//===----------------------------------------------------------------------===//
// Row normalisers that no product follows
//===----------------------------------------------------------------------===//

FailureOr<Value> TileEmitter::emitRowNormalizer(OpBuilder &b, Operation *op,
                                                const TileRequest &request) {
  // Two passes over the keys: the row's maximum and sum, then the tile.
  Location loc = op->getLoc();
  Value scores = op->getOperand(0);
  Type element = typeOf(scores).getElementType();
  bool softmax = isa<SoftmaxOp>(op);
  TileOps ops(b, loc);
  Carried carried;
  carried.rowSum = ops.fill({request.rows}, element, 0);
  if (softmax)
    carried.rowMax = ops.fill({request.rows}, element,
                              -std::numeric_limits<double>::infinity());
  OpFoldResult keys = getSize(b, scores, request.colDim);
  FailureOr<SmallVector<Value>> results =
      forEachTile(b, loc, b.getIndexAttr(0), keys, getLadder(keys, sizes.keys),
                  carried.pack(),
                  [&](OpBuilder &n, Value offset, int64_t size,
                      ValueRange values) -> FailureOr<SmallVector<Value>> {
                    TileOps tile(n, loc);
                    Carried now = carried.unpack(values);
                    TileRequest part = request;
                    part.offsets[request.colDim] = offset;
                    part.cols = size;
                    FailureOr<Value> weights = emit(n, scores, part);
                    if (failed(weights))
                      return failure();
                    if (softmax)
                      *weights =
                          emitOnlineWeights(tile, now, *weights, element);
                    now.rowSum = tile.reduceRows(now.rowSum, *weights, add);
                    return now.pack();
                  });
  FailureOr<Value> tile = emit(b, scores, request);
  if (failed(results) || failed(tile))
    return failure();
  Carried sums = carried.unpack(*results);
  Value weights = softmax ? ops.expRows(*tile, sums.rowMax) : *tile;
  return divideByRowSum(ops, op, weights, sums.rowSum);
}
