//===- TileEmitter.h - Tiles of values, computed where they are used ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_TILEEMITTER_H
#define ATTN_PASSES_LOWER_TILEEMITTER_H

#include "dialect/Attn.h"
#include "dialect/TileOps.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::attn {

/// A box of a value that is one wide but for two dimensions.
struct TileRequest {
  /// The first index in every dimension.
  SmallVector<OpFoldResult> offsets;
  /// The dimensions of the tile's rows and columns, and their static sizes.
  int64_t rowDim = 0, colDim = 1;
  int64_t rows = 1, cols = 1;

  TileRequest transposed() const;
};

/// Sizes of tiles along token axes whose size is not static: loops over the
/// sizes in order, each taking what the larger ones left. The last is 1.
struct TileSizes {
  SmallVector<int64_t> rows{64, 1};
  SmallVector<int64_t> keys{64, 8, 1};
};

/// The dimensions that tiles of a value span; the rows are tokens if any are.
struct TileDims {
  int64_t row, col;
  bool rowIsToken;
};

/// Computes tiles of the values of a graph by computing the tiles of their
/// operands that they need. A product over a token axis becomes a loop over
/// tiles of tokens with the sums carried, and softmax and normalisers between
/// two products are folded into that loop in their online form:
///
///   m' = max(m, max_j s_j),  p = exp(s - m'),  l' = l e^(m - m') + sum_j p_j,
///   acc' = acc e^(m - m') + p V,   o = acc / l
///
/// (Milakov and Gimelshein, 2018, arXiv:1805.02867), so that no value with two
/// token axes is ever larger than a tile.
class TileEmitter {
public:
  explicit TileEmitter(TileSizes sizes) : sizes(std::move(sizes)) {}

  /// The tile `tensor<rows x cols>` of `value`, in its element type.
  FailureOr<Value> emit(OpBuilder &b, Value value, const TileRequest &request);

  /// `size` elements of `value` along `dim`, at `offsets` in all dimensions.
  FailureOr<Value> emitVector(OpBuilder &b, Value value,
                              ArrayRef<OpFoldResult> offsets, int64_t dim,
                              int64_t size);

  /// The whole result, a vector or a scalar of static size, of an element-wise
  /// map, a scale or a gate.
  FailureOr<Value> emitSmall(Operation *op);
  /// `size` elements of a vector that such an operation, or a feature scale,
  /// computes.
  FailureOr<Value> emitPart(OpBuilder &b, Operation *op,
                            ArrayRef<OpFoldResult> offsets, int64_t size);

  /// Whether tiles of the operation's result are computed, not read.
  static bool isComputed(Operation *op);
  /// The dimensions that tiles of `value` span.
  static FailureOr<TileDims> getTileDims(Value value);
  /// The size of a dimension, from the shapes of what the value is made of.
  OpFoldResult getSize(OpBuilder &b, Value value, int64_t dim);

  /// Whether tiles of `value` are read from a tensor of their own.
  bool isMaterialized(Value value) const {
    return materialized.contains(value);
  }
  /// Reads tiles of `value` from `tensor` from now on.
  void setMaterialized(Value value, Value tensor) {
    materialized[value] = tensor;
  }
  /// The tensor that tiles of `value` are read from: its own, or itself.
  Value getTensor(Value value) const {
    Value tensor = materialized.lookup(value);
    return tensor ? tensor : value;
  }
  const TileSizes &getSizes() const { return sizes; }

  /// The keys that the masks of `scores` leave to a tile of queries, from the
  /// start of a tile of keys to the end of one.
  std::pair<OpFoldResult, OpFoldResult>
  emitKeyRange(OpBuilder &b, Location loc, Value scores, OpFoldResult row,
               int64_t rows, OpFoldResult keys, int64_t tile);

  /// What `op` makes of the columns `num` and the last column `den` of a tile,
  /// and of the log scale of its rows if the operation has one.
  static Value divideTile(OpBuilder &b, DivideByLastOp op, Value num, Value den,
                          Value logScale);

  /// The loops `size` by `size` over [lo, hi) for each of the sizes, carrying
  /// values. Loops that are known to be empty are left out.
  using LoopBody = function_ref<FailureOr<SmallVector<Value>>(
      OpBuilder &, Value offset, int64_t size, ValueRange carried)>;
  static FailureOr<SmallVector<Value>>
  forEachTile(OpBuilder &b, Location loc, OpFoldResult lo, OpFoldResult hi,
              ArrayRef<int64_t> sizes, ValueRange init, LoopBody body);
  /// The end of the whole tiles of [lo, hi): lo + floor((hi - lo) / size) size.
  static OpFoldResult getLastFullTile(OpBuilder &b, Location loc,
                                      OpFoldResult lo, OpFoldResult hi,
                                      int64_t size);
  /// `sizes` for an extent: exact ones if it is static.
  static SmallVector<int64_t> getLadder(OpFoldResult extent,
                                        ArrayRef<int64_t> sizes);

private:
  struct Product; // a contraction's operands in terms of a request

  FailureOr<Value> emitLeaf(OpBuilder &b, Value value,
                            const TileRequest &request);
  FailureOr<Value> emitFeatureMap(OpBuilder &b, FeatureMapOp op,
                                  const TileRequest &request);
  FailureOr<Value> emitMask(OpBuilder &b, MaskOp op,
                            const TileRequest &request);
  FailureOr<Value> emitRowNormalizer(OpBuilder &b, Operation *op,
                                     const TileRequest &request);
  FailureOr<Value> emitAppendOnes(OpBuilder &b, AppendOnesOp op,
                                  const TileRequest &request);
  FailureOr<Value> emitDivideByLast(OpBuilder &b, DivideByLastOp op,
                                    const TileRequest &request);
  FailureOr<Value> emitGate(OpBuilder &b, GateOp op,
                            const TileRequest &request);
  FailureOr<Value> emitDivide(OpBuilder &b, DivideOp op,
                              const TileRequest &request);
  FailureOr<Value> emitFeatureScale(OpBuilder &b, FeatureScaleOp op,
                                    const TileRequest &request);
  FailureOr<Value> emitElementwise(OpBuilder &b, Operation *op,
                                   const TileRequest &request);

  FailureOr<Value> emitContraction(OpBuilder &b, ContractionOpInterface op,
                                   const TileRequest &request);
  FailureOr<Product> analyzeProduct(OpBuilder &b, ContractionOpInterface op,
                                    const TileRequest &request);
  FailureOr<Value> emitTokenSum(OpBuilder &b, Product &product);
  TileSizes sizes;
  DenseMap<Value, Value> materialized;
  DenseMap<Operation *, SmallVector<MaskTerm>> maskTerms;

  /// The running maximum of an exponential feature map whose factor a loop over
  /// tokens may choose (`stabilize = sequence`), while that loop is written.
  struct RunningMax {
    Value before; // on entry to the iteration
    Value after;  // with this iteration's tokens
  };
  DenseMap<Operation *, RunningMax> runningMax;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_TILEEMITTER_H
