//===- RecurrenceTiles.h - What a kernel of a recurrence reads -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_RECURRENCETILES_H
#define ATTN_PASSES_GPU_RECURRENCETILES_H

#include "passes/gpu/KernelTiles.h"

namespace mlir::attn {

/// The operands of a recurrence as tiles, and their places on its axes.
class RecurrenceTiles : public KernelTiles {
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

  SmallVector<TileOperand, 2> rows; ///< the query, and before it the erasure's
  SmallVector<TileOperand, 2> cols; ///< keys, and after them the erasure's
  SmallVector<TileOperand, 2> values, inputs;
  std::optional<TileOperand> decay, bonus;

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
  RecurrenceOp op;
  AxisPlaces places;
  llvm::SmallDenseMap<char, Value> indices;
  SmallVector<NamedValue> named;
  llvm::SmallDenseMap<char, OpFoldResult> sizes;
  int64_t keys, valueColumns;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_RECURRENCETILES_H
