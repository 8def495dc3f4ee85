//===- RecurrenceKernel.cpp - One kernel for a recurrence -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceKernel.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

/// Key channels of which a thread of a state warp can hold its part.
static constexpr int64_t kMaxKeys = 256;
/// Warps that make tiles side by side, and slots that hide the memory's
/// latency.
static constexpr int64_t kMaxTokenWarps = 8, kMaxSlots = 16;

RecurrenceKernel::RecurrenceKernel(RecurrenceOp op, const KernelLimits &limits)
    : RecurrenceLaunch(op, limits) {}

RecurrenceKernel::RecurrenceKernel(RecurrenceOp op, const KernelLimits &limits,
                                   int64_t count)
    : RecurrenceKernel(op, limits) {
  makesStates = true;
  segments.count = count;
}

//===----------------------------------------------------------------------===//
// What is in reach
//===----------------------------------------------------------------------===//

bool RecurrenceKernel::isSupported(std::string &reason) {
  auto refuse = [&](const Twine &text) {
    reason = text.str();
    return false;
  };
  TransitionAttrInterface transition = op.getTransition();
  if (!transition.hasChunkForm(/*stabilized=*/op.getLogGate() != nullptr))
    return refuse("the transition has no form in products of chunks");
  if (op.getLogGate())
    return refuse("a running maximum is carried from token to token");
  if (!hasPlainTypes(reason))
    return false;
  if (keys > kMaxKeys)
    return refuse("the state has " + Twine(keys) + " key channels, more than " +
                  Twine(kMaxKeys));
  int64_t tokens = op.getAxisSize(kToken);
  if (!ShapedType::isDynamic(tokens) && tokens < kTile)
    return refuse("there are fewer than 16 tokens");
  if (op.getFinalState() && !op.getReadAxes().empty())
    return refuse("several queries share a final state");
  return true;
}

StateRead RecurrenceKernel::getRead(unsigned row) {
  return row < eraseRows ? *op.getEraseRead() : op.getRead();
}

/// Where everything lies in shared memory:
///
///   barriers | slots: copies, tiles, scores, factors | scratch of token warps
LogicalResult RecurrenceKernel::layoutSlots(std::string &reason) {
  parts = tiles->getParts();
  hasDecay = tiles->decay.has_value();
  perKey = hasDecay && op.getTransition().getTileAxes().value_or("") == "d";
  int64_t bytes = tiles->placeCopies(0);
  auto place = [&](int64_t cols) {
    TileLayout layout;
    layout.cols = cols;
    layout.parts = parts;
    int64_t offset = bytes;
    bytes += layout.getBytes();
    return offset;
  };
  auto placeOperands = [&](ArrayRef<TileOperand> operands, int64_t cols,
                           bool scaled, SmallVectorImpl<int64_t> &offsets) {
    for (const TileOperand &operand : operands)
      offsets.push_back(operand.direct && !scaled ? -1 : place(cols));
  };
  placeOperands(tiles->rows, paddedKeys, perKey, rowTiles);
  placeOperands(tiles->cols, paddedKeys, perKey, colTiles);
  placeOperands(tiles->values, paddedValues, false, valueTiles);
  placeOperands(tiles->inputs, paddedValues, false, inputTiles);
  eraseRows = op.erases() ? 1 : 0;
  for (unsigned row = 0; row < tiles->rows.size(); ++row)
    for (unsigned col = 0; col < tiles->cols.size(); ++col)
      scores.push_back({row, col, place(kTile)});
  auto placeNumbers = [&](int64_t count) {
    int64_t offset = bytes;
    bytes += 4 * llvm::alignTo(count, 4);
    return offset;
  };
  if (perKey) {
    factors.state = placeNumbers(paddedKeys);
  } else if (hasDecay) {
    for (unsigned row = 0; row < tiles->rows.size(); ++row)
      factors.head[row] = placeNumbers(kTile);
    factors.tail = placeNumbers(kTile);
    factors.state = placeNumbers(1);
  }
  slotBytes = llvm::alignTo(bytes, 16);
  stateWarps = paddedValues / kTile;

  // Scratch of a token warp.
  scratchBytes = 0;
  TileLayout block;
  block.cols = perKey ? 64 : paddedKeys;
  block.parts = parts;
  if (perKey)
    scratchBytes +=
        (tiles->rows.size() + tiles->cols.size()) * block.getBytes();
  if (tiles->bonus)
    scratchBytes += block.getBytes();
  if (op.erases())
    scratchBytes += kTile * 20 * 4;
  barrierBytes = 16 * kMaxSlots + 2 * kTile * 4;
  // Tiles that take long to make are made by more warps, one slot each: while
  // one waits for its copies, others work. Else a warp has copies ahead.
  int64_t evaluated =
      llvm::count_if(rowTiles, [](int64_t t) { return t >= 0; }) +
      llvm::count_if(colTiles, [](int64_t t) { return t >= 0; });
  bool isLong = op.erases() || (!perKey && evaluated > 1);
  for (tokenWarps = isLong ? kMaxTokenWarps : kMaxTokenWarps / 2;
       tokenWarps >= 1; tokenWarps /= 2) {
    int64_t room =
        limits.sharedBytes - barrierBytes - tokenWarps * scratchBytes;
    slots = std::min(kMaxSlots, room / slotBytes) / tokenWarps * tokenWarps;
    if (slots >= (isLong || tokenWarps == 1 ? 1 : 2) * tokenWarps)
      break;
  }
  if (tokenWarps < 1) {
    reason = "a tile needs " + std::to_string(slotBytes + scratchBytes) +
             " bytes of shared memory, and a block has " +
             std::to_string(limits.sharedBytes);
    return failure();
  }
  sharedBytes = barrierBytes + slots * slotBytes + tokenWarps * scratchBytes;
  if (32 * (tokenWarps + stateWarps) > 1024) {
    reason = "a block would have more than 1024 threads";
    return failure();
  }
  return success();
}

std::string RecurrenceKernel::describe() const {
  return llvm::formatv(
      "tiles of {0} tokens, {1} token and {2} state warps, {3} "
      "slots of {4} bytes, {5} bf16 for each operand, {6} segments",
      kTile, tokenWarps, stateWarps, slots, slotBytes, parts, segments.count);
}

//===----------------------------------------------------------------------===//
// The host's side
//===----------------------------------------------------------------------===//

/// The kernel, its operands and its schedule.
LogicalResult RecurrenceKernel::prepare(std::string &reason) {
  if (!isSupported(reason))
    return failure();
  bool isCut = !division && values > limits.valueColumns &&
               values % limits.valueColumns == 0;
  createKernel(makesStates ? "_segments" : "_recurrence",
               isCut ? limits.valueColumns : values);
  paddedKeys = llvm::alignTo(keys, kTile);
  paddedValues = llvm::alignTo(columns, kTile);
  if (!makesStates)
    segments.count = chooseSegments();
  int64_t transitionParts =
      makesStates && op.erases() ? llvm::divideCeil(paddedKeys, columns) : 0;
  segments.parts = values / columns + transitionParts;
  placeBlock(tiles->getBlockAxes(), segments.count, transitionParts);
  if (succeeded(tiles->prepare(reason, /*reads=*/!makesStates)) &&
      succeeded(layoutSlots(reason)))
    return success();
  kernel->erase();
  return failure();
}

void RecurrenceKernel::finish() {
  emitKernel();
  launchKernel(32 * (tokenWarps + stateWarps), sharedBytes);
}

LogicalResult RecurrenceKernel::launch(std::string &reason) {
  chooseOutput(/*knowsLogScale=*/false);
  if (failed(prepare(reason)))
    return failure();
  if (segments.count > 1) {
    RecurrenceKernel states(op, limits, segments.count);
    states.division = division;
    if (failed(states.launchSegments(reason, segments))) {
      kernel->erase();
      return failure();
    }
    segmentPointer = kernel->passPointer(segments.states);
    if (op.erases())
      transitionPointer = kernel->passPointer(segments.transitions);
    else
      decayPointer = kernel->passPointer(segments.decays);
  }
  // The last segment would write a state that the others begin with.
  createBuffers(/*inPlace=*/segments.count == 1);
  finish();
  replaceResults();
  return success();
}

//===----------------------------------------------------------------------===//
// The block
//===----------------------------------------------------------------------===//

void RecurrenceKernel::emitKernel() {
  OpBuilder &b = kernel->entry;
  ThreadOps ops(b, loc);
  ops.canSuspend = limits.canSuspend;
  Value thread = ops.toI32(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
  lane = ops.rem(thread, 32);
  // The same number for all lanes, as the compiler of PTX sees it too.
  Value warp = ops.shuffleFrom(ops.div(thread, 32), ops.i32(0));
  shared = kernel->getSharedMemory();
  placeTokens(ops);
  tileCount = ops.div(ops.add(count, kTile - 1), kTile);
  if (segments.count > 1)
    placeSegment(ops);

  // A slot is full when its token warp says so, empty when all state warps do:
  // every lane arrives, for what each has written or read.
  ops.when(ops.cmp(arith::CmpIPredicate::eq, thread, ops.i32(0)),
           [&](ThreadOps &first) {
             for (int64_t slot = 0; slot < slots; ++slot) {
               Value number = first.i32(slot);
               first.initBarrier(getFullBarrier(first, number), 32);
               first.initBarrier(getEmptyBarrier(first, number),
                                 32 * stateWarps);
             }
           });
  ops.syncBlock();
  Value isToken = ops.less(warp, ops.i32(tokenWarps));
  ops.when(isToken, [&](ThreadOps &own) { emitTokenWarp(own, warp); });
  Value isState = arith::XOrIOp::create(
      b, loc, isToken, arith::ConstantIntOp::create(b, loc, 1, 1));
  ops.when(isState, [&](ThreadOps &own) {
    emitStateWarp(own, own.sub(warp, own.i32(tokenWarps)));
  });
}

//===----------------------------------------------------------------------===//
// Shared memory before the slots
//===----------------------------------------------------------------------===//

Value RecurrenceKernel::getFullBarrier(ThreadOps &ops, Value slot) {
  return ops.advance(shared, ops.mul(slot, 8));
}

Value RecurrenceKernel::getEmptyBarrier(ThreadOps &ops, Value slot) {
  return ops.advance(shared, ops.add(ops.mul(slot, 8), 8 * kMaxSlots));
}

Value RecurrenceKernel::getExchange(ThreadOps &ops) {
  return ops.advance(shared, 16 * kMaxSlots);
}

//===----------------------------------------------------------------------===//
// Places in a slot
//===----------------------------------------------------------------------===//

SharedTile RecurrenceKernel::at(ThreadOps &ops, const TilePlace &place,
                                int64_t offset, int64_t cols) {
  TileLayout layout;
  layout.cols = cols;
  layout.parts = parts;
  return {layout, ops.advance(place.slot, offset)};
}

SharedTile RecurrenceKernel::getRows(ThreadOps &ops, const TilePlace &place,
                                     unsigned row) {
  return rowTiles[row] < 0 ? tiles->getCopy(ops, tiles->rows[row], place)
                           : at(ops, place, rowTiles[row], paddedKeys);
}

SharedTile RecurrenceKernel::getCols(ThreadOps &ops, const TilePlace &place,
                                     unsigned col) {
  return colTiles[col] < 0 ? tiles->getCopy(ops, tiles->cols[col], place)
                           : at(ops, place, colTiles[col], paddedKeys);
}

SharedTile RecurrenceKernel::getValues(ThreadOps &ops, const TilePlace &place,
                                       const TileOperand &operand,
                                       int64_t offset) {
  return offset < 0 ? tiles->getCopy(ops, operand, place)
                    : at(ops, place, offset, paddedValues);
}
