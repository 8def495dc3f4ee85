//===- KernelTiles.h - Tiles of tokens that a kernel reads -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_KERNELTILES_H
#define ATTN_PASSES_GPU_KERNELTILES_H

#include "dialect/Attn.h"
#include "passes/gpu/Fragments.h"
#include "passes/gpu/KernelBuilder.h"
#include "passes/gpu/TileExpression.h"
#include "passes/lower/NamedTiles.h"

namespace mlir::attn {

/// An operand of a kernel as tiles of tokens.
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

/// Tiles of `tokens` rows of the operands of a kernel, their copies in shared
/// memory, and the numbers that find them.
class KernelTiles {
public:
  KernelTiles(KernelBuilder &kernel, Location loc, int64_t tokens);

  /// Writes the template of an operand of so many columns; fails with a reason
  /// if it cannot be evaluated in a kernel.
  using Emit = function_ref<FailureOr<TileOps::Named>(TileEmitter &)>;
  LogicalResult addTile(Value value, int64_t cols, Emit emit,
                        SmallVectorImpl<TileOperand> &to, std::string &reason);
  /// Stands for the first token of a tile in templates, an index.
  Value getToken() const { return token; }
  /// Leaves of an operand are copied to shared memory first.
  void addCopies(TileOperand &operand);
  /// The types of an operand say how exact products are to be.
  void countParts(const TileOperand &operand);
  /// The bf16 parts that the types of those operands want.
  int64_t getParts() const { return parts; }

  /// Gives the copies places in a slot, from `bytes` on; returns the end.
  int64_t placeCopies(int64_t bytes);
  /// Starts the copies of a tile: this thread's of `threads`.
  void issueCopies(ThreadOps &ops, Value thread, int64_t threads,
                   const TilePlace &place);
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
  /// Elements of a leaf at coordinates of its tile.
  SmallVector<Value> readLeaf(ThreadOps &ops, const TileLeaf &leaf,
                              ArrayRef<Coordinate> at, const TilePlace &place);

  /// The distance of neighbours in a dimension in elements, in the kernel, and
  /// a number that divides it.
  OpFoldResult getStride(OpBuilder &b, Value shaped, int64_t dim,
                         int64_t &multiple);

protected:
  KernelBuilder &kernel;
  Location loc;
  TileEmitter emitter;
  int64_t tokens;

private:
  struct Copy {
    TileLeaf leaf;
    TileLayout layout;
    int64_t unit, offset;
  };

  int64_t getCopyUnit(const TileLeaf &leaf);
  Value getLeafAddress(ThreadOps &ops, const TileLeaf &leaf, Value token,
                       ArrayRef<Value> indices);
  const Copy *findCopy(const TileLeaf &leaf) const;

  int64_t parts = 1;
  Value token;
  std::unique_ptr<TileExpression> expression;
  SmallVector<Copy, 0> copies;
  const TilePlace *current = nullptr;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_KERNELTILES_H
