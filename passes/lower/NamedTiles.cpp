//===- NamedTiles.cpp - Tiles along named axes ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/lower/NamedTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

OpFoldResult attn::getAxisSize(OpBuilder &b, Location loc, TileEmitter &emitter,
                               ArrayRef<NamedValue> values, char axis) {
  for (const auto &[axes, value] : values)
    for (auto [i, dim] : llvm::enumerate(axes))
      if (dim.size() == 1 && dim[0] == axis)
        return emitter.getSize(b, value, i);
  // A part of a group: the group's size over those of the others.
  for (const auto &[axes, value] : values)
    for (auto [i, dim] : llvm::enumerate(axes)) {
      if (!llvm::is_contained(dim, axis))
        continue;
      OpFoldResult size = emitter.getSize(b, value, i);
      AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
      for (char other : dim)
        if (other != axis)
          size = affine::makeComposedFoldedAffineApply(
              b, loc, AffineMap::get(2, 0, d0.floorDiv(d1)),
              {size, getAxisSize(b, loc, emitter, values, other)});
      return size;
    }
  return b.getIndexAttr(1);
}

AxisPlaces attn::placeAxes(OpBuilder &b, Location loc, TileEmitter &emitter,
                           ArrayRef<NamedValue> values,
                           const EinsumOperand &axes,
                           ArrayRef<OpFoldResult> offsets) {
  AxisPlaces places;
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  for (auto [dim, start] : llvm::zip_equal(axes, offsets)) {
    OpFoldResult offset = start;
    // (g r) -> g = i / R, r = i mod R
    for (char axis : llvm::reverse(ArrayRef(dim).drop_front())) {
      OpFoldResult size = getAxisSize(b, loc, emitter, values, axis);
      places.sizes[axis] = size;
      places.ranges[axis].offset = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0 % d1), {offset, size});
      offset = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0.floorDiv(d1)), {offset, size});
    }
    places.ranges[dim.front()].offset = offset;
  }
  return places;
}

OpFoldResult AxisPlaces::getOffset(OpBuilder &b, Location loc,
                                   ArrayRef<char> dim) const {
  auto offsetOf = [&](char axis) -> OpFoldResult {
    auto it = ranges.find(axis);
    return it == ranges.end() || !it->second.offset ? b.getIndexAttr(0)
                                                    : it->second.offset;
  };
  // (g r) -> g R + r
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1),
             d2 = b.getAffineDimExpr(2);
  OpFoldResult offset = offsetOf(dim.front());
  for (char axis : dim.drop_front())
    offset = affine::makeComposedFoldedAffineApply(
        b, loc, AffineMap::get(3, 0, d0 * d1 + d2),
        {offset, sizes.lookup(axis), offsetOf(axis)});
  return offset;
}

FailureOr<TileOps::Named>
attn::emitNamedTile(OpBuilder &b, TileEmitter &emitter, const NamedValue &named,
                    const AxisPlaces &places, char rowAxis, char colAxis) {
  auto [axes, value] = named;
  Location loc = value.getLoc();
  SmallVector<OpFoldResult> offsets;
  for (const EinsumDim &dim : axes)
    offsets.push_back(places.getOffset(b, loc, dim));
  int64_t row = rowAxis ? Einsum::find(axes, rowAxis) : -1;
  int64_t col = colAxis ? Einsum::find(axes, colAxis) : -1;
  auto sizeOf = [&](char axis) { return places.ranges.lookup(axis).size; };
  FailureOr<Value> tile = Value();
  if (row >= 0 && col >= 0) {
    TileRequest request{offsets, row, col, sizeOf(rowAxis), sizeOf(colAxis)};
    tile = emitter.emit(b, value, request);
    if (failed(tile))
      return failure();
    return TileOps::Named{*tile, "ij"};
  }
  if (row >= 0 || col >= 0) {
    tile = emitter.emitVector(b, value, offsets, row >= 0 ? row : col,
                              sizeOf(row >= 0 ? rowAxis : colAxis));
    if (failed(tile))
      return failure();
    return TileOps::Named{*tile, row >= 0 ? "i" : "j"};
  }
  if (axes.empty())
    return TileOps::Named{value, ""};
  tile = emitter.emitVector(b, value, offsets, axes.size() - 1, 1);
  if (failed(tile))
    return failure();
  Value scalar = tensor::CollapseShapeOp::create(
      b, loc, *tile, ArrayRef<ReassociationIndices>{});
  return TileOps::Named{scalar, ""};
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

FailureOr<Value> TileEmitter::emitGate(OpBuilder &b, GateOp op,
                                       const TileRequest &request) {
  Location loc = op.getLoc();
  Einsum einsum = op.getSubscripts();
  NamedValue operands[] = {{einsum.lhs, op.getInput()},
                           {einsum.rhs, op.getGate()}};
  const EinsumDim &row = einsum.result[request.rowDim],
                  &col = einsum.result[request.colDim];
  if ((row.size() > 1 && request.rows > 1) ||
      (col.size() > 1 && request.cols > 1))
    return op.emitOpError("cannot be tiled along a group of axes");
  AxisPlaces places =
      placeAxes(b, loc, *this, operands, einsum.result, request.offsets);
  // A tile that is one wide in a group reads the group's dimension as a batch.
  char rowAxis = row.size() > 1 ? 0 : row.front();
  char colAxis = col.size() > 1 ? 0 : col.front();
  if (rowAxis)
    places.ranges[rowAxis].size = request.rows;
  if (colAxis)
    places.ranges[colAxis].size = request.cols;
  TileOps ops(b, loc);
  Type element = op.getType().getElementType();
  SmallVector<TileOps::Named> tiles;
  for (const NamedValue &operand : operands) {
    FailureOr<TileOps::Named> tile =
        emitNamedTile(b, *this, operand, places, rowAxis, colAxis);
    if (failed(tile))
      return failure();
    tiles.push_back({ops.convert(tile->tile, element), tile->dims});
  }
  return ops.broadcast({request.rows, request.cols}, element, tiles,
                       [](OpBuilder &n, Location l, ValueRange v) -> Value {
                         return arith::MulFOp::create(n, l, v[0], v[1]);
                       });
}
