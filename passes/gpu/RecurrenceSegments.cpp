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

/// Segments, where states alone leave multiprocessors idle. An erasure makes
/// matrices of transitions, which do not compose that cheaply.
int64_t RecurrenceKernel::chooseSegments() {
  if (op.erases() || op.getCuSeqlens())
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
  return std::clamp<int64_t>(limits.multiprocessors /
                                 std::max<int64_t>(states, 1),
                             1, std::max<int64_t>(most, 1));
}

/// The states and decays of segments: f32 for each thread of the state warps
/// and for each key channel, of each block.
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
  segments.decays = createStates(paddedKeys);
  segmentPointer = kernel->passPointer(segments.states);
  decayPointer = kernel->passPointer(segments.decays);
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

/// The number of this block in the given segment, an i64.
static Value getBlockOf(ThreadOps &ops, Value block, Value segment,
                        Value other) {
  Value difference = ops.toIndex(ops.sub(other, segment));
  return arith::IndexCastOp::create(
      ops.b, ops.loc, ops.b.getI64Type(),
      arith::AddIOp::create(ops.b, ops.loc, block, difference));
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
  return getElement(ops, segmentPointer, getBlockOf(ops, block, segment, other),
                    paddedKeys * paddedValues, at);
}

Value RecurrenceKernel::getSegmentDecay(ThreadOps &ops, Value other,
                                        Value key) {
  return getElement(ops, decayPointer, getBlockOf(ops, block, segment, other),
                    paddedKeys, key);
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
