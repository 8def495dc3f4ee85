//===- TileEmitter.cpp - Tiles of values, computed where they are used ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/lower/TileEmitter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::attn;

TileRequest TileRequest::transposed() const {
  TileRequest other = *this;
  std::swap(other.rowDim, other.colDim);
  std::swap(other.rows, other.cols);
  return other;
}

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

bool TileEmitter::isComputed(Operation *op) {
  if (!op)
    return false;
  if (isa<AttnDialect>(op->getDialect()))
    return !isa<YieldOp, ExpandStepsOp, TakeStepsOp>(op);
  if (!OpTrait::hasElementwiseMappableTraits(op) || op->getNumResults() != 1)
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  return type && type.getRank() >= 2;
}

//===----------------------------------------------------------------------===//
// Dimensions
//===----------------------------------------------------------------------===//

/// One free axis of each operand, tokens first, each a dimension of its own.
static FailureOr<TileDims> getProductDims(ContractionOpInterface product) {
  Einsum einsum = product.getSubscripts();
  EinsumRoles roles = einsum.getRoles();
  SmallVector<int64_t> dims;
  for (auto [i, dim] : llvm::enumerate(einsum.result))
    if (dim.size() == 1 && !llvm::is_contained(roles.batch, dim[0]))
      dims.push_back(i);
  auto isToken = [&](int64_t dim) {
    return Einsum::isTokenAxis(einsum.result[dim][0]);
  };
  auto isLhs = [&](int64_t dim) {
    return llvm::is_contained(roles.lhsFree, einsum.result[dim][0]);
  };
  llvm::stable_sort(
      dims, [&](int64_t x, int64_t y) { return isToken(x) > isToken(y); });
  for (int64_t row : dims)
    for (int64_t col : dims)
      if (isLhs(row) != isLhs(col))
        return TileDims{row, col, isToken(row)};
  return failure();
}

FailureOr<TileDims> TileEmitter::getTileDims(Value value) {
  int64_t rank = typeOf(value).getRank();
  Operation *op = value.getDefiningOp();
  if (rank < 2)
    return failure();
  if (auto map = dyn_cast_or_null<FeatureMapOp>(op))
    return TileDims{map.getTokenDimension(), map.getFeatureDimension(), true};
  if (isa_and_nonnull<MaskOp, SoftmaxOp, NormalizeOp>(op))
    return TileDims{rank - 2, rank - 1, true};
  if (auto product = dyn_cast_or_null<ContractionOpInterface>(op))
    return getProductDims(product);
  if (isComputed(op) && !isa<NamedAxesOpInterface>(op))
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.getType());
          type && type.getRank() == rank && isComputed(operand.getDefiningOp()))
        return getTileDims(operand);
  return TileDims{rank - 2, rank - 1, true};
}

OpFoldResult TileEmitter::getSize(OpBuilder &b, Value value, int64_t dim) {
  RankedTensorType type = typeOf(value);
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  if (Value tensor = materialized.lookup(value))
    return tensor::getMixedSize(b, value.getLoc(), tensor, dim);
  Operation *op = value.getDefiningOp();
  if (auto cast = dyn_cast_or_null<tensor::CastOp>(op))
    return getSize(b, cast.getSource(), dim);
  if (auto product = dyn_cast_or_null<ContractionOpInterface>(op)) {
    Einsum einsum = product.getSubscripts();
    std::pair<EinsumOperand *, Value> operands[] = {
        {&einsum.lhs, product.getLhs()}, {&einsum.rhs, product.getRhs()}};
    for (auto &[axes, operand] : operands)
      for (auto [i, other] : llvm::enumerate(*axes))
        if (other == einsum.result[dim])
          return getSize(b, operand, i);
  } else if (auto named = dyn_cast_or_null<NamedAxesOpInterface>(op)) {
    unsigned number = cast<OpResult>(value).getResultNumber();
    EinsumDim wanted = named.getAxesOfResults()[number][dim];
    for (auto [axes, operand] :
         llvm::zip_equal(named.getAxesOfOperands(), op->getOperands()))
      for (auto [i, other] : llvm::enumerate(axes))
        if (other == wanted)
          return getSize(b, operand, i);
  } else if (auto scale = dyn_cast_or_null<FeatureScaleOp>(op)) {
    return getSize(b, scale.getInput(),
                   dim + (dim >= scale.getFeatureDimension()));
  } else if (isComputed(op)) {
    for (Value operand : op->getOperands())
      if (auto other = dyn_cast<RankedTensorType>(operand.getType());
          other && other.getRank() == type.getRank())
        return getSize(b, operand, dim);
  }
  return tensor::getMixedSize(b, value.getLoc(), value, dim);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<int64_t> TileEmitter::getLadder(OpFoldResult extent,
                                            ArrayRef<int64_t> sizes) {
  std::optional<int64_t> size = getConstantIntValue(extent);
  if (!size)
    return SmallVector<int64_t>(sizes);
  // One full size and what is left of it.
  int64_t tile = std::min(std::max<int64_t>(*size, 1), sizes.front());
  SmallVector<int64_t> ladder{tile};
  if (*size % tile != 0)
    ladder.push_back(*size % tile);
  return ladder;
}

OpFoldResult TileEmitter::getLastFullTile(OpBuilder &b, Location loc,
                                          OpFoldResult lo, OpFoldResult hi,
                                          int64_t size) {
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  return affine::makeComposedFoldedAffineApply(
      b, loc, AffineMap::get(2, 0, d0 + (d1 - d0).floorDiv(size) * size),
      {lo, hi});
}

FailureOr<SmallVector<Value>>
TileEmitter::forEachTile(OpBuilder &b, Location loc, OpFoldResult lo,
                         OpFoldResult hi, ArrayRef<int64_t> sizes,
                         ValueRange init, LoopBody body) {
  SmallVector<Value> carried(init);
  for (int64_t size : sizes) {
    OpFoldResult stop = getLastFullTile(b, loc, lo, hi, size);
    if (isEqualConstantIntOrValue(lo, stop))
      continue;
    auto loop = scf::ForOp::create(
        b, loc, getValueOrCreateConstantIndexOp(b, loc, lo),
        getValueOrCreateConstantIndexOp(b, loc, stop),
        arith::ConstantIndexOp::create(b, loc, size), carried);
    OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
    FailureOr<SmallVector<Value>> results =
        body(inner, loop.getInductionVar(), size, loop.getRegionIterArgs());
    if (failed(results))
      return failure();
    // A loop that carries nothing is made with its terminator.
    if (!results->empty())
      scf::YieldOp::create(inner, loc, *results);
    carried.assign(loop.getResults().begin(), loop.getResults().end());
    lo = stop;
  }
  return carried;
}

//===----------------------------------------------------------------------===//
// Values that are read, element-wise operations
//===----------------------------------------------------------------------===//

FailureOr<Value> TileEmitter::emit(OpBuilder &b, Value value,
                                   const TileRequest &request) {
  Operation *op = value.getDefiningOp();
  if (materialized.contains(value) || !isComputed(op))
    return emitLeaf(b, value, request);
  // Maps on tokens and on scores compute [token, feature] and [query, key].
  auto map = dyn_cast<FeatureMapOp>(op);
  if (isa<MaskOp, SoftmaxOp, NormalizeOp>(op) ||
      (map && !map.isElementwise())) {
    FailureOr<TileDims> dims = getTileDims(value);
    if (request.rowDim == dims->col && request.colDim == dims->row) {
      FailureOr<Value> tile = emit(b, value, request.transposed());
      if (failed(tile))
        return failure();
      return TileOps(b, op->getLoc()).transpose(*tile);
    }
    if (request.rowDim != dims->row || request.colDim != dims->col)
      return op->emitOpError("cannot be tiled along the dimensions ")
             << request.rowDim << " and " << request.colDim;
  }
  return llvm::TypeSwitch<Operation *, FailureOr<Value>>(op)
      .Case([&](ContractionOpInterface op) {
        return emitContraction(b, op, request);
      })
      .Case([&](FeatureMapOp op) { return emitFeatureMap(b, op, request); })
      .Case([&](MaskOp op) { return emitMask(b, op, request); })
      .Case<SoftmaxOp, NormalizeOp>(
          [&](auto op) { return emitRowNormalizer(b, op, request); })
      .Case([&](GateOp op) { return emitGate(b, op, request); })
      .Case([&](DivideOp op) { return emitDivide(b, op, request); })
      .Case([&](FeatureScaleOp op) { return emitFeatureScale(b, op, request); })
      .Case<CausalScoreOp, SolveOp, RecurrenceOp, ScanOp>(
          [&](Operation *op) -> FailureOr<Value> {
            return op->emitOpError(
                "is left in the graph: no recurrence was derived from it, and "
                "nothing else lowers it");
          })
      .Case([&](AppendOnesOp op) { return emitAppendOnes(b, op, request); })
      .Case([&](DivideByLastOp op) { return emitDivideByLast(b, op, request); })
      .Default([&](Operation *op) { return emitElementwise(b, op, request); });
}

FailureOr<Value> TileEmitter::emitLeaf(OpBuilder &b, Value value,
                                       const TileRequest &request) {
  if (Value tensor = materialized.lookup(value))
    value = tensor;
  RankedTensorType type = typeOf(value);
  SmallVector<OpFoldResult> shape(type.getRank(), b.getIndexAttr(1));
  shape[request.rowDim] = b.getIndexAttr(request.rows);
  shape[request.colDim] = b.getIndexAttr(request.cols);
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<int64_t> tileShape{request.rows, request.cols};
  bool transposed = request.rowDim > request.colDim;
  if (transposed)
    std::swap(tileShape[0], tileShape[1]);
  Location loc = value.getLoc();
  Value tile = tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(tileShape, type.getElementType()), value,
      request.offsets, shape, strides);
  return transposed ? TileOps(b, loc).transpose(tile) : tile;
}

FailureOr<Value> TileEmitter::emitVector(OpBuilder &b, Value value,
                                         ArrayRef<OpFoldResult> offsets,
                                         int64_t dim, int64_t size) {
  RankedTensorType type = typeOf(value);
  if (type.getRank() >= 2) {
    // One wide in another dimension, the next one if there is one: slices that
    // drop dimensions of size one keep their order.
    TileRequest request;
    request.offsets.assign(offsets.begin(), offsets.end());
    int64_t other = dim + 1 < type.getRank() ? dim + 1 : dim - 1;
    // Features are computed for a token.
    FailureOr<TileDims> dims = getTileDims(value);
    if (succeeded(dims) && dims->col == dim)
      other = dims->row;
    // As it lies in memory: a row is read by vectors.
    bool isRow = other < dim;
    request.rowDim = isRow ? other : dim;
    request.colDim = isRow ? dim : other;
    (isRow ? request.cols : request.rows) = size;
    FailureOr<Value> tile = emit(b, value, request);
    if (failed(tile))
      return failure();
    return TileOps(b, value.getLoc()).flatten(*tile);
  }
  Operation *op = value.getDefiningOp();
  if (Value tensor = materialized.lookup(value))
    value = tensor;
  else if (isa_and_nonnull<FeatureMapOp, ScaleOp, GateOp, FeatureScaleOp>(op))
    return emitPart(b, op, offsets, size);
  SmallVector<OpFoldResult> shape{b.getIndexAttr(size)},
      strides{b.getIndexAttr(1)};
  return Value(tensor::ExtractSliceOp::create(
      b, value.getLoc(), RankedTensorType::get({size}, type.getElementType()),
      value, offsets, shape, strides));
}

FailureOr<Value> TileEmitter::emitElementwise(OpBuilder &b, Operation *op,
                                              const TileRequest &request) {
  TileOps ops(b, op->getLoc());
  if (auto scale = dyn_cast<ScaleOp>(op)) {
    FailureOr<Value> input = emit(b, scale.getInput(), request);
    if (failed(input))
      return failure();
    Type element = scale.getType().getElementType();
    Value factor = ops.constant(element, scale.getFactor().convertToDouble());
    return ops.map(ops.convert(*input, element), element,
                   [&](OpBuilder &n, Location l, ValueRange x) -> Value {
                     return arith::MulFOp::create(n, l, x[0], factor);
                   });
  }
  // An operation of another dialect, on tiles of its operands.
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType()))
      continue;
    FailureOr<Value> tile = emit(b, operand, request);
    if (failed(tile))
      return failure();
    mapping.map(operand, *tile);
  }
  Operation *clone = b.clone(*op, mapping);
  clone->getResult(0).setType(
      typeOf(op->getResult(0)).clone({request.rows, request.cols}));
  return clone->getResult(0);
}

FailureOr<Value> TileEmitter::emitDivide(OpBuilder &b, DivideOp op,
                                         const TileRequest &request) {
  SmallVector<Value, 3> tiles;
  for (Value operand : op->getOperands()) {
    FailureOr<Value> tile = emit(b, operand, request);
    if (failed(tile))
      return failure();
    tiles.push_back(*tile);
  }
  std::optional<double> floor;
  if (op.getFloor())
    floor = op.getFloor()->convertToDouble();
  return TileOps(b, op.getLoc())
      .divideRows(tiles[0], tiles[1], op.getEps().convertToDouble(), floor,
                  op.getLogScale() ? tiles[2] : Value());
}

FailureOr<Value> TileEmitter::emitAppendOnes(OpBuilder &b, AppendOnesOp op,
                                             const TileRequest &request) {
  Location loc = op.getLoc();
  Type element = op.getType().getElementType();
  int64_t dim = op.getDimension();
  bool columns = dim == request.colDim;
  if (!columns && dim != request.rowDim)
    return op.emitOpError("cannot be tiled across its dimension ") << dim;
  TileRequest inner = request;
  (columns ? inner.cols : inner.rows) -= 1;
  FailureOr<Value> input = emit(b, op.getInput(), inner);
  if (failed(input))
    return failure();
  TileOps ops(b, loc);
  Value ones = ops.fill({request.rows, request.cols}, element, 1.0);
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)),
      strides(2, b.getIndexAttr(1));
  SmallVector<OpFoldResult> shape{b.getIndexAttr(inner.rows),
                                  b.getIndexAttr(inner.cols)};
  return Value(tensor::InsertSliceOp::create(
      b, loc, ops.convert(*input, element), ones, offsets, shape, strides));
}

Value TileEmitter::divideTile(OpBuilder &b, DivideByLastOp op, Value num,
                              Value den, Value logScale) {
  TileOps ops(b, op.getLoc());
  Type element = op.getType().getElementType();
  std::optional<double> floor;
  if (op.getFloor())
    floor = op.getFloor()->convertToDouble();
  return ops.divideRows(ops.convert(num, element),
                        ops.convert(ops.flatten(den), element),
                        op.getEps().convertToDouble(), floor, logScale);
}

FailureOr<Value> TileEmitter::emitDivideByLast(OpBuilder &b, DivideByLastOp op,
                                               const TileRequest &request) {
  int64_t dim = op.getDimension();
  if (dim == request.rowDim) {
    FailureOr<Value> tile = emitDivideByLast(b, op, request.transposed());
    if (failed(tile))
      return failure();
    return TileOps(b, op.getLoc()).transpose(*tile);
  }
  if (dim != request.colDim)
    return op.emitOpError("cannot be tiled across its dimension ") << dim;
  // All columns but the last, and the last by itself.
  TileRequest last = request;
  last.offsets[dim] = b.getIndexAttr(op.getType().getDimSize(dim));
  last.cols = 1;
  FailureOr<Value> num = emit(b, op.getInput(), request);
  FailureOr<Value> den = emit(b, op.getInput(), last);
  if (failed(num) || failed(den))
    return failure();
  Value logScale;
  if (op.getLogScale()) {
    // The log scale has no dimension `dim`.
    SmallVector<OpFoldResult> offsets(request.offsets);
    offsets.erase(offsets.begin() + dim);
    FailureOr<Value> tile =
        emitVector(b, op.getLogScale(), offsets,
                   request.rowDim - (request.rowDim > dim), request.rows);
    if (failed(tile))
      return failure();
    logScale = *tile;
  }
  return divideTile(b, op, *num, *den, logScale);
}
