//===- RecurrenceTiles.cpp - What a kernel of a recurrence reads ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

RecurrenceTiles::RecurrenceTiles(RecurrenceOp op, KernelBuilder &kernel,
                                 int64_t valueColumns, int64_t tokens)
    : KernelTiles(kernel, op.getLoc(), tokens), op(op),
      keys(op.getAxisSize(kKey)), valueColumns(valueColumns) {
  for (auto [axes, operand] :
       llvm::zip_equal(op.getAxesOfOperands(), op->getOperands()))
    if (operand != op.getCuSeqlens())
      named.push_back({axes, operand});
}

OpFoldResult RecurrenceTiles::getSize(char axis) {
  auto [it, isNew] = sizes.try_emplace(axis);
  if (isNew)
    it->second = getAxisSize(kernel.host, loc, emitter, named, axis);
  return it->second;
}

SmallVector<std::pair<char, OpFoldResult>> RecurrenceTiles::getBlockAxes() {
  SmallVector<std::pair<char, OpFoldResult>> axes;
  for (char axis : op.getStateAxes())
    axes.push_back({axis, getSize(axis)});
  // Queries that share a state are blocks of their own.
  for (char axis : op.getReadAxes())
    axes.push_back({axis, getSize(axis)});
  return axes;
}

void RecurrenceTiles::setPlace(char axis, Value index) {
  indices[axis] = index;
  places.ranges[axis].offset = OpFoldResult(index);
  if (axis != kValue)
    places.sizes[axis] = kernel.pass(getSize(axis));
}

//===----------------------------------------------------------------------===//
// Templates
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceTiles::addOperand(Value value, char row, int64_t rows,
                                          char col, int64_t cols,
                                          SmallVectorImpl<TileOperand> &to,
                                          std::string &reason) {
  AxisPlaces sized = places;
  sized.ranges[kToken].offset = OpFoldResult(getToken());
  for (auto [axis, size] : {std::pair(row, rows), std::pair(col, cols)})
    if (axis)
      sized.ranges[axis].size = size;
  EinsumOperand axes = op.getAxes(value);
  return addTile(
      value, cols,
      [&](TileEmitter &tiles) {
        return emitNamedTile(kernel.entry, tiles, {axes, value}, sized, row,
                             col);
      },
      to, reason);
}

LogicalResult RecurrenceTiles::prepare(std::string &reason, bool reads) {
  auto add = [&](Value value, char col, int64_t count,
                 SmallVectorImpl<TileOperand> &to) {
    return value ? addOperand(value, kToken, tokens, col, count, to, reason)
                 : success();
  };
  // 1. Templates.
  SmallVector<TileOperand, 2> decays, bonuses;
  if (failed(add(op.getEraseQuery(), kKey, keys, rows)) ||
      failed(add(reads ? op.getQuery() : Value(), kKey, keys, rows)))
    return failure();
  for (auto [key, value] : llvm::zip_equal(op.getKeys(), op.getValues()))
    if (failed(add(key, kKey, keys, cols)) ||
        failed(add(value, kValue, valueColumns, values)))
      return failure();
  bool perKey = op.getTransition().getTileAxes().value_or("") == "d";
  if (failed(add(op.getEraseKey(), kKey, keys, cols)) ||
      failed(add(op.getEraseInput(), kValue, valueColumns, inputs)) ||
      failed(add(op.getTransitionOperand(), perKey ? kKey : 0,
                 perKey ? keys : 1, decays)) ||
      failed(add(reads ? op.getBonus() : Value(), kKey, keys, bonuses)))
    return failure();
  if (!decays.empty())
    decay = decays.front();
  if (!bonuses.empty())
    bonus = bonuses.front();
  // 2. What they read.
  SmallVector<TileOperand *> all;
  for (auto *list : {&rows, &cols, &values, &inputs})
    for (TileOperand &operand : *list)
      all.push_back(&operand);
  if (decay)
    all.push_back(&*decay);
  if (bonus)
    all.push_back(&*bonus);
  for (TileOperand *operand : all) {
    addCopies(*operand);
    // Queries and values say how exact the output is to be.
    if (operand->value == op.getQuery() || op.hasAxis(operand->value, kValue))
      countParts(*operand);
  }
  // Several parts are never read where they were copied to.
  if (getParts() > 1)
    for (TileOperand *operand : all)
      operand->direct.reset();
  return success();
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

Value RecurrenceTiles::getAddress(ThreadOps &ops, Value pointer, Value shaped,
                                  const EinsumOperand &axes,
                                  const llvm::SmallDenseMap<char, Value> &at) {
  OpBuilder &b = ops.b;
  auto type = cast<ShapedType>(shaped.getType());
  Value offset = ops.index(0);
  for (auto [i, dim] : llvm::enumerate(axes)) {
    Value index;
    for (char axis : dim) {
      Value own = at.lookup(axis);
      if (!own)
        own = indices.lookup(axis);
      if (!own)
        own = ops.index(0);
      if (!index) {
        index = own;
        continue;
      }
      Value size = ops.toValue(kernel.pass(getSize(axis)));
      index = arith::AddIOp::create(
          b, loc, arith::MulIOp::create(b, loc, index, size), own);
    }
    int64_t multiple;
    Value stride = ops.toValue(getStride(b, shaped, i, multiple));
    offset = arith::AddIOp::create(
        b, loc, offset, arith::MulIOp::create(b, loc, index, stride));
  }
  offset = arith::MulIOp::create(
      b, loc, offset,
      ops.index(type.getElementType().getIntOrFloatBitWidth() / 8));
  return ops.advance(
      pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), offset));
}

Value RecurrenceTiles::getValueIndex(ThreadOps &ops, Value channel) {
  Value index = ops.toIndex(channel);
  if (Value first = indices.lookup(kValue))
    index = arith::AddIOp::create(ops.b, loc, index, first);
  return index;
}

Value RecurrenceTiles::getAxisBytes(ThreadOps &ops, Value shaped,
                                    const EinsumOperand &axes, char axis) {
  int64_t multiple;
  Value stride =
      ops.toValue(getStride(ops.b, shaped, Einsum::find(axes, axis), multiple));
  auto type = cast<ShapedType>(shaped.getType());
  Value bytes = arith::MulIOp::create(
      ops.b, loc, stride,
      ops.index(type.getElementType().getIntOrFloatBitWidth() / 8));
  return arith::IndexCastOp::create(ops.b, loc, ops.b.getI64Type(), bytes);
}
