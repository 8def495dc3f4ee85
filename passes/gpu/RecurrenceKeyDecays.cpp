//===- RecurrenceKeyDecays.cpp - Scores whose decays differ by channel ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceKernel.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr double kLog2E = 1.4426950408889634;

namespace {
/// What a lane knows of the tokens of a tile for its key channels.
using Columns = SmallVector<SmallVector<Value>>; // [16][width]
} // namespace

/// The triangle of scores is halved: for blocks of 2h tokens with the boundary
/// a in the middle, rows i >= a and columns j < a,
///
///   P[i, j] = sum_d (q_i prod_{a..i} f)_d (k_j prod_{j+1..a-1} f)_d,   f = e^g
///
/// a product of matrices for all blocks of a size. The products of decays grow
/// from those of the halves: none exceeds 1, and each decay is exponentiated
/// once. Those of all sixteen are what meets the state on entry and on exit.
void RecurrenceKernel::emitKeyDecays(ThreadOps &ops, const TilePlace &place,
                                     Value scratch) {
  unsigned rowCount = tiles->rows.size(), colCount = tiles->cols.size();
  bool previous = false;
  for (unsigned r = 0; r < rowCount; ++r)
    previous |= getRead(r) == StateRead::Previous;
  int64_t width =
      tokenWarps > 4 || rowCount + colCount > 3 || paddedKeys <= 32 ? 1 : 2;
  int64_t blockCols = 32 * width;
  // Scratch: rows, columns, the query with the bonus, the triangle.
  SmallVector<SharedTile> rowScratch, colScratch;
  SharedTile bonusScratch;
  TileLayout layout;
  layout.cols = 64;
  layout.parts = parts;
  auto take = [&] {
    SharedTile tile{layout, scratch};
    scratch = ops.advance(scratch, layout.getBytes());
    return tile;
  };
  for (unsigned r = 0; r < rowCount; ++r)
    rowScratch.push_back(take());
  for (unsigned c = 0; c < colCount; ++c)
    colScratch.push_back(take());
  if (tiles->bonus)
    bonusScratch = take();

  SmallVector<Value> start(8 * scores.size(), ops.f32(0));
  auto body = [&](ThreadOps &o, Value first, ValueRange carried) {
    SmallVector<Fragments::Square> squares;
    for (size_t s = 0; s < scores.size(); ++s) {
      Fragments::Square square;
      for (int i = 0; i < 8; ++i)
        square[i / 4][i % 4] = carried[8 * s + i];
      squares.push_back(square);
    }
    LaneColumns lanes;
    lanes.width = width;
    lanes.first = o.mul(lane, width);
    Value own = lanes.first, col = o.add(first, own);
    // Rows are the same values for all operands: sums along them are shared.
    SmallVector<Value> tokens;
    for (int64_t i = 0; i < kTile; ++i)
      tokens.push_back(o.i32(i));
    Value isIn = o.less(col, o.i32(paddedKeys));
    auto load = [&](const TileOperand &operand) {
      Columns columns;
      for (Value token : tokens) {
        columns.push_back(tiles->emit(o, operand, place, token, col, lanes));
        if (paddedKeys % blockCols != 0)
          for (Value &x : columns.back())
            x = o.select(isIn, x, o.f32(0));
      }
      return columns;
    };
    auto combine = [&](const Columns &x, const Columns &y) {
      Columns result = x;
      for (int64_t i = 0; i < kTile; ++i)
        for (int64_t e = 0; e < width; ++e)
          if (!y[i].empty())
            result[i][e] = o.mulf(x[i][e], y[i][e]);
      return result;
    };
    Columns f = load(*tiles->decay), rowValues[2];
    SmallVector<Columns> colValues;
    for (auto &token : f)
      for (Value &g : token)
        g = o.exp2(o.mulf(g, o.f32(kLog2E)));
    for (unsigned r = 0; r < rowCount; ++r)
      rowValues[r] = load(tiles->rows[r]);
    for (unsigned c = 0; c < colCount; ++c)
      colValues.push_back(load(tiles->cols[c]));
    Fragments fragments(o, lane);
    auto store = [&](const SharedTile &tile, int64_t token,
                     ArrayRef<Value> values, Value at) {
      if (width == 2)
        fragments.storeRow(values, tile, o.i32(token), at);
      else
        fragments.storeElement(values[0], tile, o.i32(token), at);
    };
    int64_t steps = std::min(blockCols, paddedKeys) / kTile;
    // acc += rows cols^T where `keep` says so.
    auto multiply = [&](const SharedTile &rows, unsigned c,
                        Fragments::Square &acc,
                        function_ref<Value(Value, Value)> keep) {
      Fragments::Square product = fragments.zeroSquare();
      for (int64_t k = 0; k < steps; ++k) {
        Value at = o.i32(k * kTile);
        product =
            fragments.multiply(product, fragments.loadLeft(rows, at, false),
                               fragments.loadRight(colScratch[c], at, false));
      }
      for (int side : {0, 1})
        for (int e = 0; e < 4; ++e) {
          Value x = product[side][e];
          if (Value in = keep(fragments.getRow(e / 2),
                              o.add(fragments.getCol(), 8 * side + e % 2)))
            x = o.select(in, x, o.f32(0));
          acc[side][e] = o.addf(acc[side][e], x);
        }
    };
    // The diagonals.
    bool hasDiagonal = rowCount > eraseRows &&
                       (op.getRead() == StateRead::Current || tiles->bonus);
    if (hasDiagonal) {
      o.syncWarp();
      Columns query = rowValues[rowCount - 1];
      if (tiles->bonus)
        query = combine(query, load(*tiles->bonus));
      const SharedTile &to =
          tiles->bonus ? bonusScratch : rowScratch[rowCount - 1];
      for (int64_t i = 0; i < kTile; ++i) {
        store(to, i, query[i], own);
        for (unsigned c = 0; c < colCount; ++c)
          store(colScratch[c], i, colValues[c][i], own);
      }
      o.syncWarp();
      for (auto [s, score] : llvm::enumerate(scores)) {
        bool reads =
            score.row >= eraseRows && (op.getRead() == StateRead::Current ||
                                       score.col < tiles->values.size());
        if (reads)
          multiply(to, score.col, squares[s], [&](Value row, Value c) {
            return o.cmp(arith::CmpIPredicate::eq, row, c);
          });
      }
    }
    // Products from the start of a token's block to the token, with and without
    // it, and from the token to the end of its block; null for 1.
    Columns inclusive = f, exclusive(kTile), suffix(kTile);
    auto scale = [&](SmallVector<Value> &values, ArrayRef<Value> by) {
      if (values.empty()) {
        values.assign(by.begin(), by.end());
        return;
      }
      for (auto [value, factor] : llvm::zip_equal(values, by))
        value = o.mulf(value, factor);
    };
    SmallVector<Value> none(width, o.f32(0));
    auto product = [&](ArrayRef<Value> x, ArrayRef<Value> factor) {
      SmallVector<Value> result(x);
      if (!factor.empty())
        for (auto [value, by] : llvm::zip_equal(result, factor))
          value = o.mulf(value, by);
      return result;
    };
    for (int64_t half = 1; half < kTile; half *= 2) {
      if (!scores.empty()) {
        o.syncWarp();
        for (int64_t i = 0; i < kTile; ++i) {
          bool isRow = (i / half) % 2 == 1;
          for (unsigned r = 0; r < rowCount; ++r) {
            const Columns &head =
                getRead(r) == StateRead::Previous ? exclusive : inclusive;
            store(rowScratch[r], i,
                  isRow ? product(rowValues[r][i], head[i]) : none, own);
          }
          for (unsigned c = 0; c < colCount; ++c)
            store(colScratch[c], i,
                  isRow ? none : product(colValues[c][i], suffix[i]), own);
        }
        o.syncWarp();
        for (auto [s, score] : llvm::enumerate(scores))
          multiply(rowScratch[score.row], score.col, squares[s],
                   [&](Value row, Value c) -> Value {
                     if (2 * half == kTile)
                       return Value();
                     return o.cmp(arith::CmpIPredicate::eq,
                                  o.div(row, 2 * half), o.div(c, 2 * half));
                   });
      }
      for (int64_t begin = 0; begin < kTile; begin += 2 * half) {
        SmallVector<Value> lower = inclusive[begin + half - 1],
                           upper = inclusive[begin + 2 * half - 1];
        for (int64_t i = 0; i < half; ++i) {
          scale(suffix[begin + i], upper);
          scale(inclusive[begin + half + i], lower);
          if (previous)
            scale(exclusive[begin + half + i], lower);
        }
      }
    }
    // What meets the state.
    o.when(isIn, [&](ThreadOps &in) {
      Fragments inner(in, lane);
      auto storeIn = [&](const SharedTile &tile, int64_t i, ArrayRef<Value> x,
                         ArrayRef<Value> factor) {
        SmallVector<Value> scaled(x);
        if (!factor.empty())
          for (auto [value, by] : llvm::zip_equal(scaled, factor))
            value = in.mulf(value, by);
        if (width == 2)
          inner.storeRow(scaled, tile, in.i32(i), col);
        else
          inner.storeElement(scaled[0], tile, in.i32(i), col);
      };
      for (int64_t i = 0; i < kTile; ++i) {
        for (unsigned r = 0; r < rowCount; ++r)
          storeIn(at(in, place, rowTiles[r], paddedKeys), i, rowValues[r][i],
                  getRead(r) == StateRead::Previous ? exclusive[i]
                                                    : inclusive[i]);
        for (unsigned c = 0; c < colCount; ++c)
          storeIn(at(in, place, colTiles[c], paddedKeys), i, colValues[c][i],
                  suffix[i]);
      }
      for (int64_t e = 0; e < width; ++e)
        in.store(inclusive[kTile - 1][e],
                 in.advance(in.advance(place.slot, factors.state),
                            in.mul(in.add(col, e), 4)),
                 4);
    });
    SmallVector<Value> results;
    for (const Fragments::Square &square : squares)
      for (int i = 0; i < 8; ++i)
        results.push_back(square[i / 4][i % 4]);
    return results;
  };
  SmallVector<Value> sums;
  if (paddedKeys <= blockCols)
    sums = body(ops, ops.i32(0), start);
  else
    sums = ops.loop(ops.i32(0), ops.i32(paddedKeys), ops.i32(blockCols), start,
                    body);
  tiles->forgetRows();
  ops.syncWarp();
  for (size_t s = 0; s < scores.size(); ++s) {
    Fragments::Square square;
    for (int i = 0; i < 8; ++i)
      square[i / 4][i % 4] = sums[8 * s + i];
    storeScores(ops, place, s, square, scratch);
  }
}
