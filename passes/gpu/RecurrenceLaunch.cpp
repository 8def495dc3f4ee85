//===- RecurrenceLaunch.cpp - The host's side of a recurrence -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceLaunch.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/Passes.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

RecurrenceLaunch::RecurrenceLaunch(RecurrenceOp op, const KernelLimits &limits)
    : op(op), limits(limits), loc(op.getLoc()), keys(op.getAxisSize(kKey)),
      values(op.getAxisSize(kValue)) {}

bool RecurrenceLaunch::hasPlainTypes(std::string &reason) {
  auto refuse = [&](const Twine &text) {
    reason = text.str();
    return false;
  };
  if (!op.getElementType().isF32())
    return refuse("the state is not f32");
  if (ShapedType::isDynamic(keys) || ShapedType::isDynamic(values))
    return refuse("the numbers of channels are not static");
  if (op.getBonus() && op.getKeys().empty())
    return refuse("a bonus without keys");
  for (Value result : op->getResults())
    for (const EinsumDim &dim : op.getAxes(result))
      if ((llvm::is_contained(dim, kValue) && dim.back() != kValue) ||
          (llvm::is_contained(dim, kToken) && dim.size() > 1))
        return refuse("channels or tokens share a dimension with other axes");
  return true;
}

void RecurrenceLaunch::chooseOutput(bool knowsLogScale) {
  stored = op.getOutput();
  auto onlyUser = [&](Value value) -> Operation * {
    return value.hasOneUse() ? *value.user_begin() : nullptr;
  };
  auto divide = dyn_cast_if_present<DivideByLastOp>(onlyUser(stored));
  Value scale = divide ? divide.getLogScale() : Value();
  if (divide && (!scale || (knowsLogScale && scale == op.getLogScale())) &&
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

void RecurrenceLaunch::createKernel(StringRef suffix, int64_t valueColumns) {
  columns = valueColumns;
  inParts = columns < values;
  auto function = op->getParentOfType<FunctionOpInterface>();
  kernel = std::make_unique<KernelBuilder>(
      op->getParentOfType<ModuleOp>(), (function.getName() + suffix).str(), op);
  tiles = std::make_unique<RecurrenceTiles>(op, *kernel, columns);
}

void RecurrenceLaunch::placeBlock(
    ArrayRef<std::pair<char, OpFoldResult>> blockAxes, int64_t segmentCount,
    int64_t transitionParts) {
  OpBuilder &h = kernel->host, &b = kernel->entry;
  auto axes = llvm::to_vector(blockAxes);
  AffineExpr d0 = h.getAffineDimExpr(0), d1 = h.getAffineDimExpr(1);
  if (op.getCuSeqlens())
    axes.push_back(
        {kSegment, affine::makeComposedFoldedAffineApply(
                       h, loc, d0 - 1,
                       {tensor::getMixedSize(h, loc, op.getCuSeqlens(), 0)})});
  int64_t valueParts = values / columns;
  if (valueParts + transitionParts > 1)
    axes.push_back({kValue, h.getIndexAttr(valueParts + transitionParts)});
  blocks = h.getIndexAttr(segmentCount);
  Value rest = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  block = rest;
  ThreadOps ops(b, loc);
  if (segmentCount > 1) {
    Value size = ops.index(segmentCount);
    segment = ops.toI32(arith::RemUIOp::create(b, loc, rest, size));
    rest = arith::DivUIOp::create(b, loc, rest, size);
  }
  for (auto [axis, size] : llvm::reverse(axes)) {
    blocks = affine::makeComposedFoldedAffineApply(
        h, loc, AffineMap::get(2, 0, d0 * d1), {blocks, size});
    Value extent = getValueOrCreateConstantIndexOp(b, loc, kernel->pass(size));
    Value index = arith::RemUIOp::create(b, loc, rest, extent);
    rest = arith::DivUIOp::create(b, loc, rest, extent);
    if (axis == kValue) {
      if (transitionParts > 0) {
        Value number = ops.toI32(index), first = ops.i32(valueParts);
        isTransition = ops.cmp(arith::CmpIPredicate::sge, number, first);
        transitionColumn = ops.mul(ops.sub(number, first), columns);
        index = ops.select(isTransition, ops.index(0), index);
      }
      index = arith::MulIOp::create(b, loc, index, ops.index(columns));
    }
    tiles->setPlace(axis, index);
  }
}

void RecurrenceLaunch::placeTokens(ThreadOps &ops) {
  OpBuilder &b = ops.b;
  Value bounds = op.getCuSeqlens();
  if (!bounds) {
    lo = ops.index(0);
    count = ops.toI32(getValueOrCreateConstantIndexOp(
        b, loc, kernel->pass(tiles->getSize(kToken))));
    return;
  }
  Value pointer = kernel->passPointer(bounds);
  auto type = cast<RankedTensorType>(bounds.getType()).getElementType();
  auto bound = [&](int64_t next) {
    llvm::SmallDenseMap<char, Value> at;
    Value address =
        tiles->getAddress(ops, pointer, bounds, {EinsumDim{kSegment}}, at);
    address = ops.advance(address, next * type.getIntOrFloatBitWidth() / 8);
    Value number = ops.load(type, address, 0, /*invariant=*/true);
    return Value(arith::IndexCastOp::create(b, loc, b.getIndexType(), number));
  };
  lo = bound(0);
  Value hi = bound(1);
  count = ops.toI32(arith::SubIOp::create(b, loc, hi, lo));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

Value RecurrenceLaunch::createBuffer(Value result, RankedTensorType type) {
  OpBuilder &b = kernel->host;
  SmallVector<Value> dynamic;
  for (auto [i, dim] : llvm::enumerate(op.getAxes(result))) {
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

/// A state that the caller gives to be updated, and that nothing else reads, is
/// its own buffer.
Value RecurrenceLaunch::createState(Value result, Value initial, bool inPlace) {
  if (!result)
    return nullptr;
  auto type = cast<RankedTensorType>(result.getType());
  auto argument = dyn_cast_if_present<BlockArgument>(initial);
  auto function = op->getParentOfType<FunctionOpInterface>();
  if (!inPlace || !argument || !argument.hasOneUse() ||
      argument.getOwner()->getParentOp() != function ||
      !function.getArgAttr(argument.getArgNumber(), kStateAttrName) ||
      initial.getType() != type || op.getAxes(initial) != op.getAxes(result))
    return createBuffer(result, type);
  updated[result] = initial;
  return bufferization::ToBufferOp::create(
      kernel->host, loc,
      MemRefType::get(type.getShape(), type.getElementType()), initial);
}

void RecurrenceLaunch::createBuffers(bool inPlace) {
  outputs.output =
      createBuffer(op.getOutput(), cast<RankedTensorType>(stored.getType()));
  outputPointer = kernel->passPointer(outputs.output);
  if (op.getLogScale() && !op.getLogScale().use_empty() &&
      !(division && division.getLogScale() && op.getLogScale().hasOneUse())) {
    outputs.logScale = createBuffer(
        op.getLogScale(), cast<RankedTensorType>(op.getLogScale().getType()));
    logScalePointer = kernel->passPointer(outputs.logScale);
  }
  auto pass = [&](Value result, Value initial, Value &buffer, Value &pointer,
                  Value &initialPointer) {
    buffer = createState(result, initial, inPlace);
    if (buffer)
      pointer = kernel->passPointer(buffer);
    if (initial)
      initialPointer =
          updated.contains(result) ? pointer : kernel->passPointer(initial);
  };
  pass(op.getFinalState(), op.getInitialState(), outputs.state, statePointer,
       initialPointer);
  pass(op.getFinalMax(), op.getInitialMax(), outputs.max, maxPointer,
       initialMaxPointer);
}

Value RecurrenceLaunch::getDivisor(ThreadOps &ops, Value den, Value logScale) {
  OpBuilder &b = ops.b;
  if (std::optional<APFloat> floor = division.getFloor()) {
    Value least = ops.f32(floor->convertToDouble());
    if (logScale)
      least = ops.mulf(
          least,
          math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, logScale)));
    den = arith::MaximumFOp::create(b, loc, math::AbsFOp::create(b, loc, den),
                                    least);
  }
  double eps = division.getEps().convertToDouble();
  return eps != 0 ? ops.addf(den, ops.f32(eps)) : den;
}

Value RecurrenceLaunch::divideOrZero(ThreadOps &ops, Value x, Value by) {
  Value isZero = arith::CmpFOp::create(
      ops.b, ops.loc, arith::CmpFPredicate::OEQ, by, ops.f32(0));
  return ops.select(isZero, ops.f32(0), ops.divf(x, by));
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

void RecurrenceLaunch::launchKernel(int64_t threads, int64_t sharedBytes) {
  kernel->launch(getValueOrCreateConstantIndexOp(kernel->host, loc, blocks),
                 threads, sharedBytes);
}

void RecurrenceLaunch::replaceResults() {
  OpBuilder &b = kernel->host;
  auto read = [&](Value buffer, Value result) {
    if (!buffer)
      return;
    Value tensor = bufferization::ToTensorOp::create(
        b, loc, result.getType(), buffer, /*restrict=*/true, /*writable=*/true);
    // What says that the state is the caller's after updates: a copy of a
    // buffer onto itself.
    if (Value state = updated.lookup(result))
      tensor = bufferization::MaterializeInDestinationOp::create(
                   b, loc, tensor.getType(), tensor, state)
                   .getResult();
    result.replaceAllUsesWith(tensor);
  };
  // The scale may have been read by the division alone.
  read(outputs.state, op.getFinalState());
  read(outputs.max, op.getFinalMax());
  read(outputs.output, stored);
  if (narrowing)
    narrowing->erase();
  if (division)
    division->erase();
  read(outputs.logScale, op.getLogScale());
  op->erase();
}
