//===- RecurrenceSegments.cpp - Long sequences side by side ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/gpu/RecurrenceKernel.h"

using namespace mlir;
using namespace mlir::attn;

/// Segments, where states alone leave multiprocessors idle.
int64_t RecurrenceKernel::chooseSegments() {
  if (op.getCuSeqlens())
    return 1;
  if (limits.segments > 0)
    return limits.segments;
  int64_t states = inParts ? values / columns : 1;
  for (auto [axis, size] : tiles->getBlockAxes()) {
    std::optional<int64_t> count = getConstantIntValue(size);
    if (!count)
      return 1;
    states *= *count;
  }
  // A segment of fewer tokens costs more than it gains.
  constexpr int64_t kLeast = 512, kMost = 32;
  int64_t most = kMost, tokens = op.getAxisSize(RecurrenceOp::kToken);
  if (!ShapedType::isDynamic(tokens))
    most = std::min(most, tokens / kLeast);
  int64_t count =
      std::clamp<int64_t>(limits.multiprocessors / std::max<int64_t>(states, 1),
                          1, std::max<int64_t>(most, 1));
  // States from zero and, with an erasure, transitions cost a walk each.
  int64_t walks = op.erases() ? 2 + llvm::divideCeil(keys, values) : 1;
  return count > walks ? count : 1;
}

/// The states and decays of segments: f32 for each thread of the state warps
/// and for each key channel, of each block. Transitions are one for each state
/// and segment.
LogicalResult RecurrenceKernel::launchSegments(std::string &reason,
                                               SegmentStates &into) {
  if (failed(prepare(reason)))
    return failure();
  OpBuilder &b = kernel->host;
  auto createStates = [&](int64_t perBlock) -> Value {
    OpFoldResult size = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineDimExpr(0) * perBlock, {blocks});
    return memref::AllocOp::create(
        b, loc, MemRefType::get({ShapedType::kDynamic}, b.getF32Type()),
        ValueRange{getValueOrCreateConstantIndexOp(b, loc, size)});
  };
  segments.states = createStates(paddedKeys * paddedValues);
  segmentPointer = kernel->passPointer(segments.states);
  if (op.erases()) {
    segments.transitions =
        createStates(llvm::divideCeil(paddedKeys * paddedKeys, segments.parts));
    transitionPointer = kernel->passPointer(segments.transitions);
  } else {
    segments.decays = createStates(paddedKeys);
    decayPointer = kernel->passPointer(segments.decays);
  }
  finish();
  into = segments;
  return success();
}

/// The tokens of the segment: as many tiles as the others have, but for the
/// last ones.
void RecurrenceKernel::placeSegment(ThreadOps &ops) {
  OpBuilder &b = ops.b;
  Value tilesOf =
      ops.div(ops.add(tileCount, segments.count - 1), segments.count);
  Value first = ops.mul(ops.mul(tilesOf, segment), kTile);
  Value rest =
      arith::MaxSIOp::create(b, loc, ops.sub(count, first), ops.i32(0));
  lo = arith::AddIOp::create(b, loc, lo, ops.toIndex(first));
  count = arith::MinSIOp::create(b, loc, rest, ops.mul(tilesOf, kTile));
  tileCount = ops.div(ops.add(count, kTile - 1), kTile);
}

//===----------------------------------------------------------------------===//
// States of segments
//===----------------------------------------------------------------------===//

/// The number of the block that has this one's state and part in another
/// segment, an i64, or of the state alone for no parts. Blocks number states,
/// parts of them, of which the kernel that makes the states has `parts` and
/// this one `own`, and segments.
static Value getBlockOf(ThreadOps &ops, Value block, int64_t count, int64_t own,
                        int64_t parts, Value other) {
  OpBuilder &b = ops.b;
  Value rest = arith::DivUIOp::create(b, ops.loc, block, ops.index(count));
  Value part = arith::RemUIOp::create(b, ops.loc, rest, ops.index(own));
  Value number = arith::DivUIOp::create(b, ops.loc, rest, ops.index(own));
  if (parts > 0)
    number = arith::AddIOp::create(
        b, ops.loc, arith::MulIOp::create(b, ops.loc, number, ops.index(parts)),
        part);
  number = arith::AddIOp::create(
      b, ops.loc, arith::MulIOp::create(b, ops.loc, number, ops.index(count)),
      ops.toIndex(other));
  return arith::IndexCastOp::create(b, ops.loc, b.getI64Type(), number);
}

/// base + 4 (number * count + at), `at` an i32.
static Value getElement(ThreadOps &ops, Value base, Value number, int64_t count,
                        Value at) {
  OpBuilder &b = ops.b;
  auto constant = [&](int64_t value) {
    return arith::ConstantIntOp::create(b, ops.loc, value, 64);
  };
  Value wide = arith::ExtUIOp::create(b, ops.loc, b.getI64Type(), at);
  Value index = arith::AddIOp::create(
      b, ops.loc, arith::MulIOp::create(b, ops.loc, number, constant(count)),
      wide);
  return ops.advance(base,
                     arith::MulIOp::create(b, ops.loc, index, constant(4)));
}

Value RecurrenceKernel::getSegmentState(ThreadOps &ops, Value other, Value warp,
                                        int64_t number) {
  int64_t registers = paddedKeys / 2;
  Value at =
      ops.add(ops.mul(ops.add(ops.mul(warp, registers), number), 32), lane);
  int64_t own = makesStates ? segments.parts : values / columns;
  Value from =
      getBlockOf(ops, block, segments.count, own, segments.parts, other);
  return getElement(ops, segmentPointer, from, paddedKeys * paddedValues, at);
}

Value RecurrenceKernel::getSegmentDecay(ThreadOps &ops, Value other,
                                        Value key) {
  int64_t own = makesStates ? segments.parts : values / columns;
  Value number =
      getBlockOf(ops, block, segments.count, own, segments.parts, other);
  return getElement(ops, decayPointer, number, paddedKeys, key);
}

/// A^T[row, col] of a segment.
Value RecurrenceKernel::getTransition(ThreadOps &ops, Value other, Value row,
                                      Value col) {
  int64_t own = makesStates ? segments.parts : values / columns;
  Value number = getBlockOf(ops, block, segments.count, own, 0, other);
  return getElement(ops, transitionPointer, number, paddedKeys * paddedKeys,
                    ops.add(ops.mul(row, paddedKeys), col));
}

RecurrenceKernel::State RecurrenceKernel::startSegment(ThreadOps &ops,
                                                       Value column) {
  Fragments fragments(ops, lane);
  State state(paddedKeys / 8, fragments.zero());
  if (!isTransition)
    return state;
  for (auto [j, sum] : llvm::enumerate(state))
    for (int e = 0; e < 4; ++e) {
      Value row = ops.add(ops.add(transitionColumn, column),
                          fragments.getRow(e / 2)),
            col = ops.add(fragments.getCol(), 8 * j + e % 2);
      Value isOne =
          arith::AndIOp::create(ops.b, loc, isTransition,
                                ops.cmp(arith::CmpIPredicate::eq, row, col));
      sum[e] = ops.select(isOne, ops.f32(1), ops.f32(0));
    }
  return state;
}

LeftOperand RecurrenceKernel::writeNothing(ThreadOps &ops,
                                           LeftOperand operand) {
  if (isTransition)
    for (std::array<Value, 4> &part : operand.parts)
      for (Value &word : part)
        word = ops.select(isTransition, ops.i32(0), word);
  return operand;
}

/// The transition is the right operand, element by element from the cache.
RecurrenceKernel::State RecurrenceKernel::applyTransition(ThreadOps &ops,
                                                          const State &state,
                                                          Value other,
                                                          Value warp) {
  Fragments fragments(ops, lane);
  // One part would round the state at each segment.
  int64_t exact = std::max<int64_t>(parts, 2);
  State next;
  for (size_t j = 0; j < state.size(); ++j) {
    Sum &sum = next.emplace_back();
    for (int e = 0; e < 4; ++e)
      sum[e] = ops.load(ops.f32Type(),
                        getSegmentState(ops, other, warp, 4 * j + e), 4);
  }
  for (size_t i = 0; i < state.size(); i += 2) {
    LeftOperand left = fragments.pack(state[i], state[i + 1], exact);
    for (size_t j = 0; j < state.size(); ++j) {
      Value col = ops.add(ops.div(lane, 4), 8 * j);
      SmallVector<Value> words[2];
      for (int half : {0, 1}) {
        Value row = ops.add(fragments.getCol(), 8 * (i + half));
        Value x[2];
        for (int e : {0, 1})
          x[e] = ops.load(ops.f32Type(),
                          getTransition(ops, other, ops.add(row, e), col), 4);
        words[half] = fragments.split(x[0], x[1], exact);
      }
      RightOperand right;
      for (int64_t part = 0; part < exact; ++part)
        right.parts.push_back({words[0][part], words[1][part]});
      next[j] = fragments.multiply(next[j], left, right);
    }
  }
  return next;
}

/// What the segments before leave of a state, one after the other.
RecurrenceKernel::State
RecurrenceKernel::enterSegment(ThreadOps &ops, State state, Value warp) {
  SmallVector<Value> start;
  for (const Sum &sum : state)
    llvm::append_range(start, sum);
  SmallVector<Value> end = ops.loop(
      ops.i32(0), segment, ops.i32(1), start,
      [&](ThreadOps &o, Value other, ValueRange now) {
        Fragments fragments(o, lane);
        SmallVector<Value> results;
        if (op.erases()) {
          State entry(state.size());
          for (size_t i = 0; i < 4 * state.size(); ++i)
            entry[i / 4][i % 4] = now[i];
          for (const Sum &sum : applyTransition(o, entry, other, warp))
            llvm::append_range(results, sum);
          return results;
        }
        Value whole;
        if (hasDecay && !perKey)
          whole = o.load(o.f32Type(), getSegmentDecay(o, other, o.i32(0)), 4);
        for (size_t j = 0; j < state.size(); ++j) {
          Value factors[2] = {whole, whole};
          if (perKey)
            for (int i : {0, 1})
              factors[i] =
                  o.load(o.f32Type(),
                         getSegmentDecay(o, other,
                                         o.add(fragments.getCol(), 8 * j + i)),
                         4);
          for (int e = 0; e < 4; ++e) {
            Value written = o.load(
                o.f32Type(), getSegmentState(o, other, warp, 4 * j + e), 4);
            Value aged = now[4 * j + e];
            results.push_back(
                hasDecay ? Value(LLVM::FMAOp::create(o.b, loc, aged,
                                                     factors[e % 2], written))
                         : o.addf(aged, written));
          }
        }
        return results;
      });
  for (size_t i = 0; i < end.size(); ++i)
    state[i / 4][i % 4] = end[i];
  return state;
}

void RecurrenceKernel::leaveSegment(ThreadOps &ops, const State &state,
                                    ArrayRef<Value> decays, Value warp) {
  for (size_t i = 0; i < 4 * state.size(); ++i)
    ops.store(state[i / 4][i % 4], getSegmentState(ops, segment, warp, i), 4);
  if (isTransition) {
    ops.when(isTransition, [&](ThreadOps &in) {
      Fragments fragments(in, lane);
      for (auto [j, sum] : llvm::enumerate(state))
        for (int e = 0; e < 4; ++e) {
          Value channel = in.add(in.mul(warp, kTile), fragments.getRow(e / 2));
          Value row = in.add(transitionColumn, channel),
                col = in.add(fragments.getCol(), 8 * j + e % 2);
          // Channels beyond the block's are those of the next one.
          Value isIn = arith::AndIOp::create(in.b, loc,
                                             in.less(channel, in.i32(columns)),
                                             in.less(row, in.i32(paddedKeys)));
          Value safe = in.select(isIn, row, in.i32(0));
          in.storeWhere(isIn, sum[e], getTransition(in, segment, safe, col));
        }
    });
    return;
  }
  // The first lanes of the first warp have all key channels.
  Value isFirst = arith::AndIOp::create(
      ops.b, loc, ops.cmp(arith::CmpIPredicate::eq, warp, ops.i32(0)),
      ops.less(lane, ops.i32(perKey ? 4 : 1)));
  ops.when(isFirst, [&](ThreadOps &in) {
    Value col = perKey ? Fragments(in, lane).getCol() : in.i32(0);
    for (auto [i, decay] : llvm::enumerate(decays))
      in.store(decay,
               getSegmentDecay(in, segment, in.add(col, 8 * (i / 2) + i % 2)),
               4);
  });
}
