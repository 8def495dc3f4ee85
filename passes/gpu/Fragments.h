//===- Fragments.h - Tiles of shared memory and of registers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_FRAGMENTS_H
#define ATTN_PASSES_GPU_FRAGMENTS_H

#include "passes/gpu/ThreadOps.h"

namespace mlir::attn {

/// Tokens in a tile, and the edge of a matrix product of a warp.
constexpr int64_t kTile = 16;

/// Where a row-major tile has its elements in shared memory. Rows are an odd
/// number of units of 16 bytes apart, so that the eight rows of a matrix that
/// `ldmatrix` reads lie in different banks.
///
/// A tile of bf16 may be the sum of several, `parts`, one after the other:
/// three hold an f32 to its last bit.
struct TileLayout {
  int64_t rows = kTile, cols = kTile, elementBytes = 2, parts = 1;

  int64_t getRowBytes() const;
  int64_t getPartBytes() const { return rows * getRowBytes(); }
  int64_t getBytes() const { return parts * getPartBytes(); }
  int64_t getOffset(int64_t row, int64_t col) const {
    return row * getRowBytes() + col * elementBytes;
  }
};

/// A tile in shared memory, at an address of the thread's.
struct SharedTile {
  TileLayout layout;
  Value base;
};

/// What a thread has of a sum of 16 x 8 elements: rows l / 4 (the first two)
/// and l / 4 + 8, columns 2 (l % 4) and the next, for the lane l.
using Sum = std::array<Value, 4>;
/// Left and right operands of 16 x 16 and 16 x 8, a register for two bf16, for
/// each part.
struct LeftOperand {
  SmallVector<std::array<Value, 4>> parts;
};
struct RightOperand {
  SmallVector<std::array<Value, 2>> parts;
};

/// Reads, writes and multiplies tiles with the threads of a warp.
class Fragments {
public:
  /// `lane` is the number of the thread in its warp, an i32.
  Fragments(ThreadOps &ops, Value lane) : ops(ops), lane(lane) {}

  /// The rows and the first column that a thread has of a sum.
  Value getRow(int half);
  Value getCol();

  Sum zero();
  /// A sum of 16 x 16 is two of 16 x 8, side by side.
  using Square = std::array<Sum, 2>;
  Square zeroSquare() { return {zero(), zero()}; }

  /// acc + A B, of all products of parts that count. The parts of both sides
  /// are as many.
  Sum multiply(const Sum &acc, const LeftOperand &a, const RightOperand &b);
  Square multiply(const Square &acc, const LeftOperand &a,
                  ArrayRef<RightOperand> b);

  /// The 16 x 16 elements of a sum as the left operand of the next product.
  LeftOperand pack(const Sum &left, const Sum &right, int64_t parts);
  /// The sum of the parts.
  Square unpack(const LeftOperand &operand);

  /// A[r, c] = tile[r, col + c], or tile[c, col + r] transposed.
  LeftOperand loadLeft(const SharedTile &tile, Value col, bool transposed);
  /// B for columns [0, 8) and [8, 16): B[c, n] = tile[n, col + c], or
  /// tile[c, col + n] transposed.
  std::array<RightOperand, 2> loadRight(const SharedTile &tile, Value col,
                                        bool transposed);
  /// tile[r, col + c] = square[r, c]
  void storeSquare(const Square &square, const SharedTile &tile, int64_t col);
  /// tile[row, col .. col + values) for an even number of values.
  void storeRow(ArrayRef<Value> values, const SharedTile &tile, Value row,
                Value col);
  /// An element.
  void storeElement(Value value, const SharedTile &tile, Value row, Value col);

  /// Two neighbouring f32 as bf16 parts.
  SmallVector<Value> split(Value x, Value y, int64_t parts);

  ThreadOps &ops;
  Value lane;

private:
  Value addressOfMatrices(const SharedTile &tile, Value col, int rowBit,
                          int colBit);
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_FRAGMENTS_H
