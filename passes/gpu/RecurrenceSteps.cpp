//===- RecurrenceSteps.cpp - A kernel that walks token by token -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceSteps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue;

/// Elements of the state in a thread's registers: as many as hide the memory's
/// latency, or few where there are few blocks and each waits for its warps.
static constexpr int64_t kMaxElements = 64, kFewElements = 16;
/// Up to so many key channels are a thread's: no sum crosses threads.
static constexpr int64_t kOwnKeys = 16;
/// Queries that share a state and are read in turn.
static constexpr int64_t kMaxQueries = 16;
/// Tokens whose operands are evaluated together.
static constexpr int64_t kMaxTokens = 16;

RecurrenceSteps::RecurrenceSteps(RecurrenceOp op, const KernelLimits &limits)
    : RecurrenceLaunch(op, limits) {}

//===----------------------------------------------------------------------===//
// What is in reach
//===----------------------------------------------------------------------===//

/// The axes of a decay as far as its operand has them.
RecurrenceSteps::Along RecurrenceSteps::getDecayAxes() {
  StringRef axes = op.getTransition().getTileAxes().value_or("");
  Value operand = op.getTransitionOperand();
  auto varies = [&](char axis) {
    return axes.contains(axis) && op.hasAxis(operand, axis) &&
           op.getAxisSize(axis) > 1;
  };
  if (varies(kValue))
    return Along::Values;
  return varies(kKey) ? Along::Keys : Along::Number;
}

/// Whether each element of the state decays by itself.
bool RecurrenceSteps::hasElementDecays() {
  Value operand = op.getTransitionOperand();
  return operand && getDecayAxes() == Along::Values && keys > 1 &&
         op.hasAxis(operand, kKey);
}

bool RecurrenceSteps::isSupported(std::string &reason) {
  auto refuse = [&](const Twine &text) {
    reason = text.str();
    return false;
  };
  if (!hasPlainTypes(reason))
    return false;
  if (op.getTransitionOperand() && !op.getTransition().isLogDecay())
    return refuse("the transition is no decay");
  bool maxPerValue = op.getLogGate() && op.hasAxis(op.getLogGate(), kValue);
  if (op.getLogGate()) {
    if (op.erases())
      return refuse("an erasure with a running maximum");
    if (op.getTransitionOperand() &&
        (hasElementDecays() ||
         (getDecayAxes() != Along::Number &&
          (getDecayAxes() == Along::Keys || !maxPerValue))))
      return refuse("a running maximum of decays of several channels");
  }
  if (op.getBonus() && op.hasAxis(op.getBonus(), kValue) &&
      op.hasAxis(op.getBonus(), kKey) && keys > 1)
    return refuse("a bonus for each element of the state");
  return true;
}

/// Value channels of a block: few enough to fill the device.
void RecurrenceSteps::chooseColumns() {
  int64_t most = keys > kOwnKeys ? 64 : 128, least = 32, count = values;
  if (!division)
    while (count > most && count % 2 == 0)
      count /= 2;
  createKernel("_steps", count);
  int64_t blocksOf = 1;
  for (auto [axis, size] : tiles->getBlockAxes())
    blocksOf *= getConstantIntValue(size).value_or(limits.multiprocessors);
  elements = blocksOf * (values / count) > limits.multiprocessors
                 ? kMaxElements
                 : kFewElements;
  int64_t cut = count;
  while (!division && cut > least && cut % 2 == 0 &&
         blocksOf * (values / cut) < limits.multiprocessors)
    cut /= 2;
  if (cut == count)
    return;
  kernel->erase();
  createKernel("_steps", cut);
}

LogicalResult RecurrenceSteps::stage(Value value, Along along,
                                     SmallVectorImpl<unsigned> &to,
                                     std::string &reason) {
  if (!value)
    return success();
  char axis = along == Along::Keys ? kKey : along == Along::Values ? kValue : 0;
  int64_t cols = along == Along::Keys     ? keys
                 : along == Along::Values ? columns
                                          : 1;
  SmallVector<TileOperand, 1> operand;
  if (failed(tiles->addOperand(value, kToken, tokens, axis, cols, operand,
                               reason)))
    return failure();
  to.push_back(staged.size());
  staged.push_back({operand.front(), along, 0, cols});
  return success();
}

LogicalResult RecurrenceSteps::addOperands(std::string &reason) {
  // 1. The queries that share the state, one operand each.
  SmallVector<std::pair<char, int64_t>> shared;
  int64_t count = 1;
  for (char axis : op.getReadAxes()) {
    int64_t size =
        getConstantIntValue(tiles->getSize(axis)).value_or(kMaxQueries + 1);
    shared.push_back({axis, size});
    count = std::min(count, kMaxQueries + 1) * size;
  }
  if (count > kMaxQueries) {
    reason =
        "more than " + std::to_string(kMaxQueries) + " queries share a state";
    return failure();
  }
  if (count > 1 && op.getLogScale() && !op.getLogScale().use_empty()) {
    reason = "several queries share a running maximum";
    return failure();
  }
  ThreadOps ops(kernel->entry, loc);
  for (int64_t i = 0; i < count; ++i) {
    llvm::SmallDenseMap<char, int64_t> &place = queryPlaces.emplace_back();
    int64_t rest = i;
    for (auto [axis, size] : llvm::reverse(shared)) {
      place[axis] = rest % size;
      tiles->setPlace(axis, ops.index(rest % size));
      rest /= size;
    }
    if (failed(stage(op.getQuery(), Along::Keys, queries, reason)))
      return failure();
  }
  // 2. All others.
  for (auto [k, v] : llvm::zip_equal(op.getKeys(), op.getValues()))
    if (failed(stage(k, Along::Keys, writtenKeys, reason)) ||
        failed(stage(v, Along::Values, writtenValues, reason)))
      return failure();
  Value logGate = op.getLogGate(), factors = op.getBonus();
  if (failed(stage(op.getEraseQuery(), Along::Keys, eraseQuery, reason)) ||
      failed(stage(op.getEraseKey(), Along::Keys, eraseKey, reason)) ||
      failed(stage(op.getEraseInput(), Along::Values, eraseInput, reason)) ||
      failed(stage(factors,
                   factors && op.hasAxis(factors, kValue) ? Along::Values
                                                          : Along::Keys,
                   bonus, reason)) ||
      failed(stage(logGate,
                   logGate && op.hasAxis(logGate, kValue) ? Along::Values
                                                          : Along::Number,
                   gate, reason)))
    return failure();
  Value operand = op.getTransitionOperand();
  if (!operand)
    return success();
  if (hasElementDecays())
    return tiles->addOperand(operand, kKey, keys, kValue, columns,
                             elementDecays, reason);
  if (failed(stage(operand, getDecayAxes(), decay, reason)))
    return failure();
  staged[decay[0]].isLogFactor = !logGate;
  return success();
}

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceSteps::layoutThreads(std::string &reason) {
  // Neighbours of a thread are loaded and stored together, unless a thread has
  // all rows of a channel.
  bool ownsRows = keys <= kOwnKeys;
  width = ownsRows || columns % 2 ? 1 : columns % 4 ? 2 : 4;
  int64_t units = llvm::divideCeil(columns, width);
  lanes = std::min<int64_t>(ownsRows ? 128 : 32, llvm::PowerOf2Ceil(units));
  perLane = llvm::divideCeil(units, lanes);
  int64_t perRow = width * perLane;
  groups = ownsRows
               ? 1
               : llvm::PowerOf2Ceil(llvm::divideCeil(keys * perRow, elements));
  // Whole warps.
  if (!ownsRows && groups * lanes < 32)
    groups = 32 / lanes;
  groups = std::min<int64_t>(groups, 1024 / lanes);
  rows = llvm::divideCeil(keys, groups);
  if (groups > 1)
    rows = llvm::alignTo(rows, 4);
  threads = std::max<int64_t>(groups * lanes, 32);
  if (threads > 1024 || rows * perRow > 4 * kMaxElements) {
    reason = llvm::formatv("a state of {0} by {1} channels is more than the "
                           "registers of a block",
                           keys, columns);
    return failure();
  }
  // Shared memory: sums of warps, twice, and the staged operands.
  sumsCross = groups * lanes > 32 && groups > 1;
  int64_t warps = sumsCross ? threads / 32 : 1;
  sumBytes =
      sumsCross || division ? warps * 4 * llvm::alignTo(lanes * perRow, 4) : 0;
  int64_t bytes = 2 * sumBytes;
  for (Staged &operand : staged) {
    operand.offset = bytes;
    int64_t cols = operand.along == Along::Number ? 1
                   : operand.along == Along::Keys
                       ? llvm::alignTo(groups * rows, 4)
                       : llvm::alignTo(lanes * perRow, 4);
    operand.operand.padded = cols;
    bytes += llvm::alignTo(tokens * cols * 4, 16);
  }
  sharedBytes = bytes;
  if (sharedBytes > limits.sharedBytes) {
    reason = "the operands of " + std::to_string(tokens) + " tokens need " +
             std::to_string(sharedBytes) +
             " bytes of shared memory, and a block has " +
             std::to_string(limits.sharedBytes);
    return failure();
  }
  return success();
}

std::string RecurrenceSteps::describe() const {
  return llvm::formatv(
      "steps of a token, {0} threads of {1} by {2} elements of "
      "the state, {3} tokens evaluated at once",
      threads, rows, width * perLane, tokens);
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceSteps::launch(std::string &reason) {
  if (!isSupported(reason))
    return failure();
  chooseOutput(/*knowsLogScale=*/true);
  int64_t all = op.getAxisSize(kToken);
  tokens = ShapedType::isDynamic(all) ? kMaxTokens
                                      : std::clamp<int64_t>(all, 1, kMaxTokens);
  chooseColumns();
  tiles = std::make_unique<RecurrenceTiles>(op, *kernel, columns, tokens);
  SmallVector<std::pair<char, OpFoldResult>> axes;
  for (char axis : op.getStateAxes())
    axes.push_back({axis, tiles->getSize(axis)});
  placeBlock(axes, /*segmentCount=*/1);
  if (failed(addOperands(reason)) || failed(layoutThreads(reason))) {
    kernel->erase();
    return failure();
  }
  // Parts of the value channels share a maximum.
  bool sharesMax =
      inParts && op.getFinalMax() && !op.hasAxis(op.getFinalMax(), kValue);
  createBuffers(/*inPlace=*/!sharesMax);
  emitKernel();
  launchKernel(threads, sharedBytes);
  replaceResults();
  return success();
}

//===----------------------------------------------------------------------===//
// The block
//===----------------------------------------------------------------------===//

void RecurrenceSteps::emitKernel() {
  OpBuilder &b = kernel->entry;
  ThreadOps ops(b, loc);
  ops.canSuspend = limits.canSuspend;
  thread = ops.toI32(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
  lane = ops.rem(thread, 32);
  warp = threads == 32 ? ops.i32(0)
                       : ops.shuffleFrom(ops.div(thread, 32), ops.i32(0));
  column = ops.rem(thread, lanes);
  group = groups == 1 ? ops.i32(0) : ops.div(thread, lanes);
  shared = kernel->getSharedMemory();
  placeTokens(ops);
  State state = loadState(ops);
  if (!elementDecays.empty() &&
      !op.hasAxis(op.getTransitionOperand(), kToken)) {
    TilePlace place{lo, ops.i32(1), shared};
    constantFactors = readElements(ops, place);
  }
  storeState(ops, emitTokens(ops, state));
}

/// Tokens in tiles: their operands are evaluated, then each is a step.
RecurrenceSteps::State RecurrenceSteps::emitTokens(ThreadOps &ops,
                                                   const State &entry) {
  auto flatten = [](const State &state) {
    SmallVector<Value> all(state.elements);
    llvm::append_range(all, state.max);
    return all;
  };
  auto restore = [&](ValueRange all) {
    State state;
    llvm::append_range(state.elements, all.take_front(entry.elements.size()));
    llvm::append_range(state.max, all.drop_front(entry.elements.size()));
    return state;
  };
  Value tileCount = ops.div(ops.add(count, tokens - 1), tokens);
  auto tileBody = [&](ThreadOps &o, Value tile, ValueRange carried) {
    Value first = o.mul(tile, tokens);
    TilePlace place;
    place.token = arith::AddIOp::create(o.b, loc, lo, o.toIndex(first));
    place.valid =
        arith::MinSIOp::create(o.b, loc, o.sub(count, first), o.i32(tokens));
    for (auto [i, operand] : llvm::enumerate(staged))
      evaluate(o, operand, i, place);
    o.syncBlock();
    auto stepBody = [&](ThreadOps &in, Value row, ValueRange now) {
      return flatten(emitStep(in, {place, row}, restore(now)));
    };
    SmallVector<Value> next = o.loop(o.i32(0), place.valid, o.i32(1),
                                     SmallVector<Value>(carried), stepBody);
    // The next tile is evaluated where this one was.
    if (getConstantIntValue(tiles->getSize(kToken)) != tokens)
      o.syncBlock();
    return next;
  };
  return restore(
      ops.loop(ops.i32(0), tileCount, ops.i32(1), flatten(entry), tileBody));
}

/// Rows of tokens, a warp each; operands begin with different warps.
void RecurrenceSteps::evaluate(ThreadOps &ops, const Staged &staged,
                               unsigned number, const TilePlace &place) {
  Value base = ops.advance(shared, staged.offset);
  auto finish = [&](ThreadOps &o, Value x) {
    return staged.isLogFactor ? Value(math::ExpOp::create(o.b, loc, x)) : x;
  };
  LaneColumns columnsOf;
  if (staged.along == Along::Number) {
    columnsOf.first = ops.i32(0);
    columnsOf.lanes = 1;
    ops.when(ops.less(thread, place.valid), [&](ThreadOps &in) {
      tiles->forgetRows();
      Value x = tiles->emitInside(in, staged.operand, place, thread, in.i32(0),
                                  columnsOf)[0];
      in.store(finish(in, x), in.advance(base, in.mul(thread, 4)), 4);
    });
    tiles->forgetRows();
    return;
  }
  constexpr int64_t kWidth = 4;
  int64_t padded = staged.operand.padded, warps = threads / 32;
  columnsOf.width = kWidth;
  columnsOf.first = ops.mul(lane, kWidth);
  Value from = ops.rem(ops.add(warp, number % warps), warps);
  ops.loop(from, place.valid, ops.i32(warps), ValueRange(),
           [&](ThreadOps &o, Value row, ValueRange) {
             tiles->forgetRows();
             for (int64_t first = 0; first < padded; first += 32 * kWidth) {
               Value col = o.add(columnsOf.first, first);
               SmallVector<Value> values = tiles->emitInside(
                   o, staged.operand, place, row, col, columnsOf);
               Value vector = LLVM::UndefOp::create(
                   o.b, loc, VectorType::get({kWidth}, o.f32Type()));
               for (auto [i, x] : llvm::enumerate(values)) {
                 Value y = finish(o, x);
                 if (staged.cols % (32 * kWidth) != 0)
                   y = o.select(o.less(o.add(col, i), o.i32(staged.cols)), y,
                                o.f32(0));
                 vector = LLVM::InsertElementOp::create(o.b, loc, vector, y,
                                                        o.i32(i));
               }
               auto store = [&](ThreadOps &in) {
                 Value at = in.add(in.mul(row, padded), col);
                 in.store(vector, in.advance(base, in.mul(at, 4)), 16);
               };
               if (first + 32 * kWidth <= padded)
                 store(o);
               else
                 o.when(o.less(col, o.i32(padded)), store);
             }
             return SmallVector<Value>();
           });
  tiles->forgetRows();
}
