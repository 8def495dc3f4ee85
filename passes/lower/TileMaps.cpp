//===- TileMaps.cpp - Tiles of feature maps and masks ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "passes/lower/TileEmitter.h"

using namespace mlir;
using namespace mlir::attn;

static RankedTensorType typeOf(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// The offsets of the dimensions that a tile is one wide in.
static SmallVector<OpFoldResult> getBatchOffsets(const TileRequest &request) {
  SmallVector<OpFoldResult> batch;
  for (auto [i, offset] : llvm::enumerate(request.offsets))
    if (static_cast<int64_t>(i) != request.rowDim &&
        static_cast<int64_t>(i) != request.colDim)
      batch.push_back(offset);
  return batch;
}

/// Offsets in an operand that is aligned to the right of `batch`: a static size
/// of 1 is repeated.
static SmallVector<OpFoldResult> alignRight(OpBuilder &b,
                                            ArrayRef<OpFoldResult> batch,
                                            ArrayRef<int64_t> leading) {
  SmallVector<OpFoldResult> offsets(batch.take_back(leading.size()));
  for (auto [offset, size] : llvm::zip_equal(offsets, leading))
    if (size == 1)
      offset = b.getIndexAttr(0);
  return offsets;
}

//===----------------------------------------------------------------------===//
// Feature maps
//===----------------------------------------------------------------------===//

/// A whole matrix of a feature map's operand at the batch indices of a tile.
static Value sliceProjection(OpBuilder &b, Location loc, Value operand,
                             ArrayRef<OpFoldResult> batch, Type element) {
  RankedTensorType type = typeOf(operand);
  SmallVector<OpFoldResult> offsets =
      alignRight(b, batch, type.getShape().drop_back(2));
  SmallVector<OpFoldResult> shape(offsets.size(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  ArrayRef<int64_t> matrixShape = type.getShape().take_back(2);
  for (int64_t size : matrixShape) {
    offsets.push_back(b.getIndexAttr(0));
    shape.push_back(b.getIndexAttr(size));
  }
  Value matrix = tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(matrixShape, type.getElementType()),
      operand, offsets, shape, strides);
  return TileOps(b, loc).convert(matrix, element);
}

/// The element-wise map that a region holds.
static Value emitRegion(TileOps &ops, FeatureMapOp op, Value input) {
  Block &body = op.getBody().front();
  return ops.map(input, typeOf(input).getElementType(),
                 [&](OpBuilder &n, Location, ValueRange x) {
                   IRMapping mapping;
                   mapping.map(body.getArgument(0), x[0]);
                   for (Operation &inner : body.without_terminator())
                     n.clone(inner, mapping);
                   return mapping.lookupOrDefault(
                       body.getTerminator()->getOperand(0));
                 });
}

FailureOr<Value> TileEmitter::emitFeatureMap(OpBuilder &b, FeatureMapOp op,
                                             const TileRequest &request) {
  Location loc = op.getLoc();
  TileOps ops(b, loc);
  Type element = op.getType().getElementType();
  int64_t feature = op.getFeatureDimension();
  TileRequest inputRequest = request;
  if (!op.isElementwise()) {
    if (request.cols != op.getType().getDimSize(feature))
      return op.emitOpError("is needed for a part of its features");
    inputRequest.cols = op.getInput().getType().getDimSize(feature);
  }
  FailureOr<Value> input = emit(b, op.getInput(), inputRequest);
  if (failed(input))
    return failure();
  FeatureMapTile tile;
  tile.input = ops.convert(*input, element);
  if (!op.getMap())
    return emitRegion(ops, op, tile.input);

  FeatureMapAttrInterface map = *op.getMap();
  tile.position =
      getValueOrCreateConstantIndexOp(b, loc, request.offsets[request.rowDim]);
  if (op.getStart()) {
    Value start =
        tensor::ExtractOp::create(b, loc, op.getStart(), ValueRange());
    start = arith::IndexCastOp::create(b, loc, b.getIndexType(), start);
    tile.position = arith::AddIOp::create(b, loc, tile.position, start);
  }
  SmallVector<OpFoldResult> batch = getBatchOffsets(request);
  for (Value operand : op.getMapOperands())
    tile.operands.push_back(sliceProjection(b, loc, operand, batch, element));
  bool perToken = op.getStabilize() == Stabilize::Token;
  bool perSequence =
      op.getStabilize() == Stabilize::Sequence && runningMax.contains(op);
  if (!map.isExponential() || !(perToken || perSequence))
    return map.emitTile(b, loc, tile);

  // phi = exp(psi - shift): the factor e^-shift is free to choose.
  Value psi = map.emitLogTile(b, loc, tile);
  if (perToken)
    return ops.expRows(psi, ops.rowMax(psi));
  Value max = arith::MaximumFOp::create(b, loc, runningMax[op].before,
                                        ops.maxOfAll(psi));
  Value shift = TileOps::finiteShift(b, loc, max);
  runningMax[op].after = max;
  return ops.map(psi, element, [&](OpBuilder &n, Location l, ValueRange x) {
    return TileOps::expDifference(n, l, x[0], shift);
  });
}

/// An element-wise map, a scale or a gate of vectors and scalars.
static Value emitOnVectors(OpBuilder &b, Operation *op, ArrayRef<Value> inputs,
                           ArrayRef<int64_t> shape) {
  TileOps ops(b, op->getLoc());
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  if (auto map = dyn_cast<FeatureMapOp>(op)) {
    if (!map.getMap())
      return emitRegion(ops, map, inputs[0]);
    return ops.map(inputs[0], element,
                   [&](OpBuilder &n, Location l, ValueRange x) {
                     return map.getMap()->emitElement(n, l, x[0]);
                   });
  }
  if (auto scale = dyn_cast<ScaleOp>(op)) {
    Value factor = ops.constant(element, scale.getFactor().convertToDouble());
    return ops.map(inputs[0], element,
                   [&](OpBuilder &n, Location l, ValueRange x) -> Value {
                     return arith::MulFOp::create(n, l, x[0], factor);
                   });
  }
  SmallVector<TileOps::Named> tiles;
  for (Value input : inputs)
    tiles.push_back({input, typeOf(input).getRank() == 0 ? "" : "i"});
  return ops.broadcast(shape, element, tiles,
                       [](OpBuilder &n, Location l, ValueRange x) -> Value {
                         return arith::MulFOp::create(n, l, x[0], x[1]);
                       });
}

FailureOr<Value> TileEmitter::emitSmall(Operation *op) {
  OpBuilder b(op);
  TileOps ops(b, op->getLoc());
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands())
    inputs.push_back(ops.convert(getTensor(operand), type.getElementType()));
  return emitOnVectors(b, op, inputs, type.getShape());
}

FailureOr<Value> TileEmitter::emitPart(OpBuilder &b, Operation *op,
                                       ArrayRef<OpFoldResult> offsets,
                                       int64_t size) {
  TileOps ops(b, op->getLoc());
  if (auto scale = dyn_cast<FeatureScaleOp>(op)) {
    TileRequest request;
    request.offsets.assign(offsets.begin(), offsets.end());
    request.rowDim = 0;
    request.colDim = -1; // none
    request.rows = size;
    FailureOr<Value> tile = emitFeatureScale(b, scale, request);
    if (failed(tile))
      return failure();
    return ops.flatten(*tile);
  }
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  SmallVector<Value> inputs;
  for (Value operand : op->getOperands()) {
    Value input = operand;
    if (typeOf(operand).getRank() == 1) {
      FailureOr<Value> part = emitVector(b, operand, offsets, 0, size);
      if (failed(part))
        return failure();
      input = *part;
    }
    inputs.push_back(ops.convert(input, element));
  }
  return emitOnVectors(b, op, inputs, {size});
}

FailureOr<Value> TileEmitter::emitFeatureScale(OpBuilder &b, FeatureScaleOp op,
                                               const TileRequest &request) {
  // The result has the dimensions of the input but for the features.
  Location loc = op.getLoc();
  int64_t feature = op.getFeatureDimension();
  auto toInput = [&](int64_t dim) { return dim + (dim >= feature); };
  bool transposed = toInput(request.colDim) == op.getTokenDimension();
  int64_t rowDim = transposed ? request.colDim : request.rowDim;
  int64_t other = transposed ? request.rows : request.cols;
  if (toInput(rowDim) != op.getTokenDimension() || other != 1)
    return op.emitOpError("is needed for several batch indices at a time");
  TileRequest inputRequest;
  inputRequest.offsets = request.offsets;
  inputRequest.offsets.insert(inputRequest.offsets.begin() + feature,
                              b.getIndexAttr(0));
  inputRequest.rowDim = toInput(rowDim);
  inputRequest.colDim = feature;
  inputRequest.rows = transposed ? request.cols : request.rows;
  inputRequest.cols = op.getInput().getType().getDimSize(feature);
  FailureOr<Value> input = emit(b, op.getInput(), inputRequest);
  if (failed(input))
    return failure();
  TileOps ops(b, loc);
  Type element = op.getType().getElementType();
  FeatureMapTile tile;
  tile.input = ops.convert(*input, element);
  tile.position = getValueOrCreateConstantIndexOp(
      b, loc, inputRequest.offsets[inputRequest.rowDim]);
  SmallVector<OpFoldResult> batch = getBatchOffsets(inputRequest);
  for (Value operand : op.getMapOperands())
    tile.operands.push_back(sliceProjection(b, loc, operand, batch, element));
  Value max = ops.rowMax(op.getMap().emitLogTile(b, loc, tile));
  return Value(tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get({request.rows, request.cols}, element), max,
      ArrayRef<ReassociationIndices>{{0, 1}}));
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

namespace {
/// A tile of a mask's term, with the tile's dimensions that it has.
struct TermTile {
  Value tile;
  bool hasRow, hasCol;
};
} // namespace

/// The part of a term that a tile of scores needs, as a tensor without the
/// dimensions that it repeats.
static TermTile sliceTerm(OpBuilder &b, Location loc, const MaskTerm &term,
                          const TileRequest &request) {
  RankedTensorType type = typeOf(term.tensor);
  int64_t rank = type.getRank();
  TermTile result{nullptr, term.kind != MaskTerm::Kind::Col,
                  term.kind != MaskTerm::Kind::Row};
  SmallVector<OpFoldResult> offsets;
  if (term.kind == MaskTerm::Kind::Scores) {
    result.hasRow = rank >= 2 && type.getDimSize(rank - 2) != 1;
    result.hasCol = rank >= 1 && type.getDimSize(rank - 1) != 1;
    offsets = alignRight(b, request.offsets, type.getShape());
  } else {
    offsets = {
        request.offsets[result.hasRow ? request.rowDim : request.colDim]};
  }
  SmallVector<OpFoldResult> shape(rank, b.getIndexAttr(1)),
      strides(rank, b.getIndexAttr(1));
  SmallVector<int64_t> tileShape;
  if (result.hasRow) {
    shape[term.kind == MaskTerm::Kind::Row ? 0 : rank - 2] =
        b.getIndexAttr(request.rows);
    tileShape.push_back(request.rows);
  }
  if (result.hasCol) {
    shape[rank - 1] = b.getIndexAttr(request.cols);
    tileShape.push_back(request.cols);
  }
  result.tile = tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(tileShape, type.getElementType()),
      term.tensor, offsets, shape, strides);
  return result;
}

FailureOr<Value> TileEmitter::emitMask(OpBuilder &b, MaskOp op,
                                       const TileRequest &request) {
  Location loc = op.getLoc();
  int64_t rank = op.getType().getRank();
  FailureOr<Value> scores = emit(b, op.getScores(), request);
  if (failed(scores))
    return failure();
  if (op.getMask().isFull())
    return scores;

  // What the mask computes once is computed where the graph has the mask.
  auto [terms, isNew] = maskTerms.try_emplace(op);
  if (isNew && !op.getMaskOperands().empty()) {
    OpBuilder before(op);
    Value rows = getValueOrCreateConstantIndexOp(
        before, loc, getSize(before, op.getScores(), rank - 2));
    Value cols = getValueOrCreateConstantIndexOp(
        before, loc, getSize(before, op.getScores(), rank - 1));
    SmallVector<MaskTerm> prepared =
        op.getMask().prepare(before, loc, op.getMaskOperands(), rows, cols);
    maskTerms[op] = prepared;
  }

  AffineExpr i = b.getAffineDimExpr(0), j = b.getAffineDimExpr(1);
  MLIRContext *context = b.getContext();
  SmallVector<Value> ins{*scores};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(2)};
  for (const MaskTerm &term : maskTerms[op]) {
    TermTile tile = sliceTerm(b, loc, term, request);
    SmallVector<AffineExpr> dims;
    if (tile.hasRow)
      dims.push_back(i);
    if (tile.hasCol)
      dims.push_back(j);
    ins.push_back(tile.tile);
    maps.push_back(AffineMap::get(2, 0, dims, context));
  }
  maps.push_back(b.getMultiDimIdentityMap(2));
  RankedTensorType type = typeOf(*scores);
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  Value rowBegin =
      getValueOrCreateConstantIndexOp(b, loc, request.offsets[request.rowDim]);
  Value colBegin =
      getValueOrCreateConstantIndexOp(b, loc, request.offsets[request.colDim]);
  Value fill = TileOps(b, loc).constant(type.getElementType(),
                                        op.getFill().convertToDouble());
  SmallVector<utils::IteratorType> parallel(2, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, type, ins, empty, maps, parallel,
             [&](OpBuilder &n, Location l, ValueRange args) {
               Value row = arith::AddIOp::create(
                   n, l, rowBegin, linalg::IndexOp::create(n, l, 0));
               Value col = arith::AddIOp::create(
                   n, l, colBegin, linalg::IndexOp::create(n, l, 1));
               Value keep = op.getMask().emitPredicate(
                   n, l, row, col, args.drop_front().drop_back());
               linalg::YieldOp::create(
                   n, l,
                   arith::SelectOp::create(n, l, keep, args[0], fill)
                       .getResult());
             })
      .getResult(0);
}

std::pair<OpFoldResult, OpFoldResult>
TileEmitter::emitKeyRange(OpBuilder &b, Location loc, Value scores,
                          OpFoldResult row, int64_t rows, OpFoldResult keys,
                          int64_t tile) {
  OpFoldResult lo = b.getIndexAttr(0), hi = keys;
  SmallVector<MaskOp> masks;
  for (Operation *op = scores.getDefiningOp(); op;) {
    if (auto mask = dyn_cast<MaskOp>(op)) {
      masks.push_back(mask);
      op = mask.getScores().getDefiningOp();
    } else if (auto scale = dyn_cast<ScaleOp>(op)) {
      op = scale.getInput().getDefiningOp();
    } else {
      break;
    }
  }
  if (masks.empty())
    return {lo, hi};
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  auto bound = [&](bool upper, OpFoldResult x, OpFoldResult y) {
    AffineMap map = AffineMap::get(2, 0, {d0, d1}, b.getContext());
    return upper ? affine::makeComposedFoldedAffineMin(b, loc, map, {x, y})
                 : affine::makeComposedFoldedAffineMax(b, loc, map, {x, y});
  };
  auto round = [&](AffineExpr expr, OpFoldResult x) {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, {x});
  };
  Value begin = getValueOrCreateConstantIndexOp(b, loc, row);
  Value end = getValueOrCreateConstantIndexOp(
      b, loc, affine::makeComposedFoldedAffineApply(b, loc, d0 + rows, {row}));
  for (MaskOp mask : masks) {
    auto [first, last] = mask.getMask().emitKeyRange(b, loc, begin, end);
    // Whole tiles, so that the ladder of the keys covers every range.
    if (first)
      lo = bound(/*upper=*/false, lo, round(d0.floorDiv(tile) * tile, first));
    if (last)
      hi = bound(/*upper=*/true, hi, round(d0.ceilDiv(tile) * tile, last));
  }
  // An empty range begins where it ends.
  return {lo, bound(/*upper=*/false, lo, hi)};
}
