//===- RecurrenceStateWarps.cpp - The walk of the state over the tiles ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceKernel.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue;

//===----------------------------------------------------------------------===//
// The ring
//===----------------------------------------------------------------------===//

void RecurrenceKernel::emitStateWarp(ThreadOps &ops, Value warp) {
  Value column = ops.mul(warp, kTile);
  State state =
      makesStates ? startSegment(ops, column) : loadState(ops, column);
  if (segments.count > 1 && !makesStates)
    state = enterSegment(ops, state, warp);
  // The slot and the parity of its phase; the state; decays of the segment, as
  // the thread has columns of the state, or one.
  SmallVector<Value> start{ops.i32(0), ops.i32(0)};
  for (const Sum &sum : state)
    llvm::append_range(start, sum);
  int64_t decays = 0;
  if (makesStates && hasDecay && !op.erases())
    decays = perKey ? paddedKeys / 4 : 1;
  start.append(decays, ops.f32(1));
  auto toState = [&](ValueRange values) {
    State result(state.size());
    for (size_t i = 0; i < 4 * state.size(); ++i)
      result[i / 4][i % 4] = values[2 + i];
    return result;
  };
  SmallVector<Value> end = ops.loop(
      ops.i32(0), tileCount, ops.i32(1), start,
      [&](ThreadOps &o, Value tile, ValueRange now) {
        Value slot = now[0], parity = now[1];
        TilePlace place;
        Value first = o.mul(tile, kTile);
        place.token = arith::AddIOp::create(o.b, loc, lo, o.toIndex(first));
        place.valid = o.sub(count, first);
        place.slot =
            o.advance(shared, o.add(o.mul(slot, slotBytes), barrierBytes));
        o.wait(getFullBarrier(o, slot), parity);
        State next = emitStep(o, place, toState(now), warp, tile);
        SmallVector<Value> passed(now.take_back(decays));
        for (int64_t i = 0; i < decays; i += 2) {
          auto [x, y] = loadStateFactors(o, place, i / 2);
          passed[i] = o.mulf(passed[i], x);
          if (i + 1 < decays)
            passed[i + 1] = o.mulf(passed[i + 1], y);
        }
        o.syncWarp();
        o.arrive(getEmptyBarrier(o, slot));
        Value after = o.add(slot, 1);
        Value wraps = o.cmp(arith::CmpIPredicate::eq, after, o.i32(slots));
        Value flipped = arith::XOrIOp::create(o.b, loc, parity, o.i32(1));
        SmallVector<Value> results{o.select(wraps, o.i32(0), after),
                                   o.select(wraps, flipped, parity)};
        for (const Sum &sum : next)
          llvm::append_range(results, sum);
        llvm::append_range(results, passed);
        return results;
      });
  if (makesStates)
    return leaveSegment(ops, toState(end), ArrayRef(end).take_back(decays),
                        warp);
  if (!outputs.state)
    return;
  if (segments.count == 1)
    return storeState(ops, toState(end), column);
  ops.when(
      ops.cmp(arith::CmpIPredicate::eq, segment, ops.i32(segments.count - 1)),
      [&](ThreadOps &in) { storeState(in, toState(end), column); });
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

RecurrenceKernel::State RecurrenceKernel::loadState(ThreadOps &ops,
                                                    Value column) {
  Fragments fragments(ops, lane);
  State state(paddedKeys / 8, fragments.zero());
  Value initial = op.getInitialState();
  if (!initial)
    return state;
  EinsumOperand axes = op.getAxes(initial);
  for (auto [j, sum] : llvm::enumerate(state))
    for (int e = 0; e < 4; ++e) {
      Value v = ops.add(column, fragments.getRow(e / 2)),
            k = ops.add(fragments.getCol(), 8 * j + e % 2);
      Value isIn =
          arith::AndIOp::create(ops.b, loc, ops.less(v, ops.i32(columns)),
                                ops.less(k, ops.i32(keys)));
      Value zero = ops.i32(0);
      llvm::SmallDenseMap<char, Value> at;
      at[kKey] = ops.toIndex(ops.select(isIn, k, zero));
      at[kValue] = tiles->getValueIndex(ops, ops.select(isIn, v, zero));
      Value address = tiles->getAddress(ops, initialPointer, initial, axes, at);
      sum[e] = ops.select(isIn, ops.load(ops.f32Type(), address), ops.f32(0));
    }
  return state;
}

void RecurrenceKernel::storeState(ThreadOps &ops, const State &state,
                                  Value column) {
  Fragments fragments(ops, lane);
  EinsumOperand axes = op.getAxes(op.getFinalState());
  for (auto [j, sum] : llvm::enumerate(state))
    for (int e = 0; e < 4; ++e) {
      Value v = ops.add(column, fragments.getRow(e / 2)),
            k = ops.add(fragments.getCol(), 8 * j + e % 2);
      Value isIn =
          arith::AndIOp::create(ops.b, loc, ops.less(v, ops.i32(columns)),
                                ops.less(k, ops.i32(keys)));
      ops.when(isIn, [&](ThreadOps &in) {
        llvm::SmallDenseMap<char, Value> at;
        at[kKey] = in.toIndex(k);
        at[kValue] = tiles->getValueIndex(in, v);
        in.store(sum[e],
                 tiles->getAddress(in, statePointer, outputs.state, axes, at));
      });
    }
}

//===----------------------------------------------------------------------===//
// A tile
//===----------------------------------------------------------------------===//

std::pair<Value, Value> RecurrenceKernel::loadFactors(ThreadOps &ops,
                                                      const TilePlace &place,
                                                      int64_t offset,
                                                      Value col) {
  Value at = ops.add(ops.mul(ops.rem(lane, 4), 2), col);
  Type pair = VectorType::get({2}, ops.f32Type());
  Value two = ops.load(
      pair, ops.advance(ops.advance(place.slot, offset), ops.mul(at, 4)), 8);
  return {LLVM::ExtractElementOp::create(ops.b, loc, two, ops.i32(0)),
          LLVM::ExtractElementOp::create(ops.b, loc, two, ops.i32(1))};
}

std::pair<Value, Value>
RecurrenceKernel::loadStateFactors(ThreadOps &ops, const TilePlace &place,
                                   size_t j) {
  if (perKey)
    return loadFactors(ops, place, factors.state, ops.i32(8 * j));
  Value factor =
      ops.load(ops.f32Type(), ops.advance(place.slot, factors.state), 4);
  return {factor, factor};
}

/// The columns of a thread, each by a factor of its own.
static void scaleColumns(ThreadOps &ops, Sum &sum, Value x, Value y) {
  for (int half : {0, 1}) {
    sum[2 * half] = ops.mulf(sum[2 * half], x);
    sum[2 * half + 1] = ops.mulf(sum[2 * half + 1], y);
  }
}

/// Tokens are columns: each by its factor in the slot.
Fragments::Square RecurrenceKernel::scaleTokens(ThreadOps &ops,
                                                const TilePlace &place,
                                                Fragments::Square square,
                                                int64_t offset) {
  for (int side : {0, 1}) {
    auto [x, y] = loadFactors(ops, place, offset, ops.i32(8 * side));
    scaleColumns(ops, square[side], x, y);
  }
  return square;
}

/// S^T q'^T for the rows of the tile.
Fragments::Square RecurrenceKernel::readState(ThreadOps &ops,
                                              const TilePlace &place,
                                              ArrayRef<LeftOperand> state,
                                              unsigned row) {
  Fragments fragments(ops, lane);
  SharedTile rows = getRows(ops, place, row);
  // Two sums side by side: half as long to wait for.
  Fragments::Square sums[2] = {fragments.zeroSquare(), fragments.zeroSquare()};
  for (auto [k, left] : llvm::enumerate(state))
    sums[k % 2] = fragments.multiply(
        sums[k % 2], left,
        fragments.loadRight(rows, ops.i32(k * kTile), false));
  Fragments::Square square = sums[0];
  if (state.size() > 1)
    for (int i = 0; i < 8; ++i)
      square[i / 4][i % 4] =
          ops.addf(sums[0][i / 4][i % 4], sums[1][i / 4][i % 4]);
  if (!hasDecay || perKey)
    return square;
  return scaleTokens(ops, place, square, factors.head[row]);
}

/// What is left of values at the end of the tile: tokens are columns.
LeftOperand RecurrenceKernel::decayTail(ThreadOps &ops, const TilePlace &place,
                                        const LeftOperand &operand) {
  if (!hasDecay || perKey)
    return operand;
  Fragments fragments(ops, lane);
  Fragments::Square square =
      scaleTokens(ops, place, fragments.unpack(operand), factors.tail);
  return fragments.pack(square[0], square[1], parts);
}

RecurrenceKernel::State RecurrenceKernel::emitStep(ThreadOps &ops,
                                                   const TilePlace &place,
                                                   const State &entry,
                                                   Value warp, Value tile) {
  Fragments fragments(ops, lane);
  SmallVector<LeftOperand> packed;
  bool isRead = !makesStates || op.erases();
  for (size_t j = 0; isRead && j < entry.size(); j += 2)
    packed.push_back(fragments.pack(entry[j], entry[j + 1], parts));
  Value column = ops.mul(warp, kTile);
  SmallVector<LeftOperand> written;
  for (auto [operand, offset] : llvm::zip_equal(tiles->values, valueTiles))
    written.push_back(writeNothing(
        ops, fragments.loadLeft(getValues(ops, place, operand, offset), column,
                                true)));
  auto addScores = [&](Fragments::Square square, unsigned row,
                       ArrayRef<LeftOperand> lefts) {
    for (const Scores &score : scores) {
      if (score.row != row || score.col >= lefts.size())
        continue;
      SharedTile tileOf = at(ops, place, score.offset, kTile);
      square =
          fragments.multiply(square, lefts[score.col],
                             fragments.loadRight(tileOf, ops.i32(0), false));
    }
    return square;
  };
  if (op.erases()) {
    // U^T = (R^T - V^T N^T - S^T P'^T) T^T
    Fragments::Square square =
        addScores(readState(ops, place, packed, 0), 0, written);
    Fragments::Square given = fragments.unpack(writeNothing(
        ops, fragments.loadLeft(
                 getValues(ops, place, tiles->inputs[0], inputTiles[0]), column,
                 true)));
    for (int i = 0; i < 8; ++i)
      square[i / 4][i % 4] =
          ops.subf(given[i / 4][i % 4], square[i / 4][i % 4]);
    LeftOperand rest = fragments.pack(square[0], square[1], parts);
    const Scores *triangle = llvm::find_if(scores, [&](const Scores &score) {
      return score.row == 0 && score.col + 1 == tiles->cols.size();
    });
    square = fragments.multiply(
        fragments.zeroSquare(), rest,
        fragments.loadRight(at(ops, place, triangle->offset, kTile), ops.i32(0),
                            false));
    written.push_back(fragments.pack(square[0], square[1], parts));
  }
  // O^T = S^T Q'^T + sum V^T P^T
  unsigned query = eraseRows;
  Fragments::Square output;
  if (!makesStates)
    output = addScores(readState(ops, place, packed, query), query, written);
  // S^T = S^T D + sum V'^T K'
  State state = entry;
  if (perKey) {
    for (auto [j, sum] : llvm::enumerate(state)) {
      auto [x, y] = loadStateFactors(ops, place, j);
      scaleColumns(ops, sum, x, y);
    }
  } else if (hasDecay) {
    Value factor = loadStateFactors(ops, place, 0).first;
    for (Sum &sum : state)
      for (Value &x : sum)
        x = ops.mulf(x, factor);
  }
  for (auto [col, left] : llvm::enumerate(written)) {
    LeftOperand tail = decayTail(ops, place, left);
    SharedTile cols = getCols(ops, place, col);
    for (size_t j = 0; j < state.size(); j += 2) {
      auto right = fragments.loadRight(cols, ops.i32(8 * j), true);
      state[j] = fragments.multiply(state[j], tail, right[0]);
      state[j + 1] = fragments.multiply(state[j + 1], tail, right[1]);
    }
  }
  if (!makesStates)
    storeOutput(ops, place, output, warp, tile);
  return state;
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

/// num / (den + eps), and 0 where the divisor is 0: the last channel, which one
/// warp has, divides all others.
Fragments::Square RecurrenceKernel::divide(ThreadOps &ops,
                                           const Fragments::Square &output,
                                           Value warp, Value tile) {
  OpBuilder &b = ops.b;
  Fragments fragments(ops, lane);
  int64_t last = values - 1, row = last % kTile;
  // Two buffers in turn: a warp may be one tile ahead.
  Value buffer =
      ops.advance(getExchange(ops), ops.mul(ops.rem(tile, 2), kTile * 4));
  Value isLast = arith::AndIOp::create(
      b, loc, ops.cmp(arith::CmpIPredicate::eq, warp, ops.i32(last / kTile)),
      ops.cmp(arith::CmpIPredicate::eq, ops.div(lane, 4), ops.i32(row % 8)));
  int half = row / 8;
  ops.when(isLast, [&](ThreadOps &in) {
    for (int side : {0, 1})
      for (int e : {0, 1}) {
        Value col = in.add(in.mul(in.rem(lane, 4), 2), 8 * side + e);
        in.store(output[side][2 * half + e], in.advance(buffer, in.mul(col, 4)),
                 4);
      }
  });
  ops.syncThreads(1, 32 * stateWarps);
  Fragments::Square result = output;
  for (int side : {0, 1})
    for (int e : {0, 1}) {
      Value col = ops.add(fragments.getCol(), 8 * side + e);
      Value by =
          ops.load(ops.f32Type(), ops.advance(buffer, ops.mul(col, 4)), 4);
      by = getDivisor(ops, by, /*logScale=*/Value());
      for (int h : {0, 1})
        result[side][2 * h + e] =
            divideOrZero(ops, result[side][2 * h + e], by);
    }
  return result;
}

void RecurrenceKernel::storeOutput(ThreadOps &ops, const TilePlace &place,
                                   Fragments::Square output, Value warp,
                                   Value tile) {
  OpBuilder &b = ops.b;
  Fragments fragments(ops, lane);
  if (division)
    output = divide(ops, output, warp, tile);
  int64_t channels = division ? values - 1 : columns;
  EinsumOperand axes = op.getAxes(op.getOutput());
  Value column = ops.mul(warp, kTile);
  Value tokenBytes = tiles->getAxisBytes(ops, outputs.output, axes, kToken),
        valueBytes = tiles->getAxisBytes(ops, outputs.output, axes, kValue);
  llvm::SmallDenseMap<char, Value> at;
  at[kToken] = place.token;
  at[kValue] = tiles->getValueIndex(ops, column);
  Value base = tiles->getAddress(ops, outputPointer, outputs.output, axes, at);
  auto addressOf = [&](ThreadOps &o, Value token, Value channel) {
    auto wide = [&](Value x, Value bytes) {
      Value index = arith::ExtUIOp::create(o.b, loc, o.b.getI64Type(), x);
      return Value(arith::MulIOp::create(o.b, loc, index, bytes));
    };
    return o.advance(base,
                     arith::AddIOp::create(o.b, loc, wide(token, tokenBytes),
                                           wide(channel, valueBytes)));
  };
  auto isIn = [&](Value token, Value channel) {
    Value in = ops.less(token, place.valid);
    if (channels == paddedValues)
      return in;
    return Value(arith::AndIOp::create(
        b, loc, in, ops.less(ops.add(column, channel), ops.i32(channels))));
  };
  auto type = cast<MemRefType>(outputs.output.getType());
  bool isRow = axes.back() == EinsumDim{kValue};
  if (type.getElementType().isBF16() && isRow &&
      type.getShape().back() % 4 == 0) {
    // Four neighbours of a token's channels: neighbouring lanes exchange the
    // half of the channels that the other one stores.
    Value isOdd =
        ops.cmp(arith::CmpIPredicate::ne, ops.rem(lane, 2), ops.i32(0));
    Value channel = ops.add(ops.mul(ops.div(ops.rem(lane, 4), 2), 4),
                            ops.select(isOdd, ops.i32(8), ops.i32(0)));
    for (int side : {0, 1}) {
      Value pairs[2];
      for (int half : {0, 1})
        pairs[half] = ops.transposeMatrix(
            ops.packBf16(output[side][2 * half], output[side][2 * half + 1]));
      Value given = ops.select(isOdd, pairs[0], pairs[1]);
      Value got = ops.shuffleXor(given, 1);
      Value token = ops.add(ops.div(lane, 4), 8 * side);
      ops.storeWhere(
          isIn(token, channel),
          {ops.select(isOdd, got, pairs[0]), ops.select(isOdd, pairs[1], got)},
          addressOf(ops, token, channel));
    }
    return;
  }
  for (int side : {0, 1})
    for (int e = 0; e < 4; ++e) {
      Value token = ops.add(fragments.getCol(), 8 * side + e % 2),
            channel = fragments.getRow(e / 2);
      Value in = isIn(token, channel), x = output[side][e];
      if (type.getElementType().isF32()) {
        ops.storeWhere(in, x, addressOf(ops, token, channel));
        continue;
      }
      ops.when(in, [&](ThreadOps &inner) {
        x = arith::TruncFOp::create(inner.b, loc, type.getElementType(), x);
        inner.store(x, addressOf(inner, token, channel));
      });
    }
}
