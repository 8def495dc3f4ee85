//===- RecurrenceTokenWarps.cpp - What does not depend on the state -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceKernel.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

static constexpr double kLog2E = 1.4426950408889634;
/// Bytes from row to row of a triangle of f32 in scratch memory.
static constexpr int64_t kTriangleRow = 80;

//===----------------------------------------------------------------------===//
// The ring
//===----------------------------------------------------------------------===//

/// Warp w has the tiles w, w + W, ... and the slots w, w + W, ...: copies of
/// later tiles are under way while it makes one.
void RecurrenceKernel::emitTokenWarp(ThreadOps &ops, Value warp) {
  int64_t depth = slots / tokenWarps;
  Value scratch =
      ops.advance(shared, ops.add(ops.mul(warp, scratchBytes),
                                  barrierBytes + slots * slotBytes));
  auto placeOf = [&](ThreadOps &o, Value tile, Value cursor) {
    Value slot = o.add(warp, o.mul(cursor, tokenWarps));
    Value first = o.mul(tile, kTile);
    TilePlace place;
    place.token = arith::AddIOp::create(o.b, loc, lo, o.toIndex(first));
    place.valid = o.sub(count, first);
    place.slot = o.advance(shared, o.add(o.mul(slot, slotBytes), barrierBytes));
    return std::pair(place, slot);
  };
  auto issue = [&](ThreadOps &o, Value tile, Value cursor) {
    o.when(o.less(tile, tileCount), [&](ThreadOps &in) {
      tiles->issueCopies(in, lane, 32, placeOf(in, tile, cursor).first);
    });
    o.commitCopies();
  };
  for (int64_t i = 0; i + 1 < depth; ++i)
    issue(ops, ops.add(warp, i * tokenWarps), ops.i32(i));
  // The slot of the iteration before, and the parity of the phase in which it
  // is emptied; that of a slot never used has passed.
  SmallVector<Value> start{ops.i32(0), ops.i32(0), ops.i32(depth - 1),
                           ops.i32(1)};
  ops.loop(
      warp, tileCount, ops.i32(tokenWarps), start,
      [&](ThreadOps &o, Value tile, ValueRange now) {
        Value cursor = now[0], phase = now[1], before = now[2], parity = now[3];
        auto [place, slot] = placeOf(o, tile, cursor);
        auto waitEmpty = [&](ThreadOps &in, Value number) {
          in.wait(getEmptyBarrier(in, number), parity);
        };
        if (depth == 1) {
          waitEmpty(o, slot);
          tiles->issueCopies(o, lane, 32, place);
          o.commitCopies();
        }
        o.waitCopies(std::max<int64_t>(depth - 2, 0));
        o.syncWarp();
        tiles->forgetRows();
        laneRows.clear();
        emitTile(o, place, scratch);
        o.syncWarp();
        o.arrive(getFullBarrier(o, slot));
        // Copies for the slot before this one.
        if (depth > 1) {
          Value later = o.add(tile, (depth - 1) * tokenWarps);
          o.when(o.less(later, tileCount), [&](ThreadOps &in) {
            waitEmpty(in, in.add(warp, in.mul(before, tokenWarps)));
            tiles->issueCopies(in, lane, 32, placeOf(in, later, before).first);
          });
          o.commitCopies();
        }
        Value next = o.add(cursor, 1);
        Value wraps = o.cmp(arith::CmpIPredicate::eq, next, o.i32(depth));
        Value flipped = arith::XOrIOp::create(o.b, loc, phase, o.i32(1));
        return SmallVector<Value>{o.select(wraps, o.i32(0), next),
                                  o.select(wraps, flipped, phase), cursor,
                                  phase};
      });
}

void RecurrenceKernel::emitTile(ThreadOps &ops, const TilePlace &place,
                                Value scratch) {
  for (auto [operand, offset] : llvm::zip_equal(tiles->values, valueTiles))
    if (offset >= 0)
      evaluate(ops, operand, at(ops, place, offset, paddedValues), place);
  for (auto [operand, offset] : llvm::zip_equal(tiles->inputs, inputTiles))
    if (offset >= 0)
      evaluate(ops, operand, at(ops, place, offset, paddedValues), place);
  if (perKey)
    return emitKeyDecays(ops, place, scratch);
  for (auto [operand, offset] : llvm::zip_equal(tiles->rows, rowTiles))
    if (offset >= 0)
      evaluate(ops, operand, at(ops, place, offset, paddedKeys), place);
  for (auto [operand, offset] : llvm::zip_equal(tiles->cols, colTiles))
    if (offset >= 0)
      evaluate(ops, operand, at(ops, place, offset, paddedKeys), place);
  emitScalarDecays(ops, place, scratch);
}

/// tile[row, ..] = operand: a lane has eight neighbours.
void RecurrenceKernel::evaluate(ThreadOps &ops, const TileOperand &operand,
                                const SharedTile &to, const TilePlace &place) {
  int64_t cols = to.layout.cols;
  int64_t perRow = std::clamp<int64_t>(llvm::PowerOf2Ceil(cols / 8), 2, 32);
  LaneColumns lanes;
  lanes.width = 8;
  lanes.lanes = perRow;
  lanes.first = ops.mul(ops.rem(lane, perRow), 8);
  Fragments fragments(ops, lane);
  for (int64_t row = 0; row < kTile; row += 32 / perRow) {
    // The same value for all operands: sums along rows are shared.
    Value &at = laneRows[{perRow, row}];
    if (!at)
      at = ops.add(ops.div(lane, perRow), row);
    for (int64_t first = 0; first < cols; first += 8 * perRow) {
      Value col = ops.add(lanes.first, first);
      SmallVector<Value> values =
          tiles->emit(ops, operand, place, at, col, lanes);
      if (first + 8 * perRow <= cols) {
        fragments.storeRow(values, to, at, col);
        continue;
      }
      ops.when(ops.less(col, ops.i32(cols)), [&](ThreadOps &in) {
        Fragments(in, lane).storeRow(values, to, at, col);
      });
    }
  }
}

//===----------------------------------------------------------------------===//
// Decays that all channels share
//===----------------------------------------------------------------------===//

/// With g the logarithms of base 2 of the decays and G_i = g_0 + .. + g_i,
///
///   P[i, j] = (q_i . k_j) 2^(G_i - G_j)     j <= i, or j < i and G_{i-1}
///   head_i = 2^G_i or 2^G_{i-1}    tail_j = 2^(G_15 - G_j)    state = 2^G_15
///
/// The sums are f64: their differences are those of the decays between.
void RecurrenceKernel::emitScalarDecays(ThreadOps &ops, const TilePlace &place,
                                        Value scratch) {
  OpBuilder &b = ops.b;
  Type f64 = b.getF64Type();
  Value inclusive, exclusive;
  auto narrow = [&](Value x) {
    return Value(arith::TruncFOp::create(b, loc, ops.f32Type(), x));
  };
  if (hasDecay) {
    LaneColumns lanes;
    lanes.first = ops.i32(0);
    lanes.lanes = 1;
    Value row = ops.rem(lane, kTile);
    Value g = tiles->emit(ops, *tiles->decay, place, row, ops.i32(0), lanes)[0];
    // e^-1e6 is 0, and sums of such are exact enough to have differences.
    g = arith::MaximumFOp::create(b, loc, g, ops.f32(-1e6));
    Value wide = arith::ExtFOp::create(b, loc, f64, g);
    wide = arith::MulFOp::create(
        b, loc, wide,
        arith::ConstantOp::create(b, loc, b.getF64FloatAttr(kLog2E)));
    inclusive = wide;
    for (int64_t distance = 1; distance < kTile; distance *= 2) {
      Value other = ops.shuffleUp(inclusive, distance);
      Value sum = arith::AddFOp::create(b, loc, inclusive, other);
      inclusive = ops.select(ops.less(row, ops.i32(distance)), inclusive, sum);
    }
    exclusive = arith::SubFOp::create(b, loc, inclusive, wide);
    // Both halves of the warp have all sixteen.
    Value total = ops.shuffleFrom(inclusive, ops.i32(kTile - 1));
    auto store = [&](Value value, int64_t offset, Value index) {
      ops.store(ops.exp2(narrow(value)),
                ops.advance(ops.advance(place.slot, offset), ops.mul(index, 4)),
                4);
    };
    for (unsigned r = 0; r < tiles->rows.size(); ++r)
      store(getRead(r) == StateRead::Previous ? exclusive : inclusive,
            factors.head[r], row);
    store(arith::SubFOp::create(b, loc, total, inclusive), factors.tail, row);
    store(total, factors.state, ops.i32(0));
  }
  SharedTile bonusRows;
  if (tiles->bonus) {
    bonusRows.layout.cols = paddedKeys;
    bonusRows.layout.parts = parts;
    bonusRows.base = scratch;
    // q w, written as the query is.
    TileOperand query = tiles->rows.back();
    int64_t perRow =
        std::clamp<int64_t>(llvm::PowerOf2Ceil(paddedKeys / 8), 2, 32);
    LaneColumns lanes;
    lanes.width = 8;
    lanes.lanes = perRow;
    lanes.first = ops.mul(ops.rem(lane, perRow), 8);
    for (int64_t row = 0; row < kTile; row += 32 / perRow) {
      Value at = ops.add(ops.div(lane, perRow), row);
      SmallVector<Value> x =
          tiles->emit(ops, query, place, at, lanes.first, lanes);
      SmallVector<Value> w =
          tiles->emit(ops, *tiles->bonus, place, at, lanes.first, lanes);
      for (auto [value, factor] : llvm::zip_equal(x, w))
        value = ops.mulf(value, factor);
      ops.when(ops.less(lanes.first, ops.i32(paddedKeys)), [&](ThreadOps &in) {
        Fragments(in, lane).storeRow(x, bonusRows, at, lanes.first);
      });
    }
    scratch = ops.advance(scratch, bonusRows.layout.getBytes());
  }
  ops.syncWarp();

  Fragments fragments(ops, lane);
  // Of the thread's rows and columns.
  SmallVector<Value> rowIndex, colIndex, rowSums, rowBefore, colSums;
  for (int half : {0, 1})
    rowIndex.push_back(fragments.getRow(half));
  for (int64_t i = 0; i < 4; ++i)
    colIndex.push_back(ops.add(fragments.getCol(), 8 * (i / 2) + i % 2));
  if (hasDecay) {
    bool previous = false;
    for (unsigned r = 0; r < tiles->rows.size(); ++r)
      previous |= getRead(r) == StateRead::Previous;
    for (Value row : rowIndex) {
      rowSums.push_back(ops.shuffleFrom(inclusive, row));
      rowBefore.push_back(previous ? ops.shuffleFrom(exclusive, row) : Value());
    }
    for (Value col : colIndex)
      colSums.push_back(ops.shuffleFrom(inclusive, col));
  }
  for (auto [index, score] : llvm::enumerate(scores)) {
    SharedTile rows = getRows(ops, place, score.row),
               cols = getCols(ops, place, score.col);
    Fragments::Square square = fragments.zeroSquare(),
                      own = fragments.zeroSquare();
    bool isQuery = score.row >= eraseRows;
    StateRead read = getRead(score.row);
    bool hasBonus = tiles->bonus && isQuery && score.col < tiles->values.size();
    for (int64_t k = 0; k < paddedKeys; k += kTile) {
      auto right = fragments.loadRight(cols, ops.i32(k), false);
      square = fragments.multiply(
          square, fragments.loadLeft(rows, ops.i32(k), false), right);
      if (hasBonus)
        own = fragments.multiply(
            own, fragments.loadLeft(bonusRows, ops.i32(k), false), right);
    }
    Value zero = ops.f32(0);
    for (int side : {0, 1})
      for (int e = 0; e < 4; ++e) {
        int half = e / 2;
        Value row = rowIndex[half], col = colIndex[2 * side + e % 2];
        Value &x = square[side][e];
        Value diagonal = zero;
        if (read == StateRead::Current)
          diagonal = x;
        else if (hasBonus)
          diagonal = own[side][e];
        if (hasDecay) {
          Value from =
              read == StateRead::Previous ? rowBefore[half] : rowSums[half];
          Value log =
              arith::SubFOp::create(b, loc, from, colSums[2 * side + e % 2]);
          x = ops.mulf(x, ops.exp2(narrow(log)));
        }
        // Above the diagonal the weight may be anything: it is left out.
        x = ops.select(ops.less(col, row), x, zero);
        x = ops.select(ops.cmp(arith::CmpIPredicate::eq, col, row), diagonal,
                       x);
      }
    storeScores(ops, place, index, square, scratch);
  }
}

/// The scores, or for the erasure with itself the inverse of its triangle.
void RecurrenceKernel::storeScores(ThreadOps &ops, const TilePlace &place,
                                   unsigned pair,
                                   const Fragments::Square &square,
                                   Value scratch) {
  const Scores &score = scores[pair];
  SharedTile to = at(ops, place, score.offset, kTile);
  if (score.row < eraseRows && score.col + 1 == tiles->cols.size())
    return emitInverse(ops, square, to, scratch);
  Fragments(ops, lane).storeSquare(square, to, 0);
}

/// Column j of T = (I + L)^-1 by a lane, from the top:
///   T[i, j] = (i = j) - sum_{j <= m < i} L[i, m] T[m, j]
void RecurrenceKernel::emitInverse(ThreadOps &ops,
                                   const Fragments::Square &lower,
                                   const SharedTile &to, Value scratch) {
  OpBuilder &b = ops.b;
  Fragments fragments(ops, lane);
  Type pair = VectorType::get({2}, ops.f32Type());
  for (int half : {0, 1})
    for (int side : {0, 1}) {
      Value bytes = ops.add(ops.mul(fragments.getRow(half), kTriangleRow),
                            ops.mul(ops.add(fragments.getCol(), 8 * side), 4));
      Value two = LLVM::UndefOp::create(b, loc, pair);
      for (int i : {0, 1})
        two = LLVM::InsertElementOp::create(
            b, loc, two, lower[side][2 * half + i], ops.i32(i));
      ops.store(two, ops.advance(scratch, bytes), 8);
    }
  ops.syncWarp();
  Value col = ops.rem(lane, kTile);
  Type four = VectorType::get({4}, ops.f32Type());
  SmallVector<Value> column;
  for (int64_t i = 0; i < kTile; ++i) {
    Value one = ops.select(ops.cmp(arith::CmpIPredicate::eq, col, ops.i32(i)),
                           ops.f32(1), ops.f32(0));
    // Two sums, the last product at the end of one of them.
    Value sums[2] = {one, ops.f32(0)};
    for (int64_t m = 0; m < i; m += 4) {
      Value row =
          ops.load(four, ops.advance(scratch, i * kTriangleRow + 4 * m), 16);
      for (int64_t e = 0; e < 4 && m + e < i; ++e) {
        Value l = LLVM::ExtractElementOp::create(b, loc, row, ops.i32(e));
        Value &sum = sums[e % 2];
        sum = LLVM::FMAOp::create(b, loc, arith::NegFOp::create(b, loc, l),
                                  column[m + e], sum);
      }
    }
    column.push_back(ops.addf(sums[0], sums[1]));
  }
  for (int64_t i = 0; i < kTile; ++i)
    fragments.storeElement(column[i], to, ops.i32(i), col);
  // The scratch memory is used again.
  ops.syncWarp();
}
