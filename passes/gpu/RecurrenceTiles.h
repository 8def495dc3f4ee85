//===- RecurrenceTiles.h - What a kernel of a recurrence reads -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_RECURRENCETILES_H
#define ATTN_PASSES_GPU_RECURRENCETILES_H

#include "dialect/Attn.h"
#include "passes/gpu/Fragments.h"
#include "passes/gpu/KernelBuilder.h"
#include "passes/gpu/TileExpression.h"
#include "passes/lower/NamedTiles.h"

namespace mlir::attn {

/// An operand of a recurrence as tiles of 16 tokens.
struct TileOperand {
  Value value;
  /// The template of the tile; its dimensions are "ij", "i", "j" or "".
  TileOps::Named tile;
  /// Columns of the tile, and those up to a multiple of 16, which are zero.
  int64_t cols = 1, padded = kTile;
  /// The leaf that is read as an operand of products where it was copied to.
  std::optional<TileLeaf> direct;
};

/// Where a thread is: the tokens of a tile and the slot of shared memory that
/// holds what belongs to them.
struct TilePlace {
  Value token; ///< the first one, an index
  Value valid; ///< how many of the 16 there are, an i32
  Value slot;  ///< the slot's address
};

/// The operands of a recurrence, their copies in shared memory, and the numbers
/// that a kernel needs to find them.
class RecurrenceTiles {
public:
  /// `tokens`: the rows of a tile.
  RecurrenceTiles(RecurrenceOp op, KernelBuilder &kernel, int64_t valueColumns,
                  int64_t tokens = kTile);

  /// Axes that blocks are over, with their sizes on the host.
  SmallVector<std::pair<char, OpFoldResult>> getBlockAxes();
  /// Gives the axes of the block their indices, of type index.
  void setPlace(char axis, Value index);
  /// Writes the templates of all operands, to be copied; fails with a reason if
  /// one cannot be evaluated in a kernel.
  /// `reads`: whether queries are wanted, or states alone.
  LogicalResult prepare(std::string &reason, bool reads);
  /// Writes the template of an operand along two axes, 0 for none, of so many
  /// elements. Its leaves are read where they are.
  LogicalResult addOperand(Value value, char row, int64_t rows, char col,
                           int64_t cols, SmallVectorImpl<TileOperand> &to,
                           std::string &reason);
  /// The bf16 parts that the operands' types want.
  int64_t getParts() const { return parts; }

  SmallVector<TileOperand, 2> rows; ///< the query, and before it the erasure's
  SmallVector<TileOperand, 2> cols; ///< keys, and after them the erasure's
  SmallVector<TileOperand, 2> values, inputs;
  std::optional<TileOperand> decay, bonus;

  /// Gives the copies places in a slot, from `bytes` on; returns the end.
  int64_t placeCopies(int64_t bytes);
  /// Starts the copies of a tile.
  void issueCopies(ThreadOps &ops, Value lane, const TilePlace &place);
  /// The copy of an operand that is read where it lies.
  SharedTile getCopy(ThreadOps &ops, const TileOperand &operand,
                     const TilePlace &place);

  /// Elements (row, col ...) as f32, zero outside; the lanes have rows in
  /// common as `lanes` says.
  SmallVector<Value> emit(ThreadOps &ops, const TileOperand &operand,
                          const TilePlace &place, Value row, Value col,
                          const LaneColumns &lanes);
  /// The same, without what is outside.
  SmallVector<Value> emitInside(ThreadOps &ops, const TileOperand &operand,
                                const TilePlace &place, Value row, Value col,
                                const LaneColumns &lanes);
  void forgetRows() { expression->clear(); }

  /// The address of an element of an operand, result or buffer with named axes:
  /// batch axes are at the block's place, others where `at` says.
  Value getAddress(ThreadOps &ops, Value pointer, Value shaped,
                   const EinsumOperand &axes,
                   const llvm::SmallDenseMap<char, Value> &at);
  /// The bytes from one index of an axis to the next, an i64. The axis is the
  /// last one of its dimension.
  Value getAxisBytes(ThreadOps &ops, Value shaped, const EinsumOperand &axes,
                     char axis);
  OpFoldResult getSize(char axis);
  /// The index of a value channel of the block, an i32, in the whole tensor.
  Value getValueIndex(ThreadOps &ops, Value channel);

private:
  struct Copy {
    TileLeaf leaf;
    TileLayout layout;
    int64_t unit, offset;
  };

  void addCopies(TileOperand &operand);
  int64_t getCopyUnit(const TileLeaf &leaf);
  OpFoldResult getStride(OpBuilder &b, Value shaped, int64_t dim,
                         int64_t &multiple);
  Value getLeafAddress(ThreadOps &ops, const TileLeaf &leaf, Value token,
                       ArrayRef<Value> indices);
  SmallVector<Value> readLeaf(ThreadOps &ops, const TileLeaf &leaf,
                              ArrayRef<Coordinate> at);
  const Copy *findCopy(const TileLeaf &leaf) const;

  RecurrenceOp op;
  KernelBuilder &kernel;
  Location loc;
  TileEmitter emitter;
  AxisPlaces places;
  llvm::SmallDenseMap<char, Value> indices;
  SmallVector<NamedValue> named;
  llvm::SmallDenseMap<char, OpFoldResult> sizes;
  int64_t keys, valueColumns, tokens, parts = 1;
  Value token;
  std::unique_ptr<TileExpression> expression;
  SmallVector<Copy, 0> copies;
  const TilePlace *current = nullptr;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_RECURRENCETILES_H
