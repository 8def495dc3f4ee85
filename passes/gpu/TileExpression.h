//===- TileExpression.h - Tiles element by element -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_TILEEXPRESSION_H
#define ATTN_PASSES_GPU_TILEEXPRESSION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gpu/ThreadOps.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::attn {

/// An index, or `width` of them from `first` on. Of type i32.
struct Coordinate {
  Value first;
  int64_t width = 1;
};

/// A part of a tensor of the host that a tile is read from.
struct TileLeaf {
  Value source;
  /// The first index in each dimension of the source. That of tokens is the
  /// expression's `token`.
  SmallVector<OpFoldResult> offsets;
  int64_t tokenDim = -1;
  /// The dimensions of the tile that are wider than one, those of the source
  /// that they are, and their sizes.
  SmallVector<int64_t, 2> tileDims, dims, sizes;

  RankedTensorType getType() const {
    return cast<RankedTensorType>(source.getType());
  }
  /// Whether two leaves are the same elements.
  bool operator==(const TileLeaf &other) const;
};

/// What a lane of a warp evaluates: `width` columns from its first one on,
/// those of all lanes in turn until the columns are covered.
struct LaneColumns {
  /// The first of a lane's columns, and the columns of all lanes of a row.
  Value first;
  int64_t width = 1, lanes = 32;
};

/// The tiles that TileEmitter writes as linalg on tensors, evaluated an element
/// at a time where it is wanted: element-wise operations of any shape, linalg's
/// or others', and sums and maxima along rows, by the lanes that have a row
/// together. They are a template; no operation on tensors is left of them.
class TileExpression {
public:
  /// Reads `width` elements of a leaf at the given coordinates of its tile.
  using Reader = std::function<SmallVector<Value>(ThreadOps &, const TileLeaf &,
                                                  ArrayRef<Coordinate>)>;

  /// `token` is the value that stands for the first token in the template.
  TileExpression(Value token, Reader reader)
      : token(token), reader(std::move(reader)) {}

  /// Whether the tile can be evaluated; collects its leaves.
  bool analyze(Value tile, SmallVectorImpl<TileLeaf> &leaves);
  /// The leaf that a tile is, if it is nothing else.
  std::optional<TileLeaf> getLeaf(Value tile);

  /// The elements at the coordinates, one of which at most is wider than one.
  SmallVector<Value> emit(ThreadOps &ops, Value tile, ArrayRef<Coordinate> at,
                          const LaneColumns &lanes);
  /// The first token of the tile that is evaluated next, an index.
  void setToken(Value first) { now = first; }
  /// Forgets what rows have in common: to be called where the lanes turn to
  /// other rows or control flow joins.
  void clear() { rows.clear(); }

private:
  bool isTemplate(Value value) const;
  bool analyzeBody(linalg::LinalgOp op);
  SmallVector<Value> emitLinalg(ThreadOps &ops, linalg::LinalgOp op,
                                ArrayRef<Coordinate> at,
                                const LaneColumns &lanes);
  SmallVector<Value> emitElementwise(ThreadOps &ops, Operation *op,
                                     ArrayRef<Coordinate> at,
                                     const LaneColumns &lanes);
  Value emitReduction(ThreadOps &ops, linalg::LinalgOp op, Coordinate row,
                      const LaneColumns &lanes);
  Value emitCaptured(ThreadOps &ops, Value value);
  Value emitBody(ThreadOps &ops, linalg::LinalgOp op,
                 ArrayRef<SmallVector<Value>> operands, int64_t element,
                 ArrayRef<Coordinate> loops);

  Value token, now;
  Reader reader;
  /// What has been reduced: of a tile, in a row.
  struct RowValue {
    Value tile, row, value;
  };
  SmallVector<RowValue> rows;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_TILEEXPRESSION_H
