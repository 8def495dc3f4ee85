//===- TileExpression.cpp - Tiles element by element -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/TileExpression.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

/// Whether two values are the same expression of the same values; `inner` are
/// those in regions that have been found to be.
static bool isSame(Value x, Value y, DenseMap<Value, Value> &inner) {
  if (x == y || inner.lookup(x) == y)
    return true;
  auto a = dyn_cast<OpResult>(x), b = dyn_cast<OpResult>(y);
  return a && b && a.getResultNumber() == b.getResultNumber() &&
         isMemoryEffectFree(a.getOwner()) &&
         OperationEquivalence::isEquivalentTo(
             a.getOwner(), b.getOwner(),
             [&](Value lhs, Value rhs) {
               return success(isSame(lhs, rhs, inner));
             },
             [&](Value lhs, Value rhs) { inner[lhs] = rhs; },
             OperationEquivalence::Flags::IgnoreLocations);
}

static bool isSame(Value x, Value y) {
  DenseMap<Value, Value> inner;
  return isSame(x, y, inner);
}

bool TileLeaf::operator==(const TileLeaf &other) const {
  if (source != other.source || tokenDim != other.tokenDim ||
      dims != other.dims || sizes != other.sizes)
    return false;
  return llvm::all_of(llvm::zip_equal(offsets, other.offsets), [](auto pair) {
    auto [x, y] = pair;
    if (x == y)
      return true;
    auto a = dyn_cast<Value>(x), b = dyn_cast<Value>(y);
    return a && b && isSame(a, b);
  });
}

/// Operations on tensors in the kernel are the template's.
bool TileExpression::isTemplate(Value value) const {
  Operation *op = value.getDefiningOp();
  return op && op->getParentOfType<gpu::GPUFuncOp>();
}

std::optional<TileLeaf> TileExpression::getLeaf(Value tile) {
  auto type = dyn_cast<RankedTensorType>(tile.getType());
  if (!type)
    return std::nullopt;
  if (!isTemplate(tile)) {
    // A tensor of the host as it is.
    DenseElementsAttr constant;
    if (matchPattern(tile, m_Constant(&constant)) || !type.hasStaticShape())
      return std::nullopt;
    TileLeaf leaf{tile};
    for (int64_t i = 0; i < type.getRank(); ++i) {
      leaf.offsets.push_back(
          IntegerAttr::get(IndexType::get(tile.getContext()), 0));
      if (type.getDimSize(i) == 1)
        continue;
      leaf.tileDims.push_back(i);
      leaf.dims.push_back(i);
      leaf.sizes.push_back(type.getDimSize(i));
    }
    return leaf;
  }
  auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice || isTemplate(slice.getSource()))
    return std::nullopt;
  TileLeaf leaf{slice.getSource()};
  leaf.offsets = slice.getMixedOffsets();
  llvm::SmallBitVector dropped = slice.getDroppedDims();
  int64_t tileDim = 0;
  for (auto [i, stride] : llvm::enumerate(slice.getMixedStrides())) {
    if (!isConstantIntValue(stride, 1))
      return std::nullopt;
    if (leaf.offsets[i] == OpFoldResult(token))
      leaf.tokenDim = i;
    if (dropped[i])
      continue;
    std::optional<int64_t> size = getConstantIntValue(slice.getMixedSizes()[i]);
    if (!size)
      return std::nullopt;
    ++tileDim;
    if (*size == 1)
      continue;
    leaf.tileDims.push_back(tileDim - 1);
    leaf.dims.push_back(i);
    leaf.sizes.push_back(*size);
  }
  return leaf;
}

//===----------------------------------------------------------------------===//
// Analysis
//===----------------------------------------------------------------------===//

static bool isConstant(Value value) {
  return matchPattern(value, m_Constant());
}

/// Whether a number is computed from numbers alone.
static bool isOfNumbers(Value value) {
  Operation *op = value.getDefiningOp();
  return !op || llvm::all_of(op->getOperands(), [](Value operand) {
    return !isa<TensorType>(operand.getType()) && isOfNumbers(operand);
  });
}

/// What the body takes from outside are constants or the template's numbers.
bool TileExpression::analyzeBody(linalg::LinalgOp op) {
  WalkResult walk = op->walk([&](Operation *inner) {
    if (inner == op)
      return WalkResult::advance();
    if (inner->getNumRegions() || !isMemoryEffectFree(inner))
      return WalkResult::interrupt();
    for (Value operand : inner->getOperands())
      if ((operand.getParentRegion()->isProperAncestor(op->getParentRegion()) &&
           !isConstant(operand)) ||
          !isOfNumbers(operand))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return !walk.wasInterrupted();
}

/// The operation that combines partial results: r' = r + f(x), max(r, f(x)),
/// ...
static Operation *getCombiner(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  Value yielded = body->getTerminator()->getOperand(0);
  Operation *combiner = yielded.getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::MaximumFOp, arith::MinimumFOp,
                       arith::MaxNumFOp, arith::MinNumFOp>(combiner))
    return nullptr;
  Value sum = body->getArguments().back();
  return llvm::is_contained(combiner->getOperands(), sum) ? combiner : nullptr;
}

/// An operation on tensors that is one on their elements.
static bool isElementwise(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) &&
         op->getNumResults() == 1 && op->getNumRegions() == 0 &&
         isMemoryEffectFree(op);
}

bool TileExpression::analyze(Value tile, SmallVectorImpl<TileLeaf> &leaves) {
  if (std::optional<TileLeaf> leaf = getLeaf(tile)) {
    if (!llvm::is_contained(leaves, *leaf))
      leaves.push_back(*leaf);
    return true;
  }
  if (!isa<RankedTensorType>(tile.getType()))
    return (isTemplate(tile) || isConstant(tile)) && isOfNumbers(tile);
  if (isConstant(tile)) {
    DenseElementsAttr constant;
    return matchPattern(tile, m_Constant(&constant)) && constant.isSplat();
  }
  Operation *op = tile.getDefiningOp();
  if (!op || !isTemplate(tile))
    return false;
  if (isa<tensor::EmptyOp>(op))
    return true;
  if (isElementwise(op))
    return llvm::all_of(op->getOperands(),
                        [&](Value x) { return analyze(x, leaves); });
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op)) {
    // Unit dimensions alone come and go.
    auto count = [](Value value) {
      return llvm::count_if(cast<RankedTensorType>(value.getType()).getShape(),
                            [](int64_t size) { return size != 1; });
    };
    return count(op->getOperand(0)) == count(tile) &&
           analyze(op->getOperand(0), leaves);
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return !ShapedType::isDynamicShape(slice.getStaticOffsets()) &&
           slice.hasUnitStride() && analyze(slice.getSource(), leaves);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return !ShapedType::isDynamicShape(insert.getStaticOffsets()) &&
           insert.hasUnitStride() &&
           insert.getSourceType().getRank() == insert.getDestType().getRank() &&
           analyze(insert.getSource(), leaves) &&
           analyze(insert.getDest(), leaves);
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || linalgOp->getNumResults() != 1 || !analyzeBody(linalgOp) ||
      !linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0))
           .isProjectedPermutation())
    return false;
  if (linalgOp.getNumReductionLoops() > 0) {
    bool alongRows =
        linalgOp.getNumLoops() == 2 && linalgOp.getNumReductionLoops() == 1 &&
        linalgOp.getIteratorTypesArray()[1] == utils::IteratorType::reduction;
    if (!alongRows || !getCombiner(linalgOp))
      return false;
  }
  return llvm::all_of(linalgOp->getOpOperands(), [&](OpOperand &operand) {
    return llvm::all_of(linalgOp.getMatchingIndexingMap(&operand).getResults(),
                        [](AffineExpr expr) {
                          return isa<AffineDimExpr, AffineConstantExpr>(expr);
                        }) &&
           analyze(operand.get(), leaves);
  });
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

/// A number that a body takes from outside, for the tokens at hand.
Value TileExpression::emitCaptured(ThreadOps &ops, Value value) {
  if (value == token)
    return now;
  Operation *op = value.getDefiningOp();
  if (!op)
    return value;
  if (isConstant(value))
    return ops.b.clone(*op)->getResult(0);
  IRMapping map;
  bool differs = false;
  for (Value operand : op->getOperands()) {
    if (isa<TensorType>(operand.getType()))
      return value;
    Value own = emitCaptured(ops, operand);
    map.map(operand, own);
    differs |= own != operand;
  }
  if (!differs)
    return value;
  return ops.b.clone(*op, map)->getResult(
      cast<OpResult>(value).getResultNumber());
}

/// The body for one element of each operand.
Value TileExpression::emitBody(ThreadOps &ops, linalg::LinalgOp op,
                               ArrayRef<SmallVector<Value>> operands,
                               int64_t element, ArrayRef<Coordinate> loops) {
  IRMapping map;
  auto pick = [&](ArrayRef<Value> values) {
    return values.empty()       ? Value()
           : values.size() == 1 ? values[0]
                                : values[element];
  };
  Block *body = op.getBlock();
  for (auto [argument, values] :
       llvm::zip_equal(body->getArguments(), operands))
    if (Value value = pick(values))
      map.map(argument, value);
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      const Coordinate &at = loops[index.getDim()];
      Value value = at.width > 1 ? ops.add(at.first, element) : at.first;
      map.map(index.getResult(), ops.toIndex(value));
      continue;
    }
    for (Value operand : inner.getOperands())
      if (!map.contains(operand))
        map.map(operand, emitCaptured(ops, operand));
    ops.b.clone(inner, map);
  }
  return map.lookupOrDefault(body->getTerminator()->getOperand(0));
}

/// The coordinates of an operand.
static SmallVector<Coordinate> mapCoordinates(ThreadOps &ops, AffineMap map,
                                              ArrayRef<Coordinate> loops) {
  SmallVector<Coordinate> at;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      at.push_back(loops[dim.getPosition()]);
    else
      at.push_back({ops.i32(cast<AffineConstantExpr>(expr).getValue())});
  }
  return at;
}

/// A lane sums its columns, and the lanes of the row their sums.
Value TileExpression::emitReduction(ThreadOps &ops, linalg::LinalgOp op,
                                    Coordinate row, const LaneColumns &lanes) {
  // Operands may have the norm of their rows in common.
  for (const RowValue &known : rows)
    if (known.row == row.first && isSame(known.tile, op->getResult(0)))
      return known.value;
  int64_t columns = op.getStaticLoopRanges()[1];
  OpOperand *init = op.getDpsInitOperand(0);
  Operation *combiner = getCombiner(op);
  SmallVector<Value> first = emit(ops, init->get(), {row}, lanes);
  // The initial value once, and what changes nothing for the other lanes.
  Value neutral;
  auto type = cast<FloatType>(first[0].getType());
  double none = isa<arith::AddFOp>(combiner) ? 0
                : isa<arith::MaximumFOp, arith::MaxNumFOp>(combiner)
                    ? -std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::infinity();
  neutral =
      arith::ConstantOp::create(ops.b, ops.loc, ops.b.getFloatAttr(type, none));
  Value isFirst = ops.cmp(arith::CmpIPredicate::eq, lanes.first, ops.i32(0));
  Value sum = ops.select(isFirst, first[0], neutral);
  int64_t step = lanes.width * lanes.lanes;
  for (int64_t at = 0; at < columns; at += step) {
    Coordinate col{ops.add(lanes.first, at), lanes.width};
    SmallVector<Coordinate> loops{row, col};
    SmallVector<SmallVector<Value>> operands;
    for (OpOperand *input : op.getDpsInputOperands())
      operands.push_back(emit(
          ops, input->get(),
          mapCoordinates(ops, op.getMatchingIndexingMap(input), loops), lanes));
    operands.emplace_back();
    for (int64_t i = 0; i < lanes.width; ++i) {
      operands.back() = {sum};
      Value next = emitBody(ops, op, operands, i, loops);
      if (at + step > columns || columns % lanes.width)
        next = ops.select(ops.less(ops.add(col.first, i), ops.i32(columns)),
                          next, sum);
      sum = next;
    }
  }
  for (int64_t mask = 1; mask < lanes.lanes; mask *= 2) {
    IRMapping map;
    Value other = ops.shuffleXor(sum, mask);
    OperationState state(ops.loc, combiner->getName(), {sum, other},
                         sum.getType());
    sum = ops.b.create(state)->getResult(0);
  }
  rows.push_back({op->getResult(0), row.first, sum});
  return sum;
}

SmallVector<Value> TileExpression::emitLinalg(ThreadOps &ops,
                                              linalg::LinalgOp op,
                                              ArrayRef<Coordinate> at,
                                              const LaneColumns &lanes) {
  if (op.getNumReductionLoops() > 0)
    return {emitReduction(ops, op, at[0], lanes)};
  OpOperand *init = op.getDpsInitOperand(0);
  SmallVector<Coordinate> loops(op.getNumLoops());
  for (auto [expr, coordinate] :
       llvm::zip_equal(op.getMatchingIndexingMap(init).getResults(), at))
    loops[cast<AffineDimExpr>(expr).getPosition()] = coordinate;
  Block *body = op.getBlock();
  SmallVector<SmallVector<Value>> operands;
  for (auto [i, operand] : llvm::enumerate(op->getOpOperands())) {
    operands.emplace_back();
    if (body->getArgument(i).use_empty())
      continue;
    if (!isa<RankedTensorType>(operand.get().getType())) {
      operands.back() = {emitCaptured(ops, operand.get())};
      continue;
    }
    operands.back() = emit(
        ops, operand.get(),
        mapCoordinates(ops, op.getMatchingIndexingMap(&operand), loops), lanes);
  }
  int64_t width = 1;
  for (const Coordinate &coordinate : at)
    width = std::max(width, coordinate.width);
  // What does not differ is computed once.
  bool differs = llvm::any_of(
      operands, [](ArrayRef<Value> values) { return values.size() > 1; });
  bool hasIndex = !op.getBlock()->getOps<linalg::IndexOp>().empty();
  if (!differs && !hasIndex)
    width = 1;
  SmallVector<Value> results;
  for (int64_t i = 0; i < width; ++i)
    results.push_back(emitBody(ops, op, operands, i, loops));
  return results;
}

SmallVector<Value> TileExpression::emitElementwise(ThreadOps &ops,
                                                   Operation *op,
                                                   ArrayRef<Coordinate> at,
                                                   const LaneColumns &lanes) {
  SmallVector<SmallVector<Value>> operands;
  size_t width = 1;
  for (Value operand : op->getOperands()) {
    if (isa<RankedTensorType>(operand.getType()))
      operands.push_back(emit(ops, operand, at, lanes));
    else
      operands.push_back({emitCaptured(ops, operand)});
    width = std::max(width, operands.back().size());
  }
  Type type = getElementTypeOrSelf(op->getResult(0).getType());
  SmallVector<Value> results;
  for (size_t i = 0; i < width; ++i) {
    OperationState state(ops.loc, op->getName());
    for (ArrayRef<Value> values : operands)
      state.operands.push_back(values[values.size() == 1 ? 0 : i]);
    state.addTypes(type);
    state.addAttributes(op->getAttrs());
    results.push_back(ops.b.create(state)->getResult(0));
  }
  return results;
}

/// Coordinates of the source of a reshape that adds or drops unit dimensions.
static SmallVector<Coordinate> reshape(ThreadOps &ops, Operation *op,
                                       ArrayRef<Coordinate> at) {
  auto from = cast<RankedTensorType>(op->getOperand(0).getType()),
       to = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<Coordinate> kept, result;
  for (auto [size, coordinate] : llvm::zip_equal(to.getShape(), at))
    if (size != 1)
      kept.push_back(coordinate);
  size_t next = 0;
  for (int64_t size : from.getShape())
    result.push_back(size != 1 ? kept[next++] : Coordinate{ops.i32(0)});
  return result;
}

SmallVector<Value> TileExpression::emit(ThreadOps &ops, Value tile,
                                        ArrayRef<Coordinate> at,
                                        const LaneColumns &lanes) {
  if (std::optional<TileLeaf> leaf = getLeaf(tile)) {
    SmallVector<Coordinate> own;
    for (int64_t dim : leaf->tileDims)
      own.push_back(at[dim]);
    return reader(ops, *leaf, own);
  }
  DenseElementsAttr constant;
  if (matchPattern(tile, m_Constant(&constant)))
    return {arith::ConstantOp::create(ops.b, ops.loc,
                                      constant.getSplatValue<TypedAttr>())};
  Operation *op = tile.getDefiningOp();
  Type element = cast<RankedTensorType>(tile.getType()).getElementType();
  if (isa<tensor::EmptyOp>(op))
    return {arith::ConstantOp::create(ops.b, ops.loc,
                                      ops.b.getFloatAttr(element, 0))};
  if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return emit(ops, op->getOperand(0), reshape(ops, op, at), lanes);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    SmallVector<Coordinate> source;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    size_t next = 0;
    for (auto [i, offset] : llvm::enumerate(slice.getStaticOffsets())) {
      Coordinate here =
          dropped[i] ? Coordinate{ops.i32(0)} : Coordinate(at[next++]);
      here.first = ops.add(here.first, offset);
      source.push_back(here);
    }
    return emit(ops, slice.getSource(), source, lanes);
  }
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    SmallVector<Coordinate> inner;
    int64_t width = 1;
    for (auto [coordinate, offset] :
         llvm::zip_equal(at, insert.getStaticOffsets())) {
      inner.push_back(
          {ops.sub(coordinate.first, ops.i32(offset)), coordinate.width});
      width = std::max(width, coordinate.width);
    }
    SmallVector<Value> outside = emit(ops, insert.getDest(), at, lanes),
                       inside = emit(ops, insert.getSource(), inner, lanes);
    SmallVector<Value> result;
    for (int64_t i = 0; i < width; ++i) {
      Value isIn;
      for (auto [coordinate, size, whole] :
           llvm::zip_equal(inner, insert.getStaticSizes(),
                           insert.getDestType().getShape())) {
        if (size == whole)
          continue;
        Value here = coordinate.width > 1 ? ops.add(coordinate.first, i)
                                          : coordinate.first;
        // Below 0 is above all sizes.
        Value fits = ops.cmp(arith::CmpIPredicate::ult, here, ops.i32(size));
        isIn = isIn ? Value(arith::AndIOp::create(ops.b, ops.loc, isIn, fits))
                    : fits;
      }
      Value in = inside[inside.size() == 1 ? 0 : i],
            out = outside[outside.size() == 1 ? 0 : i];
      result.push_back(isIn ? ops.select(isIn, in, out) : in);
    }
    return result;
  }
  if (isElementwise(op))
    return emitElementwise(ops, op, at, lanes);
  return emitLinalg(ops, cast<linalg::LinalgOp>(op), at, lanes);
}
