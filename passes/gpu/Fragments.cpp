//===- Fragments.cpp - Tiles of shared memory and of registers ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/Fragments.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

int64_t TileLayout::getRowBytes() const {
  int64_t units = llvm::divideCeil(cols * elementBytes, 16);
  return 16 * (units | 1);
}

Value Fragments::getRow(int half) {
  return ops.add(ops.div(lane, 4), 8 * half);
}

Value Fragments::getCol() { return ops.mul(ops.rem(lane, 4), 2); }

Sum Fragments::zero() {
  Value none = ops.f32(0);
  return {none, none, none, none};
}

Sum Fragments::multiply(const Sum &acc, const LeftOperand &a,
                        const RightOperand &b) {
  Sum sum = acc;
  // The smallest products first.
  int64_t parts = a.parts.size();
  for (int64_t order = parts - 1; order >= 0; --order)
    for (int64_t i = 0; i <= order; ++i)
      sum = ops.mma(a.parts[i], b.parts[order - i], sum);
  return sum;
}

Fragments::Square Fragments::multiply(const Square &acc, const LeftOperand &a,
                                      ArrayRef<RightOperand> b) {
  return {multiply(acc[0], a, b[0]), multiply(acc[1], a, b[1])};
}

/// x = hi + mid + lo, each part what rounding left of the former.
SmallVector<Value> Fragments::split(Value x, Value y, int64_t parts) {
  SmallVector<Value> result;
  for (int64_t i = 0; i < parts; ++i) {
    Value pair = ops.packBf16(x, y);
    result.push_back(pair);
    if (i + 1 == parts)
      break;
    auto [lo, hi] = ops.unpackBf16(pair);
    x = ops.subf(x, lo);
    y = ops.subf(y, hi);
  }
  return result;
}

LeftOperand Fragments::pack(const Sum &left, const Sum &right, int64_t parts) {
  SmallVector<Value> words[4] = {
      split(left[0], left[1], parts), split(left[2], left[3], parts),
      split(right[0], right[1], parts), split(right[2], right[3], parts)};
  LeftOperand operand;
  for (int64_t i = 0; i < parts; ++i)
    operand.parts.push_back(
        {words[0][i], words[1][i], words[2][i], words[3][i]});
  return operand;
}

Fragments::Square Fragments::unpack(const LeftOperand &operand) {
  Square square;
  for (int64_t word = 0; word < 4; ++word) {
    Value x, y;
    for (const std::array<Value, 4> &part : llvm::reverse(operand.parts)) {
      auto [lo, hi] = ops.unpackBf16(part[word]);
      x = x ? ops.addf(x, lo) : lo;
      y = y ? ops.addf(y, hi) : hi;
    }
    square[word / 2][2 * (word % 2)] = x;
    square[word / 2][2 * (word % 2) + 1] = y;
  }
  return square;
}

/// The lane l gives row l % 8 + 8 rowBit(l / 8), column 8 colBit(l / 8), where
/// the bits are those of the number of the matrix.
Value Fragments::addressOfMatrices(const SharedTile &tile, Value col,
                                   int rowBit, int colBit) {
  Value matrix = ops.div(lane, 8);
  auto bit = [&](int which) { return ops.rem(ops.div(matrix, 1 << which), 2); };
  Value row = ops.add(ops.rem(lane, 8), ops.mul(bit(rowBit), 8));
  Value first = ops.add(col, ops.mul(bit(colBit), 8));
  Value bytes =
      ops.add(ops.mul(row, tile.layout.getRowBytes()), ops.mul(first, 2));
  return ops.advance(tile.base, bytes);
}

LeftOperand Fragments::loadLeft(const SharedTile &tile, Value col,
                                bool transposed) {
  // Matrices of A: (0, 0), (8, 0), (0, 8), (8, 8) in (row, column).
  Value address = transposed ? addressOfMatrices(tile, col, 1, 0)
                             : addressOfMatrices(tile, col, 0, 1);
  LeftOperand operand;
  for (int64_t i = 0; i < tile.layout.parts; ++i)
    operand.parts.push_back(ops.loadMatrices(
        ops.advance(address, i * tile.layout.getPartBytes()), transposed));
  return operand;
}

std::array<RightOperand, 2> Fragments::loadRight(const SharedTile &tile,
                                                 Value col, bool transposed) {
  // Matrices of B: (0, 0), (8, 0), (0, 8), (8, 8) in (summed, column).
  Value address = transposed ? addressOfMatrices(tile, col, 0, 1)
                             : addressOfMatrices(tile, col, 1, 0);
  std::array<RightOperand, 2> operands;
  for (int64_t i = 0; i < tile.layout.parts; ++i) {
    std::array<Value, 4> words = ops.loadMatrices(
        ops.advance(address, i * tile.layout.getPartBytes()), transposed);
    operands[0].parts.push_back({words[0], words[1]});
    operands[1].parts.push_back({words[2], words[3]});
  }
  return operands;
}

void Fragments::storeSquare(const Square &square, const SharedTile &tile,
                            int64_t col) {
  for (int half : {0, 1})
    for (int side : {0, 1})
      storeRow({square[side][2 * half], square[side][2 * half + 1]}, tile,
               getRow(half), ops.add(getCol(), col + 8 * side));
}

void Fragments::storeRow(ArrayRef<Value> values, const SharedTile &tile,
                         Value row, Value col) {
  Value bytes =
      ops.add(ops.mul(row, tile.layout.getRowBytes()), ops.mul(col, 2));
  Value address = ops.advance(tile.base, bytes);
  SmallVector<SmallVector<Value>> words(tile.layout.parts);
  for (size_t i = 0; i < values.size(); i += 2)
    for (auto [part, word] :
         llvm::enumerate(split(values[i], values[i + 1], tile.layout.parts)))
      words[part].push_back(word);
  for (auto [part, list] : llvm::enumerate(words)) {
    Value to = ops.advance(address, part * tile.layout.getPartBytes());
    if (list.size() == 1) {
      ops.store(list[0], to, 4);
      continue;
    }
    Type type = VectorType::get({int64_t(list.size())}, ops.i32Type());
    Value vector = LLVM::UndefOp::create(ops.b, ops.loc, type);
    for (auto [i, word] : llvm::enumerate(list))
      vector = LLVM::InsertElementOp::create(ops.b, ops.loc, vector, word,
                                             ops.i32(i));
    ops.store(vector, to, 4 * list.size());
  }
}

void Fragments::storeElement(Value value, const SharedTile &tile, Value row,
                             Value col) {
  Value bytes =
      ops.add(ops.mul(row, tile.layout.getRowBytes()), ops.mul(col, 2));
  Value address = ops.advance(tile.base, bytes);
  Type half = ops.b.getI16Type();
  for (auto [part, word] :
       llvm::enumerate(split(value, ops.f32(0), tile.layout.parts)))
    ops.store(arith::TruncIOp::create(ops.b, ops.loc, half, word),
              ops.advance(address, part * tile.layout.getPartBytes()), 2);
}
