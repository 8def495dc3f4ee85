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
    : op(op), limits(limits), loc(op.getLoc()), keys(op.getAxisSize(kKey)),
      values(op.getAxisSize(kValue)) {}

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
  if (!op.getElementType().isF32())
    return refuse("the state is not f32");
  if (ShapedType::isDynamic(keys) || ShapedType::isDynamic(values))
    return refuse("the numbers of channels are not static");
  if (keys > kMaxKeys)
    return refuse("the state has " + Twine(keys) + " key channels, more than " +
                  Twine(kMaxKeys));
  int64_t tokens = op.getAxisSize(kToken);
  if (!ShapedType::isDynamic(tokens) && tokens < kTile)
    return refuse("there are fewer than 16 tokens");
  if (op.getBonus() && op.getKeys().empty())
    return refuse("a bonus without keys");
  for (Value result : {Value(op.getOutput()), Value(op.getFinalState())}) {
    if (!result)
      continue;
    for (const EinsumDim &dim : op.getAxes(result))
      if ((llvm::is_contained(dim, kValue) && dim.back() != kValue) ||
          (llvm::is_contained(dim, kToken) && dim.size() > 1))
        return refuse("channels or tokens share a dimension with other axes");
  }
  if (op.getFinalState() && !op.getReadAxes().empty())
    return refuse("several queries share a final state");
  return true;
}

/// The output may be divided and rounded as it leaves the kernel.
void RecurrenceKernel::chooseOutput() {
  stored = op.getOutput();
  auto onlyUser = [&](Value value) -> Operation * {
    return value.hasOneUse() ? *value.user_begin() : nullptr;
  };
  auto divide = dyn_cast_if_present<DivideByLastOp>(onlyUser(stored));
  if (divide && !divide.getLogScale() &&
      op.getAxes(stored)[divide.getDimension()] == EinsumDim{kValue}) {
    division = divide;
    stored = division.getResult();
  }
  auto round = dyn_cast_if_present<arith::TruncFOp>(onlyUser(stored));
  if (round &&
      cast<RankedTensorType>(round.getType()).getElementType().isBF16()) {
    narrowing = round;
    stored = narrowing.getResult();
  }
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

Value RecurrenceKernel::createBuffer(RankedTensorType type,
                                     const EinsumOperand &axes) {
  OpBuilder &b = kernel->host;
  SmallVector<Value> dynamic;
  for (auto [i, dim] : llvm::enumerate(axes)) {
    if (!type.isDynamicDim(i))
      continue;
    OpFoldResult size = b.getIndexAttr(1);
    AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
    for (char axis : dim) {
      OpFoldResult own =
          axis == kSegment
              ? affine::makeComposedFoldedAffineApply(
                    b, loc, d0 - 1,
                    {tensor::getMixedSize(b, loc, op.getCuSeqlens(), 0)})
              : tiles->getSize(axis);
      size = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0 * d1), {size, own});
    }
    dynamic.push_back(getValueOrCreateConstantIndexOp(b, loc, size));
  }
  return memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), dynamic);
}

/// The kernel, its operands and its schedule.
LogicalResult RecurrenceKernel::prepare(std::string &reason) {
  if (!isSupported(reason))
    return failure();
  inParts = !division && values > limits.valueColumns &&
            values % limits.valueColumns == 0;
  int64_t columns = inParts ? limits.valueColumns : values;
  paddedKeys = llvm::alignTo(keys, kTile);
  paddedValues = llvm::alignTo(columns, kTile);
  auto function = op->getParentOfType<FunctionOpInterface>();
  kernel = std::make_unique<KernelBuilder>(
      op->getParentOfType<ModuleOp>(),
      (function.getName() + (makesStates ? "_segments" : "_recurrence")).str(),
      op);
  tiles = std::make_unique<RecurrenceTiles>(op, *kernel, columns);
  if (!makesStates)
    segments.count = chooseSegments();
  placeBlock();
  if (succeeded(tiles->prepare(reason, /*reads=*/!makesStates)) &&
      succeeded(layoutSlots(reason)))
    return success();
  kernel->erase();
  return failure();
}

/// The rest of the kernel, and its launch.
void RecurrenceKernel::finish() {
  emitKernel();
  // Nothing is left of the templates.
  Block &entry = kernel->getFunction().getBody().front();
  for (Operation &inner : llvm::make_early_inc_range(llvm::reverse(entry)))
    if (isOpTriviallyDead(&inner) ||
        (isa<UnrealizedConversionCastOp>(inner) && inner.use_empty()))
      inner.erase();
  kernel->launch(getValueOrCreateConstantIndexOp(kernel->host, loc, blocks),
                 32 * (tokenWarps + stateWarps), sharedBytes);
}

LogicalResult RecurrenceKernel::launch(std::string &reason) {
  chooseOutput();
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
    decayPointer = kernel->passPointer(segments.decays);
  }
  outputs.output = createBuffer(cast<RankedTensorType>(stored.getType()),
                                op.getAxes(op.getOutput()));
  outputPointer = kernel->passPointer(outputs.output);
  if (Value state = op.getFinalState()) {
    outputs.state = createBuffer(cast<RankedTensorType>(state.getType()),
                                 op.getAxes(state));
    statePointer = kernel->passPointer(outputs.state);
  }
  if (Value initial = op.getInitialState())
    initialPointer = kernel->passPointer(initial);
  finish();
  auto read = [&](Value buffer, Value result) {
    auto tensor = bufferization::ToTensorOp::create(
        kernel->host, loc, result.getType(), buffer, /*restrict=*/true,
        /*writable=*/true);
    result.replaceAllUsesWith(tensor.getResult());
  };
  read(outputs.output, stored);
  if (outputs.state)
    read(outputs.state, op.getFinalState());
  if (narrowing)
    narrowing->erase();
  if (division)
    division->erase();
  op->erase();
  return success();
}

//===----------------------------------------------------------------------===//
// The block
//===----------------------------------------------------------------------===//

/// The index of a block is that of its state and, fastest, of its part of the
/// value channels: parts read the same keys.
void RecurrenceKernel::placeBlock() {
  OpBuilder &h = kernel->host, &b = kernel->entry;
  SmallVector<std::pair<char, OpFoldResult>> axes = tiles->getBlockAxes();
  AffineExpr d0 = h.getAffineDimExpr(0), d1 = h.getAffineDimExpr(1);
  if (op.getCuSeqlens())
    axes.push_back(
        {kSegment, affine::makeComposedFoldedAffineApply(
                       h, loc, d0 - 1,
                       {tensor::getMixedSize(h, loc, op.getCuSeqlens(), 0)})});
  if (inParts)
    axes.push_back({kValue, h.getIndexAttr(values / limits.valueColumns)});
  blocks = h.getIndexAttr(segments.count);
  Value rest = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  block = rest;
  ThreadOps ops(b, loc);
  if (segments.count > 1) {
    Value count = ops.index(segments.count);
    segment = ops.toI32(arith::RemUIOp::create(b, loc, rest, count));
    rest = arith::DivUIOp::create(b, loc, rest, count);
  }
  for (auto [axis, size] : llvm::reverse(axes)) {
    blocks = affine::makeComposedFoldedAffineApply(
        h, loc, AffineMap::get(2, 0, d0 * d1), {blocks, size});
    Value count = getValueOrCreateConstantIndexOp(b, loc, kernel->pass(size));
    Value index = arith::RemUIOp::create(b, loc, rest, count);
    rest = arith::DivUIOp::create(b, loc, rest, count);
    if (axis == kValue)
      index =
          arith::MulIOp::create(b, loc, index, ops.index(limits.valueColumns));
    tiles->setPlace(axis, index);
  }
}

void RecurrenceKernel::emitKernel() {
  OpBuilder &b = kernel->entry;
  ThreadOps ops(b, loc);
  ops.canSuspend = limits.canSuspend;
  Value thread = ops.toI32(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
  lane = ops.rem(thread, 32);
  // The same number for all lanes, as the compiler of PTX sees it too.
  Value warp = ops.shuffleFrom(ops.div(thread, 32), ops.i32(0));
  shared = kernel->getSharedMemory();
  // The tokens of the block.
  if (Value bounds = op.getCuSeqlens()) {
    Value pointer = kernel->passPointer(bounds);
    auto type = cast<RankedTensorType>(bounds.getType()).getElementType();
    auto bound = [&](int64_t next) {
      llvm::SmallDenseMap<char, Value> at;
      Value address =
          tiles->getAddress(ops, pointer, bounds, {EinsumDim{kSegment}}, at);
      address = ops.advance(address, next * type.getIntOrFloatBitWidth() / 8);
      Value number = ops.load(type, address, 0, /*invariant=*/true);
      return Value(
          arith::IndexCastOp::create(b, loc, b.getIndexType(), number));
    };
    lo = bound(0);
    Value hi = bound(1);
    count = ops.toI32(arith::SubIOp::create(b, loc, hi, lo));
  } else {
    lo = ops.index(0);
    count = ops.toI32(getValueOrCreateConstantIndexOp(
        b, loc, kernel->pass(tiles->getSize(kToken))));
  }
  tileCount = ops.div(ops.add(count, kTile - 1), kTile);
  if (segments.count > 1)
    placeSegment(ops);

  // A slot is full when its token warp says so, empty when all state warps do.
  ops.when(ops.cmp(arith::CmpIPredicate::eq, thread, ops.i32(0)),
           [&](ThreadOps &first) {
             for (int64_t slot = 0; slot < slots; ++slot) {
               Value number = first.i32(slot);
               first.initBarrier(getFullBarrier(first, number), 1);
               first.initBarrier(getEmptyBarrier(first, number), stateWarps);
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
