//===- RecurrenceTiles.cpp - What a kernel of a recurrence reads ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/RecurrenceTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

RecurrenceTiles::RecurrenceTiles(RecurrenceOp op, KernelBuilder &kernel,
                                 int64_t valueColumns, int64_t tokens)
    : op(op), kernel(kernel), loc(op.getLoc()), emitter(TileSizes()),
      keys(op.getAxisSize(kKey)), valueColumns(valueColumns), tokens(tokens) {
  // Stands for the first token of a tile until the template is evaluated.
  token = UnrealizedConversionCastOp::create(
              kernel.entry, loc, kernel.entry.getIndexType(), ValueRange())
              .getResult(0);
  expression = std::make_unique<TileExpression>(
      token,
      [this](ThreadOps &ops, const TileLeaf &leaf, ArrayRef<Coordinate> at) {
        return readLeaf(ops, leaf, at);
      });
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
  sized.ranges[kToken].offset = OpFoldResult(token);
  for (auto [axis, size] : {std::pair(row, rows), std::pair(col, cols)})
    if (axis)
      sized.ranges[axis].size = size;
  EinsumOperand axes = op.getAxes(value);
  FailureOr<TileOps::Named> tile = failure();
  // What cannot be evaluated here is computed before and read.
  ScopedDiagnosticHandler handler(op.getContext(),
                                  [](Diagnostic &) { return success(); });
  SmallVector<TileLeaf, 2> leaves;
  auto emitTile = [&](TileEmitter &tiles) {
    leaves.clear();
    tile = emitNamedTile(kernel.entry, tiles, {axes, value}, sized, row, col);
    return succeeded(tile) && expression->analyze(tile->tile, leaves);
  };
  if (!emitTile(emitter)) {
    TileEmitter reads((TileSizes()));
    reads.setMaterialized(value, value);
    if (!emitTile(reads)) {
      reason = "an operand cannot be evaluated in parts";
      return failure();
    }
  }
  for (const TileLeaf &leaf : leaves) {
    Type element = leaf.getType().getElementType();
    if (!element.isF32() && !element.isBF16() && !element.isF16()) {
      reason = "an operand is neither f32, bf16 nor f16";
      return failure();
    }
  }
  to.push_back(
      {value, *tile, cols, int64_t(llvm::alignTo(cols, kTile)), std::nullopt});
  return success();
}

/// The parts of tensors that an operand is made of, and their copies.
void RecurrenceTiles::addCopies(TileOperand &operand) {
  SmallVector<TileLeaf, 2> leaves;
  (void)expression->analyze(operand.tile.tile, leaves);
  // Queries and values say how exact the output is to be.
  bool counts =
      operand.value == op.getQuery() || op.hasAxis(operand.value, kValue);
  for (const TileLeaf &leaf : leaves) {
    Type element = leaf.getType().getElementType();
    if (counts && leaf.dims.size() > 1)
      parts = std::max<int64_t>(parts, element.isF32()   ? 3
                                       : element.isF16() ? 2
                                                         : 1);
    int64_t unit = getCopyUnit(leaf);
    if (unit == 0 || findCopy(leaf))
      continue;
    TileLayout layout;
    layout.cols = leaf.dims.size() > 1 ? leaf.sizes[1] : 1;
    layout.elementBytes = element.getIntOrFloatBitWidth() / 8;
    copies.push_back({leaf, layout, unit, 0});
  }
  std::optional<TileLeaf> leaf = expression->getLeaf(operand.tile.tile);
  if (leaf && operand.tile.dims == "ij" && findCopy(*leaf) &&
      operand.cols % kTile == 0 && leaf->getType().getElementType().isBF16())
    operand.direct = leaf;
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
  for (TileOperand *operand : all)
    addCopies(*operand);
  // Several parts are never read where they were copied to.
  if (parts > 1)
    for (TileOperand *operand : all)
      operand->direct.reset();
  return success();
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

/// The distance of neighbours in a dimension in elements, in the kernel, and a
/// number that divides it.
OpFoldResult RecurrenceTiles::getStride(OpBuilder &b, Value shaped, int64_t dim,
                                        int64_t &multiple) {
  auto type = cast<ShapedType>(shaped.getType());
  OpFoldResult stride = b.getIndexAttr(1);
  multiple = 1;
  for (int64_t i = dim + 1; i < type.getRank(); ++i) {
    OpFoldResult size = b.getIndexAttr(1);
    if (!type.isDynamicDim(i)) {
      multiple *= type.getDimSize(i);
      size = b.getIndexAttr(type.getDimSize(i));
    } else {
      size = kernel.passSize(shaped, i);
    }
    AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
    stride = affine::makeComposedFoldedAffineApply(
        b, loc, AffineMap::get(2, 0, d0 * d1), {stride, size});
  }
  return stride;
}

static Value toValue(ThreadOps &ops, OpFoldResult number) {
  if (auto value = dyn_cast<Value>(number))
    return value;
  return ops.index(cast<IntegerAttr>(cast<Attribute>(number)).getInt());
}

/// The largest unit in which rows of a leaf can be copied; 0 for none.
int64_t RecurrenceTiles::getCopyUnit(const TileLeaf &leaf) {
  if (leaf.tokenDim < 0 || leaf.dims.empty() || leaf.dims[0] != leaf.tokenDim ||
      leaf.dims.size() > 2 || leaf.sizes[0] != kTile)
    return 0;
  int64_t rank = leaf.getType().getRank(), multiple;
  int64_t bytes = leaf.getType().getElementType().getIntOrFloatBitWidth() / 8;
  int64_t colDim = leaf.dims.size() > 1 ? leaf.dims[1] : -1;
  if (colDim >= 0 && colDim != rank - 1)
    return 0;
  int64_t width = (colDim >= 0 ? leaf.sizes[1] : 1) * bytes;
  (void)getStride(kernel.entry, leaf.source, leaf.tokenDim, multiple);
  int64_t common = std::gcd(width, multiple * bytes);
  for (int64_t i = 0; i < rank; ++i) {
    if (i == leaf.tokenDim)
      continue;
    std::optional<int64_t> offset = getConstantIntValue(leaf.offsets[i]);
    if (offset && *offset == 0)
      continue;
    (void)getStride(kernel.entry, leaf.source, i, multiple);
    // Parts of the columns start at multiples of their size.
    int64_t by = i == colDim ? (offset ? *offset : leaf.sizes[1]) : 1;
    common = std::gcd(common, multiple * by * bytes);
  }
  for (int64_t unit : {16, 8, 4})
    if (common % unit == 0)
      return unit;
  return 0;
}

/// `indices` are those of the tile's dimensions.
Value RecurrenceTiles::getLeafAddress(ThreadOps &ops, const TileLeaf &leaf,
                                      Value at, ArrayRef<Value> tileIndices) {
  Value pointer = kernel.passPointer(leaf.source);
  int64_t bytes = leaf.getType().getElementType().getIntOrFloatBitWidth() / 8;
  OpBuilder &b = ops.b;
  Value offset = ops.index(0);
  for (int64_t i = 0; i < leaf.getType().getRank(); ++i) {
    Value index = i == leaf.tokenDim ? at : toValue(ops, leaf.offsets[i]);
    const auto *dim = llvm::find(leaf.dims, i);
    if (dim != leaf.dims.end())
      index = arith::AddIOp::create(
          b, loc, index, ops.toIndex(tileIndices[dim - leaf.dims.begin()]));
    int64_t multiple;
    Value stride = toValue(ops, getStride(b, leaf.source, i, multiple));
    offset = arith::AddIOp::create(
        b, loc, offset, arith::MulIOp::create(b, loc, index, stride));
  }
  offset = arith::MulIOp::create(b, loc, offset, ops.index(bytes));
  return ops.advance(
      pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), offset));
}

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
      Value size = toValue(ops, kernel.pass(getSize(axis)));
      index = arith::AddIOp::create(
          b, loc, arith::MulIOp::create(b, loc, index, size), own);
    }
    int64_t multiple;
    Value stride = toValue(ops, getStride(b, shaped, i, multiple));
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
  Value stride = toValue(
      ops, getStride(ops.b, shaped, Einsum::find(axes, axis), multiple));
  auto type = cast<ShapedType>(shaped.getType());
  Value bytes = arith::MulIOp::create(
      ops.b, loc, stride,
      ops.index(type.getElementType().getIntOrFloatBitWidth() / 8));
  return arith::IndexCastOp::create(ops.b, loc, ops.b.getI64Type(), bytes);
}

//===----------------------------------------------------------------------===//
// Copies in shared memory
//===----------------------------------------------------------------------===//

const RecurrenceTiles::Copy *
RecurrenceTiles::findCopy(const TileLeaf &leaf) const {
  const auto *it = llvm::find_if(
      copies, [&](const Copy &copy) { return copy.leaf == leaf; });
  return it == copies.end() ? nullptr : it;
}

int64_t RecurrenceTiles::placeCopies(int64_t bytes) {
  for (Copy &copy : copies) {
    copy.offset = bytes;
    bytes += copy.layout.getBytes();
  }
  return bytes;
}

void RecurrenceTiles::issueCopies(ThreadOps &ops, Value lane,
                                  const TilePlace &place) {
  for (const Copy &copy : copies) {
    int64_t perRow = copy.layout.cols * copy.layout.elementBytes / copy.unit;
    int64_t items = kTile * perRow;
    Value base = ops.advance(place.slot, copy.offset);
    for (int64_t first = 0; first < items; first += 32) {
      Value item = ops.add(lane, first);
      auto copyItem = [&](ThreadOps &inner) {
        Value row = inner.div(item, perRow), at = inner.rem(item, perRow);
        Value isIn = inner.less(row, place.valid);
        // No address outside of the tensor, even if nothing is read there.
        Value safeRow = inner.select(isIn, row, inner.i32(0));
        Value col = inner.mul(at, copy.unit / copy.layout.elementBytes);
        Value from = getLeafAddress(
            inner, copy.leaf, place.token,
            ArrayRef<Value>{safeRow, col}.take_front(copy.leaf.dims.size()));
        Value bytes = inner.add(inner.mul(row, copy.layout.getRowBytes()),
                                inner.mul(at, copy.unit));
        inner.copyAsync(inner.advance(base, bytes), from, copy.unit, isIn);
      };
      if (first + 32 <= items) {
        copyItem(ops);
        continue;
      }
      ops.when(ops.less(item, ops.i32(items)), copyItem);
    }
  }
}

SharedTile RecurrenceTiles::getCopy(ThreadOps &ops, const TileOperand &operand,
                                    const TilePlace &place) {
  const Copy *copy = findCopy(*operand.direct);
  return {copy->layout, ops.advance(place.slot, copy->offset)};
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

SmallVector<Value> RecurrenceTiles::readLeaf(ThreadOps &ops,
                                             const TileLeaf &leaf,
                                             ArrayRef<Coordinate> at) {
  Type element = leaf.getType().getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8, width = 1;
  for (const Coordinate &coordinate : at)
    width = std::max(width, coordinate.width);
  OpBuilder &b = ops.b;
  if (const Copy *copy = findCopy(leaf)) {
    Value row = at[0].first;
    Value col = at.size() > 1 ? at[1].first : ops.i32(0);
    // Columns that are not there are read somewhere in the row.
    if (at.size() > 1) {
      int64_t last = copy->layout.getRowBytes() / bytes - width;
      col = ops.select(ops.cmp(arith::CmpIPredicate::ule, col, ops.i32(last)),
                       col, ops.i32(0));
    }
    Value offset =
        ops.add(ops.mul(row, copy->layout.getRowBytes()), ops.mul(col, bytes));
    Value from = ops.advance(ops.advance(current->slot, copy->offset), offset);
    if (width == 1)
      return {ops.load(element, from)};
    Value vector = ops.load(VectorType::get({width}, element), from,
                            std::min<int64_t>(width * bytes, 16));
    SmallVector<Value> result;
    for (int64_t i = 0; i < width; ++i)
      result.push_back(
          LLVM::ExtractElementOp::create(b, loc, vector, ops.i32(i)));
    return result;
  }
  // From global memory, zero for tokens and columns that are not there.
  SmallVector<Value> result;
  Value zero = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 0));
  for (int64_t i = 0; i < width; ++i) {
    Value isIn;
    SmallVector<Value> tileIndices;
    for (auto [d, coordinate] : llvm::enumerate(at)) {
      Value index = coordinate.width > 1 ? ops.add(coordinate.first, i)
                                         : coordinate.first;
      Value end = leaf.dims[d] == leaf.tokenDim ? current->valid
                                                : ops.i32(leaf.sizes[d]);
      Value fits = ops.cmp(arith::CmpIPredicate::ult, index, end);
      isIn = isIn ? Value(arith::AndIOp::create(b, loc, isIn, fits)) : fits;
      tileIndices.push_back(index);
    }
    if (isIn)
      for (Value &index : tileIndices)
        index = ops.select(isIn, index, ops.i32(0));
    Value value = ops.load(
        element, getLeafAddress(ops, leaf, current->token, tileIndices), 0,
        /*invariant=*/true);
    result.push_back(isIn ? ops.select(isIn, value, zero) : value);
  }
  return result;
}

SmallVector<Value> RecurrenceTiles::emitInside(ThreadOps &ops,
                                               const TileOperand &operand,
                                               const TilePlace &place,
                                               Value row, Value col,
                                               const LaneColumns &lanes) {
  current = &place;
  expression->setToken(place.token);
  SmallVector<Coordinate> at;
  for (char dim : operand.tile.dims)
    at.push_back(dim == 'i' ? Coordinate{row} : Coordinate{col, lanes.width});
  SmallVector<Value> values =
      expression->emit(ops, operand.tile.tile, at, lanes);
  current = nullptr;
  for (Value &value : values)
    if (!value.getType().isF32())
      value = arith::ExtFOp::create(ops.b, loc, ops.f32Type(), value);
  if (values.size() == 1 && lanes.width > 1)
    values.assign(lanes.width, Value(values[0]));
  return values;
}

SmallVector<Value> RecurrenceTiles::emit(ThreadOps &ops,
                                         const TileOperand &operand,
                                         const TilePlace &place, Value row,
                                         Value col, const LaneColumns &lanes) {
  SmallVector<Value> values = emitInside(ops, operand, place, row, col, lanes);
  // Tokens and columns that are not there.
  Value isRow = ops.less(row, place.valid);
  for (int64_t i = 0; i < lanes.width; ++i) {
    Value isIn = isRow;
    if (operand.cols % kTile != 0 && operand.cols > 1)
      isIn = arith::AndIOp::create(
          ops.b, loc, isIn, ops.less(ops.add(col, i), ops.i32(operand.cols)));
    values[i] = ops.select(isIn, values[i], ops.f32(0));
  }
  return values;
}
