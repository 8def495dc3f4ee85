//===- FeatureTiles.cpp - The linalg that tiles of feature maps are made of -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/FeatureTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

static RankedTensorType typeOf(Value tile) {
  return cast<RankedTensorType>(tile.getType());
}

Value FeatureTiles::empty(ArrayRef<int64_t> shape) {
  return tensor::EmptyOp::create(b, loc, shape, element);
}

Value FeatureTiles::constant(OpBuilder &b, Location loc, Type element,
                             double value) {
  return arith::ConstantOp::create(b, loc, b.getFloatAttr(element, value));
}

Value FeatureTiles::fill(ArrayRef<int64_t> shape, double value) {
  return linalg::FillOp::create(b, loc, constant(b, loc, element, value),
                                empty(shape))
      .getResult(0);
}

static Value generic(OpBuilder &b, Location loc, ValueRange ins, Value out,
                     ArrayRef<AffineMap> maps,
                     ArrayRef<utils::IteratorType> iterators,
                     FeatureTiles::Body body) {
  return linalg::GenericOp::create(
             b, loc, out.getType(), ins, out, maps, iterators,
             [&](OpBuilder &n, Location l, ValueRange args) {
               linalg::YieldOp::create(n, l, body(n, l, args));
             })
      .getResult(0);
}

Value FeatureTiles::map(Value out, ValueRange tiles, Body body) {
  int64_t rank = typeOf(out).getRank();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<AffineMap> maps;
  for (Value tile : tiles)
    maps.push_back(identity.getMajorSubMap(typeOf(tile).getRank()));
  maps.push_back(identity);
  SmallVector<utils::IteratorType> parallel(rank,
                                            utils::IteratorType::parallel);
  return generic(b, loc, tiles, out, maps, parallel, body);
}

Value FeatureTiles::reduceRows(Value out, Value tile, Body body) {
  AffineMap identity = b.getMultiDimIdentityMap(2);
  return generic(
      b, loc, tile, out, {identity, identity.getMajorSubMap(1)},
      {utils::IteratorType::parallel, utils::IteratorType::reduction}, body);
}

Value FeatureTiles::project(Value x, Value w) {
  // W is transposed first: vectors run along the features f, and loads of them
  // are contiguous then. It is the same for every tile and leaves their loop.
  int64_t m = typeOf(w).getDimSize(0), width = typeOf(w).getDimSize(1);
  Value transposed = linalg::TransposeOp::create(b, loc, w, empty({width, m}),
                                                 ArrayRef<int64_t>{1, 0})
                         ->getResult(0);
  // out[t, f] += x[t, d] W^T[d, f]
  AffineExpr t = b.getAffineDimExpr(0), f = b.getAffineDimExpr(1),
             d = b.getAffineDimExpr(2);
  MLIRContext *context = b.getContext();
  SmallVector<AffineMap> maps{AffineMap::get(3, 0, {t, d}, context),
                              AffineMap::get(3, 0, {d, f}, context),
                              AffineMap::get(3, 0, {t, f}, context)};
  Value out = fill({typeOf(x).getDimSize(0), m}, 0.0);
  return linalg::ContractOp::create(b, loc, out.getType(),
                                    ValueRange{x, transposed}, out,
                                    b.getAffineMapArrayAttr(maps))
      .getResult(0);
}

Value FeatureTiles::getColumns(Value tile, OpFoldResult begin, int64_t count) {
  int64_t rows = typeOf(tile).getDimSize(0);
  SmallVector<OpFoldResult> offsets{b.getIndexAttr(0), begin};
  SmallVector<OpFoldResult> sizes{b.getIndexAttr(rows), b.getIndexAttr(count)};
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, tile, offsets, sizes, strides);
}

Value FeatureTiles::setColumns(Value columns, Value tile, OpFoldResult begin) {
  ArrayRef<int64_t> shape = typeOf(columns).getShape();
  SmallVector<OpFoldResult> offsets{b.getIndexAttr(0), begin};
  SmallVector<OpFoldResult> sizes{b.getIndexAttr(shape[0]),
                                  b.getIndexAttr(shape[1])};
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, loc, columns, tile, offsets, sizes,
                                       strides);
}
