//===- TileOps.h - Linalg on static two-dimensional tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_TILEOPS_H
#define ATTN_DIALECT_TILEOPS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include <optional>

namespace mlir::attn {

/// Writes linalg on tiles: static tensors of rank 1 (one element a row) and 2.
/// Every operation that takes an accumulator updates it in place.
class TileOps {
public:
  TileOps(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  using Body = function_ref<Value(OpBuilder &, Location, ValueRange)>;

  Value constant(Type element, double value);
  Value fill(ArrayRef<int64_t> shape, Type element, double value);
  /// The element type changed to a wider or narrower one.
  Value convert(Value tile, Type element);
  Value transpose(Value tile);

  /// out[i, j] = body(tiles[i, j]...); a tile of rank 1 gives its element i.
  /// The first tile is of the shape of the result.
  Value map(ValueRange tiles, Type element, Body body);
  /// A tile and the dimensions of the result that it has: "ij", "ji", "i", "j",
  /// "".
  struct Named {
    Value tile;
    StringRef dims;
  };
  /// out[i, j] = body(tiles...) of a static shape; every tile is repeated along
  /// the dimensions that it lacks.
  Value broadcast(ArrayRef<int64_t> shape, Type element, ArrayRef<Named> tiles,
                  Body body);
  /// acc[i, j] = body(acc, tiles...), in place.
  Value broadcastInto(Value acc, ArrayRef<Named> tiles, Body body);
  /// x[i, j] * y, where y has the dimensions `dims`.
  Value multiply(Value x, Value y, StringRef dims);
  /// exp of each element.
  Value exp(Value x);
  /// acc[i, j] + x, in place.
  Value add(Value acc, Value x, StringRef dims = "ij");
  /// sum_j x[i, j] y[i, j]
  Value rowDot(Value x, Value y);

  /// Copies `value` to the place of `destination`, so that a loop that carries a
  /// tile has one buffer for it.
  Value replace(Value destination, Value value);

  /// Rows [begin, begin + count) of a tile.
  Value getRows(Value tile, OpFoldResult begin, int64_t count);
  Value setRows(Value rows, Value tile, OpFoldResult begin);
  /// The same box of a tile of rank 2, for columns too.
  Value getBox(Value tile, OpFoldResult row, int64_t rows, OpFoldResult col,
               int64_t cols);
  Value setBox(Value box, Value tile, OpFoldResult row, OpFoldResult col);
  /// A tile of rank 2 with one row or column, as rank 1, and back.
  Value flatten(Value tile);
  Value asRow(Value vector);

  /// acc[i, j] = body(acc[i, j], tiles[i, j]...), in place.
  Value update(Value acc, ValueRange tiles, Body body);
  /// acc[i] = body(tile[i, j], acc[i]) over all j, in place.
  Value reduceRows(Value acc, Value tile, Body body);
  /// max_j tile[i, j] for each row i.
  Value rowMax(Value tile);
  /// exp(tile[i, j] - max[i]), and 0 in rows whose maximum is -inf.
  Value expRows(Value tile, Value max);
  /// max over the whole tile as a scalar.
  Value maxOfAll(Value tile);
  /// acc[j] += sum_i tile[i, j], in place.
  Value addColumns(Value acc, Value tile);
  /// acc[x, y] += sum_c lhs[x, c] * rhs[c, y], in place; where transposed,
  /// lhs is [c, x] or rhs is [y, c].
  Value matmul(Value acc, Value lhs, bool lhsTransposed, Value rhs,
               bool rhsTransposed);
  /// acc[x] += sum_c lhs[x, c] * rhs[c], in place.
  Value matvec(Value acc, Value lhs, Value rhs);
  /// num[i, j] / (den[i] + eps), and zero where the divisor is zero. With a
  /// floor f the divisor is max(|den[i]|, f e^(-logScale[i])) + eps.
  Value divideRows(Value num, Value den, double eps,
                   std::optional<double> floor = std::nullopt,
                   Value logScale = nullptr);
  /// exp(x - shift) for scalars.
  static Value expDifference(OpBuilder &b, Location loc, Value x, Value shift);
  /// x, or 0 where x is -inf: a shift that leaves exp(-inf - shift) = 0.
  static Value finiteShift(OpBuilder &b, Location loc, Value x);

private:
  Value generic(ValueRange ins, ArrayRef<AffineMap> maps, Value out,
                AffineMap outMap, int64_t loops, int64_t reductions, Body body);

  OpBuilder &b;
  Location loc;
};

} // namespace mlir::attn

#endif // ATTN_DIALECT_TILEOPS_H
