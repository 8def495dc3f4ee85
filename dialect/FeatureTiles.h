//===- FeatureTiles.h - The linalg that tiles of feature maps are made of -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_FEATURETILES_H
#define ATTN_DIALECT_FEATURETILES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::attn {

/// Writes the parts of a feature map on static tiles: tensors of rank 1 (one
/// element a token) and rank 2. A part of a wide result is computed into its
/// columns of the destination, so that it is bufferized in place.
class FeatureTiles {
public:
  FeatureTiles(OpBuilder &builder, Location loc, Type element)
      : b(builder), loc(loc), element(element) {}

  using Body = function_ref<Value(OpBuilder &, Location, ValueRange)>;

  Value empty(ArrayRef<int64_t> shape);
  Value fill(ArrayRef<int64_t> shape, double value);
  /// A scalar, also for use in the body of another operation.
  static Value constant(OpBuilder &b, Location loc, Type element, double value);

  /// out[i, j] = body(tiles[i, j].., out[i, j]); a tile of rank 1 gives its
  /// element i.
  Value map(Value out, ValueRange tiles, Body body);
  /// out[i] = body(tile[i, j], out[i]) over all j.
  Value reduceRows(Value out, Value tile, Body body);
  /// X W^T of x `[T, D]` and w `[m, D]`.
  Value project(Value x, Value w);

  /// The columns [begin, begin + count) of a tile.
  Value getColumns(Value tile, OpFoldResult begin, int64_t count);
  Value setColumns(Value columns, Value tile, OpFoldResult begin);

private:
  OpBuilder &b;
  Location loc;
  Type element;
};

} // namespace mlir::attn

#endif // ATTN_DIALECT_FEATURETILES_H
