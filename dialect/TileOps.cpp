//===- TileOps.cpp - Linalg on static two-dimensional tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::attn;

static RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

Value TileOps::constant(Type element, double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
}

Value TileOps::fill(ArrayRef<int64_t> shape, Type element, double value) {
  Value empty = tensor::EmptyOp::create(b, loc, shape, element);
  return linalg::FillOp::create(b, loc, constant(element, value), empty)
      .getResult(0);
}

Value TileOps::generic(ValueRange ins, ArrayRef<AffineMap> maps, Value out,
                       AffineMap outMap, int64_t loops, int64_t reductions,
                       Body body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(outMap);
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::parallel);
  for (int64_t i = loops - reductions; i < loops; ++i)
    iterators[i] = utils::IteratorType::reduction;
  return linalg::GenericOp::create(
             b, loc, out.getType(), ins, out, allMaps, iterators,
             [&](OpBuilder &nested, Location l, ValueRange args) {
               linalg::YieldOp::create(nested, l, body(nested, l, args));
             })
      .getResult(0);
}

Value TileOps::convert(Value tile, Type element) {
  Type from = typeOf(tile).getElementType();
  if (from == element)
    return tile;
  bool widen = from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth();
  return map(tile, element, [&](OpBuilder &n, Location l, ValueRange x) {
    return widen ? Value(arith::ExtFOp::create(n, l, element, x[0]))
                 : Value(arith::TruncFOp::create(n, l, element, x[0]));
  });
}

Value TileOps::transpose(Value tile) {
  RankedTensorType type = typeOf(tile);
  Value empty = tensor::EmptyOp::create(
      b, loc, {type.getDimSize(1), type.getDimSize(0)}, type.getElementType());
  return linalg::TransposeOp::create(b, loc, tile, empty,
                                     ArrayRef<int64_t>{1, 0})
      ->getResult(0);
}

/// The map of a tile of rank 1 or 2 in loops (i, j): (i, j) or (i).
/// The first dimensions of `loops`, as many as the tile has.
static AffineMap rowMap(OpBuilder &b, Value tile, int64_t loops) {
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < typeOf(tile).getRank(); ++i)
    exprs.push_back(b.getAffineDimExpr(i));
  return AffineMap::get(loops, 0, exprs, b.getContext());
}

Value TileOps::map(ValueRange tiles, Type element, Body body) {
  RankedTensorType type = typeOf(tiles.front());
  Value out = tensor::EmptyOp::create(b, loc, type.getShape(), element);
  SmallVector<AffineMap> maps;
  for (Value tile : tiles)
    maps.push_back(rowMap(b, tile, type.getRank()));
  return generic(tiles, maps, out, maps.front(), type.getRank(), 0, body);
}

Value TileOps::update(Value acc, ValueRange tiles, Body body) {
  int64_t rank = typeOf(acc).getRank();
  SmallVector<AffineMap> maps;
  for (Value tile : tiles)
    maps.push_back(rowMap(b, tile, rank));
  return generic(tiles, maps, acc, rowMap(b, acc, rank), rank, 0,
                 [&](OpBuilder &n, Location l, ValueRange args) {
                   SmallVector<Value> order{args.back()};
                   llvm::append_range(order, args.drop_back());
                   return body(n, l, order);
                 });
}

static AffineMap getNamedMap(OpBuilder &b, StringRef dims, int64_t loops) {
  SmallVector<AffineExpr> exprs;
  for (char dim : dims)
    exprs.push_back(b.getAffineDimExpr(dim - 'i'));
  return AffineMap::get(loops, 0, exprs, b.getContext());
}

Value TileOps::broadcast(ArrayRef<int64_t> shape, Type element,
                         ArrayRef<Named> tiles, Body body) {
  Value out = tensor::EmptyOp::create(b, loc, shape, element);
  int64_t rank = shape.size();
  SmallVector<Value> ins;
  SmallVector<AffineMap> maps;
  for (const Named &named : tiles) {
    ins.push_back(named.tile);
    maps.push_back(getNamedMap(b, named.dims, rank));
  }
  return generic(ins, maps, out, b.getMultiDimIdentityMap(rank), rank, 0,
                 [&](OpBuilder &n, Location l, ValueRange args) {
                   return body(n, l, args.drop_back());
                 });
}

Value TileOps::broadcastInto(Value acc, ArrayRef<Named> tiles, Body body) {
  int64_t rank = typeOf(acc).getRank();
  SmallVector<Value> ins;
  SmallVector<AffineMap> maps;
  for (const Named &named : tiles) {
    ins.push_back(named.tile);
    maps.push_back(getNamedMap(b, named.dims, rank));
  }
  return generic(ins, maps, acc, b.getMultiDimIdentityMap(rank), rank, 0,
                 [&](OpBuilder &n, Location l, ValueRange args) {
                   SmallVector<Value> order{args.back()};
                   llvm::append_range(order, args.drop_back());
                   return body(n, l, order);
                 });
}

Value TileOps::multiply(Value x, Value y, StringRef dims) {
  RankedTensorType type = typeOf(x);
  return broadcast(type.getShape(), type.getElementType(),
                   {{x, StringRef("ij").take_front(type.getRank())}, {y, dims}},
                   [](OpBuilder &n, Location l, ValueRange v) -> Value {
                     return arith::MulFOp::create(n, l, v[0], v[1]);
                   });
}

Value TileOps::exp(Value x) {
  return map(x, typeOf(x).getElementType(),
             [](OpBuilder &n, Location l, ValueRange v) -> Value {
               return math::ExpOp::create(n, l, v[0]);
             });
}

Value TileOps::add(Value acc, Value x, StringRef dims) {
  return broadcastInto(acc, {{x, dims}},
                       [](OpBuilder &n, Location l, ValueRange v) -> Value {
                         return arith::AddFOp::create(n, l, v[0], v[1]);
                       });
}

Value TileOps::rowDot(Value x, Value y) {
  AffineMap ij = b.getMultiDimIdentityMap(2);
  RankedTensorType type = typeOf(x);
  Value zero = fill({type.getDimSize(0)}, type.getElementType(), 0);
  return generic({x, y}, {ij, ij}, zero, ij.getMajorSubMap(1), 2, 1,
                 [](OpBuilder &n, Location l, ValueRange v) -> Value {
                   Value product = arith::MulFOp::create(n, l, v[0], v[1]);
                   return arith::AddFOp::create(n, l, v[2], product);
                 });
}

Value TileOps::replace(Value destination, Value value) {
  return linalg::CopyOp::create(b, loc, value, destination).getResult(0);
}

Value TileOps::getRows(Value tile, OpFoldResult begin, int64_t count) {
  RankedTensorType type = typeOf(tile);
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = count;
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
      strides(shape.size(), b.getIndexAttr(1));
  offsets[0] = begin;
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tile,
      offsets, getAsIndexOpFoldResult(b.getContext(), shape), strides);
}

Value TileOps::setRows(Value rows, Value tile, OpFoldResult begin) {
  ArrayRef<int64_t> shape = typeOf(rows).getShape();
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
      strides(shape.size(), b.getIndexAttr(1));
  offsets[0] = begin;
  return tensor::InsertSliceOp::create(
      b, loc, rows, tile, offsets,
      getAsIndexOpFoldResult(b.getContext(), shape), strides);
}

Value TileOps::getBox(Value tile, OpFoldResult row, int64_t rows,
                      OpFoldResult col, int64_t cols) {
  SmallVector<int64_t> shape{rows, cols};
  SmallVector<OpFoldResult> offsets{row, col}, strides(2, b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, typeOf(tile).getElementType()), tile,
      offsets, getAsIndexOpFoldResult(b.getContext(), shape), strides);
}

Value TileOps::setBox(Value box, Value tile, OpFoldResult row,
                      OpFoldResult col) {
  SmallVector<OpFoldResult> offsets{row, col}, strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(
      b, loc, box, tile, offsets,
      getAsIndexOpFoldResult(b.getContext(), typeOf(box).getShape()), strides);
}

Value TileOps::flatten(Value tile) {
  return tensor::CollapseShapeOp::create(
      b, loc, tile, ArrayRef<ReassociationIndices>{{0, 1}});
}

Value TileOps::asRow(Value vector) {
  RankedTensorType type = typeOf(vector);
  return tensor::ExpandShapeOp::create(
      b, loc,
      RankedTensorType::get({1, type.getDimSize(0)}, type.getElementType()),
      vector, ArrayRef<ReassociationIndices>{{0, 1}});
}

Value TileOps::reduceRows(Value acc, Value tile, Body body) {
  return generic(tile, rowMap(b, tile, 2), acc, rowMap(b, acc, 2), 2, 1, body);
}

static Value maximum(OpBuilder &b, Location loc, ValueRange x) {
  return arith::MaximumFOp::create(b, loc, x[0], x[1]);
}

Value TileOps::rowMax(Value tile) {
  RankedTensorType type = typeOf(tile);
  Value lowest = fill({type.getDimSize(0)}, type.getElementType(),
                      -std::numeric_limits<double>::infinity());
  return reduceRows(lowest, tile, maximum);
}

Value TileOps::expRows(Value tile, Value max) {
  return map({tile, max}, typeOf(tile).getElementType(),
             [](OpBuilder &n, Location l, ValueRange x) {
               return expDifference(n, l, x[0], finiteShift(n, l, x[1]));
             });
}

Value TileOps::maxOfAll(Value tile) {
  Value lowest = fill({}, typeOf(tile).getElementType(),
                      -std::numeric_limits<double>::infinity());
  Value all = generic(rowMax(tile), b.getMultiDimIdentityMap(1), lowest,
                      AffineMap::get(1, 0, b.getContext()), 1, 1, maximum);
  return tensor::ExtractOp::create(b, loc, all, ValueRange{});
}

Value TileOps::addColumns(Value acc, Value tile) {
  // Loops (j, i): j parallel, i summed.
  AffineExpr j = b.getAffineDimExpr(0), i = b.getAffineDimExpr(1);
  return generic(tile, AffineMap::get(2, 0, {i, j}, b.getContext()), acc,
                 AffineMap::get(2, 0, j), 2, 1,
                 [](OpBuilder &n, Location l, ValueRange x) -> Value {
                   return arith::AddFOp::create(n, l, x[1], x[0]);
                 });
}

Value TileOps::matmul(Value acc, Value lhs, bool lhsTransposed, Value rhs,
                      bool rhsTransposed) {
  // The columns y are the vector dimension: they must be contiguous in rhs.
  if (rhsTransposed)
    rhs = transpose(rhs);
  AffineExpr x = b.getAffineDimExpr(0), y = b.getAffineDimExpr(1),
             c = b.getAffineDimExpr(2);
  MLIRContext *context = b.getContext();
  SmallVector<AffineMap> maps{
      AffineMap::get(3, 0, lhsTransposed ? ArrayRef{c, x} : ArrayRef{x, c},
                     context),
      AffineMap::get(3, 0, {c, y}, context),
      AffineMap::get(3, 0, {x, y}, context)};
  return linalg::ContractOp::create(b, loc, acc.getType(), ValueRange{lhs, rhs},
                                    acc, b.getAffineMapArrayAttr(maps))
      .getResult(0);
}

Value TileOps::matvec(Value acc, Value lhs, Value rhs) {
  AffineExpr x = b.getAffineDimExpr(0), c = b.getAffineDimExpr(1);
  return generic({lhs, rhs},
                 {b.getMultiDimIdentityMap(2), AffineMap::get(2, 0, c)}, acc,
                 AffineMap::get(2, 0, x), 2, 1,
                 [](OpBuilder &n, Location l, ValueRange v) -> Value {
                   Value product = arith::MulFOp::create(n, l, v[0], v[1]);
                   return arith::AddFOp::create(n, l, v[2], product);
                 });
}

Value TileOps::divideRows(Value num, Value den, double eps,
                          std::optional<double> floor, Value logScale) {
  Type element = typeOf(num).getElementType();
  SmallVector<Value> ins{num, den};
  if (logScale)
    ins.push_back(logScale);
  return map(ins, element, [&](OpBuilder &n, Location l, ValueRange v) {
    TileOps ops(n, l);
    Value zero = ops.constant(element, 0);
    Value by = v[1];
    if (floor) {
      Value least = ops.constant(element, *floor);
      if (logScale)
        least = arith::MulFOp::create(
            n, l, least,
            math::ExpOp::create(n, l, arith::NegFOp::create(n, l, v[2])));
      by = arith::MaximumFOp::create(n, l, math::AbsFOp::create(n, l, by),
                                     least);
    }
    if (eps != 0)
      by = arith::AddFOp::create(n, l, by, ops.constant(element, eps));
    Value none =
        arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, by, zero);
    Value ratio = arith::DivFOp::create(n, l, v[0], by);
    return Value(arith::SelectOp::create(n, l, none, zero, ratio));
  });
}

Value TileOps::expDifference(OpBuilder &b, Location loc, Value x, Value shift) {
  return math::ExpOp::create(b, loc, arith::SubFOp::create(b, loc, x, shift));
}

Value TileOps::finiteShift(OpBuilder &b, Location loc, Value x) {
  TileOps ops(b, loc);
  Type type = x.getType();
  Value lowest = ops.constant(type, -std::numeric_limits<double>::infinity());
  Value none =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, lowest);
  return arith::SelectOp::create(b, loc, none, ops.constant(type, 0), x);
}
