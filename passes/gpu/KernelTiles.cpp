//===- KernelTiles.cpp - Tiles of tokens that a kernel reads --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/KernelTiles.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

KernelTiles::KernelTiles(KernelBuilder &kernel, Location loc, int64_t tokens)
    : kernel(kernel), loc(loc), emitter(TileSizes()), tokens(tokens) {
  token = UnrealizedConversionCastOp::create(
              kernel.entry, loc, kernel.entry.getIndexType(), ValueRange())
              .getResult(0);
  expression = std::make_unique<TileExpression>(
      token,
      [this](ThreadOps &ops, const TileLeaf &leaf, ArrayRef<Coordinate> at) {
        return readLeaf(ops, leaf, at, *current);
      });
}

//===----------------------------------------------------------------------===//
// Templates
//===----------------------------------------------------------------------===//

LogicalResult KernelTiles::addTile(Value value, int64_t cols, Emit emit,
                                   SmallVectorImpl<TileOperand> &to,
                                   std::string &reason) {
  FailureOr<TileOps::Named> tile = failure();
  // What cannot be evaluated here is computed before and read.
  ScopedDiagnosticHandler handler(value.getContext(),
                                  [](Diagnostic &) { return success(); });
  SmallVector<TileLeaf, 2> leaves;
  auto emitTile = [&](TileEmitter &tiles) {
    leaves.clear();
    tile = emit(tiles);
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

void KernelTiles::countParts(const TileOperand &operand) {
  SmallVector<TileLeaf, 2> leaves;
  (void)expression->analyze(operand.tile.tile, leaves);
  for (const TileLeaf &leaf : leaves) {
    Type element = leaf.getType().getElementType();
    if (leaf.dims.size() > 1)
      parts = std::max<int64_t>(parts, element.isF32()   ? 3
                                       : element.isF16() ? 2
                                                         : 1);
  }
}

void KernelTiles::addCopies(TileOperand &operand) {
  SmallVector<TileLeaf, 2> leaves;
  (void)expression->analyze(operand.tile.tile, leaves);
  for (const TileLeaf &leaf : leaves) {
    Type element = leaf.getType().getElementType();
    int64_t unit = getCopyUnit(leaf);
    if (unit == 0 || findCopy(leaf))
      continue;
    TileLayout layout;
    layout.rows = tokens;
    layout.cols = leaf.dims.size() > 1 ? leaf.sizes[1] : 1;
    layout.elementBytes = element.getIntOrFloatBitWidth() / 8;
    copies.push_back({leaf, layout, unit, 0});
  }
  std::optional<TileLeaf> leaf = expression->getLeaf(operand.tile.tile);
  if (leaf && operand.tile.dims == "ij" && findCopy(*leaf) &&
      operand.cols % kTile == 0 && leaf->getType().getElementType().isBF16())
    operand.direct = leaf;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

OpFoldResult KernelTiles::getStride(OpBuilder &b, Value shaped, int64_t dim,
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

/// The largest unit in which rows of a leaf can be copied; 0 for none.
int64_t KernelTiles::getCopyUnit(const TileLeaf &leaf) {
  if (leaf.tokenDim < 0 || leaf.dims.empty() || leaf.dims[0] != leaf.tokenDim ||
      leaf.dims.size() > 2 || leaf.sizes[0] != tokens)
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
Value KernelTiles::getLeafAddress(ThreadOps &ops, const TileLeaf &leaf,
                                  Value at, ArrayRef<Value> tileIndices) {
  Value pointer = kernel.passPointer(leaf.source);
  int64_t bytes = leaf.getType().getElementType().getIntOrFloatBitWidth() / 8;
  OpBuilder &b = ops.b;
  Value offset = ops.index(0);
  for (int64_t i = 0; i < leaf.getType().getRank(); ++i) {
    Value index = i == leaf.tokenDim ? at : ops.toValue(leaf.offsets[i]);
    const auto *dim = llvm::find(leaf.dims, i);
    if (dim != leaf.dims.end())
      index = arith::AddIOp::create(
          b, loc, index, ops.toIndex(tileIndices[dim - leaf.dims.begin()]));
    int64_t multiple;
    Value stride = ops.toValue(getStride(b, leaf.source, i, multiple));
    offset = arith::AddIOp::create(
        b, loc, offset, arith::MulIOp::create(b, loc, index, stride));
  }
  offset = arith::MulIOp::create(b, loc, offset, ops.index(bytes));
  return ops.advance(
      pointer, arith::IndexCastOp::create(b, loc, b.getI64Type(), offset));
}

//===----------------------------------------------------------------------===//
// Copies in shared memory
//===----------------------------------------------------------------------===//

const KernelTiles::Copy *KernelTiles::findCopy(const TileLeaf &leaf) const {
  const auto *it = llvm::find_if(
      copies, [&](const Copy &copy) { return copy.leaf == leaf; });
  return it == copies.end() ? nullptr : it;
}

int64_t KernelTiles::placeCopies(int64_t bytes) {
  for (Copy &copy : copies) {
    copy.offset = bytes;
    bytes += copy.layout.getBytes();
  }
  return bytes;
}

void KernelTiles::issueCopies(ThreadOps &ops, Value thread, int64_t threads,
                              const TilePlace &place) {
  for (const Copy &copy : copies) {
    int64_t perRow = copy.layout.cols * copy.layout.elementBytes / copy.unit;
    int64_t items = tokens * perRow;
    Value base = ops.advance(place.slot, copy.offset);
    for (int64_t first = 0; first < items; first += threads) {
      Value item = ops.add(thread, first);
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
      if (first + threads <= items) {
        copyItem(ops);
        continue;
      }
      ops.when(ops.less(item, ops.i32(items)), copyItem);
    }
  }
}

SharedTile KernelTiles::getCopy(ThreadOps &ops, const TileOperand &operand,
                                const TilePlace &place) {
  const Copy *copy = findCopy(*operand.direct);
  return {copy->layout, ops.advance(place.slot, copy->offset)};
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelTiles::readLeaf(ThreadOps &ops, const TileLeaf &leaf,
                                         ArrayRef<Coordinate> at,
                                         const TilePlace &place) {
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
    Value from = ops.advance(ops.advance(place.slot, copy->offset), offset);
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
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  for (int64_t i = 0; i < width; ++i) {
    Value isIn;
    SmallVector<Value> tileIndices;
    for (auto [d, coordinate] : llvm::enumerate(at)) {
      Value index = coordinate.width > 1 ? ops.add(coordinate.first, i)
                                         : coordinate.first;
      Value end =
          leaf.dims[d] == leaf.tokenDim ? place.valid : ops.i32(leaf.sizes[d]);
      Value fits = ops.cmp(arith::CmpIPredicate::ult, index, end);
      isIn = isIn ? Value(arith::AndIOp::create(b, loc, isIn, fits)) : fits;
      tileIndices.push_back(index);
    }
    if (isIn)
      for (Value &index : tileIndices)
        index = ops.select(isIn, index, ops.i32(0));
    Value value = ops.load(
        element, getLeafAddress(ops, leaf, place.token, tileIndices), 0,
        /*invariant=*/true);
    result.push_back(isIn ? ops.select(isIn, value, zero) : value);
  }
  return result;
}

SmallVector<Value> KernelTiles::emitInside(ThreadOps &ops,
                                           const TileOperand &operand,
                                           const TilePlace &place, Value row,
                                           Value col,
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

SmallVector<Value> KernelTiles::emit(ThreadOps &ops, const TileOperand &operand,
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
