//===- ConvertAttnToLinalg.cpp - attn to loops over linalg tiles ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Passes.h"
#include "passes/lower/EmitRecurrence.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_CONVERTATTNTOLINALG
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Which values get a buffer
//===----------------------------------------------------------------------===//

static bool hasTwoTokenAxes(ContractionOpInterface op) {
  int64_t tokens = 0;
  for (const EinsumDim &dim : op.getSubscripts().result)
    tokens += dim.size() == 1 && Einsum::isTokenAxis(dim.front());
  return tokens > 1;
}

/// Whether a tile of `value` costs a product, through maps on tokens.
static bool costsProduct(Value value) {
  Operation *op = value.getDefiningOp();
  if (!TileEmitter::isComputed(op))
    return false;
  if (auto product = dyn_cast<ContractionOpInterface>(op))
    return !hasTwoTokenAxes(product);
  if (isa<MaskOp, SoftmaxOp, NormalizeOp>(op))
    return false;
  return llvm::any_of(op->getOperands(), costsProduct);
}

/// Projections of feature maps, operands of masks, and states.
static bool isReadWhole(OpOperand &use) {
  Operation *op = use.getOwner();
  if (auto recurrence = dyn_cast<RecurrenceOp>(op))
    return use.get() == recurrence.getInitialState() ||
           use.get() == recurrence.getInitialMax() ||
           use.get() == recurrence.getCuSeqlens();
  return isa<FeatureMapOp, MaskOp, FeatureScaleOp>(op) &&
         use.getOperandNumber() > 0;
}

/// An operation of the graph on a vector or a scalar, such as one number a
/// head: it is computed whole.
static bool isSmall(Operation *op) {
  if (!isa<FeatureMapOp, ScaleOp, GateOp>(op))
    return false;
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  return type.getRank() < 2 && type.hasStaticShape();
}

/// Values that are computed once and read: those that somebody else uses, and
/// those that a product would compute again for every tile of its result.
static llvm::SetVector<Value> collectRoots(func::FuncOp function) {
  llvm::SmallDenseSet<Value> wanted;
  function.walk([&](Operation *op) {
    bool computed = TileEmitter::isComputed(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (!TileEmitter::isComputed(value.getDefiningOp()))
        continue;
      if (!computed || isReadWhole(operand)) {
        wanted.insert(value);
      } else if (isa<ContractionOpInterface, RecurrenceOp>(op)) {
        while (isa_and_nonnull<AppendOnesOp, ScaleOp>(value.getDefiningOp()))
          value = value.getDefiningOp()->getOperand(0);
        if (costsProduct(value))
          wanted.insert(value);
      }
    }
  });
  llvm::SetVector<Value> roots;
  function.walk([&](Operation *op) {
    for (Value result : op->getResults())
      if (wanted.contains(result) || isa<RecurrenceOp>(op) || isSmall(op))
        roots.insert(result);
  });
  return roots;
}

//===----------------------------------------------------------------------===//
// Loops around a value
//===----------------------------------------------------------------------===//

namespace {

class RootEmitter {
public:
  RootEmitter(TileEmitter &emitter, Value root)
      : emitter(emitter), root(root), b(root.getContext()), loc(root.getLoc()) {
    b.setInsertionPointAfter(root.getDefiningOp());
  }

  /// The whole tensor, in parallel over the batch and the tiles of tokens.
  FailureOr<Value> emit(bool allowQuadratic);

private:
  FailureOr<Value> emitTiles(Value into, OpFoldResult rowLo, OpFoldResult rowHi,
                             int64_t rows, OpFoldResult colLo,
                             OpFoldResult colHi, int64_t cols);

  TileEmitter &emitter;
  Value root;
  OpBuilder b;
  Location loc;
  TileDims dims;
  SmallVector<OpFoldResult> shape;
};

} // namespace

FailureOr<Value> RootEmitter::emit(bool allowQuadratic) {
  auto type = cast<RankedTensorType>(root.getType());
  FailureOr<TileDims> found = TileEmitter::getTileDims(root);
  if (failed(found))
    return emitError(loc, "cannot compute a value of type ")
           << type << ": expected rows and columns, one of each operand";
  dims = *found;
  Operation *op = root.getDefiningOp();
  bool quadratic = isa<MaskOp, SoftmaxOp, NormalizeOp>(op);
  if (auto product = dyn_cast<ContractionOpInterface>(op))
    quadratic = hasTwoTokenAxes(product);
  if (quadratic && !allowQuadratic)
    return emitError(loc, "would need a buffer for a value with two token "
                          "axes: ")
           << type << " (allow-quadratic permits it)";
  // Values that have no features are tiles of one row.
  bool isRow =
      isa<FeatureScaleOp>(op) ||
      (type.isDynamicDim(dims.col) && (isa<ScaleOp, GateOp, DivideOp>(op) ||
                                       !isa<AttnDialect>(op->getDialect())));
  if (auto scale = dyn_cast<FeatureScaleOp>(op)) {
    int64_t token = scale.getTokenDimension();
    dims.col = token - (token > scale.getFeatureDimension());
    dims.row = dims.col > 0 ? dims.col - 1 : 1;
  }
  if (!quadratic && !isRow && type.isDynamicDim(dims.col))
    return emitError(loc, "expected a static number of features, got ") << type;

  for (int64_t i = 0; i < type.getRank(); ++i)
    shape.push_back(emitter.getSize(b, root, i));
  Value tensor = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  OpFoldResult zero = b.getIndexAttr(0);
  const TileSizes &sizes = emitter.getSizes();
  // Features are in one tile, as maps compute them; tokens in several.
  auto getSizes = [&](int64_t dim, bool token) {
    std::optional<int64_t> size = getConstantIntValue(shape[dim]);
    if (size && !token)
      return SmallVector<int64_t>{*size};
    return TileEmitter::getLadder(shape[dim], sizes.rows);
  };
  OpFoldResult rowLo = zero;
  SmallVector<int64_t> rowSizes{1};
  if (!isRow)
    rowSizes = getSizes(dims.row, dims.rowIsToken);
  for (int64_t rows : rowSizes) {
    OpFoldResult rowHi =
        TileEmitter::getLastFullTile(b, loc, rowLo, shape[dims.row], rows);
    OpFoldResult colLo = zero;
    for (int64_t cols : getSizes(dims.col, quadratic || isRow)) {
      OpFoldResult colHi =
          TileEmitter::getLastFullTile(b, loc, colLo, shape[dims.col], cols);
      FailureOr<Value> next =
          emitTiles(tensor, rowLo, rowHi, rows, colLo, colHi, cols);
      if (failed(next))
        return failure();
      tensor = *next;
      colLo = colHi;
    }
    rowLo = rowHi;
  }
  return tensor;
}

FailureOr<Value> RootEmitter::emitTiles(Value into, OpFoldResult rowLo,
                                        OpFoldResult rowHi, int64_t rows,
                                        OpFoldResult colLo, OpFoldResult colHi,
                                        int64_t cols) {
  if (rows == 0 || cols == 0)
    return into;
  auto type = cast<RankedTensorType>(root.getType());
  SmallVector<OpFoldResult> lower, upper, step;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    bool row = i == dims.row, col = i == dims.col;
    lower.push_back(row ? rowLo : col ? colLo : b.getIndexAttr(0));
    upper.push_back(row ? rowHi : col ? colHi : shape[i]);
    step.push_back(b.getIndexAttr(row ? rows : col ? cols : 1));
  }
  auto loop = scf::ForallOp::create(b, loc, lower, upper, step, into,
                                    /*mapping=*/std::nullopt);
  OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
  TileRequest request;
  for (auto [i, index] : llvm::enumerate(loop.getInductionVars())) {
    // A single iteration leaves the index known.
    std::optional<int64_t> lo = getConstantIntValue(lower[i]),
                           hi = getConstantIntValue(upper[i]),
                           by = getConstantIntValue(step[i]);
    bool single = lo && hi && *hi - *lo == *by;
    request.offsets.push_back(single ? lower[i] : OpFoldResult(index));
  }
  request.rowDim = dims.row;
  request.colDim = dims.col;
  request.rows = rows;
  request.cols = cols;
  FailureOr<Value> tile = emitter.emit(inner, root, request);
  if (failed(tile))
    return failure();
  if (dims.row > dims.col)
    *tile = TileOps(inner, loc).transpose(*tile);
  SmallVector<OpFoldResult> tileShape(type.getRank(), b.getIndexAttr(1)),
      strides(type.getRank(), b.getIndexAttr(1));
  tileShape[dims.row] = b.getIndexAttr(rows);
  tileShape[dims.col] = b.getIndexAttr(cols);
  inner.setInsertionPointToStart(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(inner, loc, *tile,
                                        loop.getRegionIterArgs().front(),
                                        request.offsets, tileShape, strides);
  return loop.getResult(0);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Steps are strided slices.
template <typename Op> static Value emitSteps(Op op, Value input) {
  constexpr bool expands = std::is_same_v<Op, ExpandStepsOp>;
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type element = op.getType().getElementType();
  if (getElementTypeOrSelf(input.getType()) != element)
    input = arith::ExtFOp::create(
        b, loc, cast<RankedTensorType>(input.getType()).clone(element), input);
  int64_t rank = op.getType().getRank(), dim = op.getTokenDimension();
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, input),
                            sizes = shape, offsets(rank, b.getIndexAttr(0)),
                            strides(rank, b.getIndexAttr(1));
  int64_t steps = op.getSteps();
  offsets[dim] = b.getIndexAttr(steps - 1);
  strides[dim] = b.getIndexAttr(steps);
  AffineExpr d0 = b.getAffineDimExpr(0);
  if (!expands) {
    sizes[dim] = affine::makeComposedFoldedAffineApply(
        b, loc, d0.floorDiv(steps), {shape[dim]});
    Value slice =
        tensor::ExtractSliceOp::create(b, loc, input, offsets, sizes, strides);
    // Packed again: who reads a result may take it to be contiguous.
    Value packed = tensor::EmptyOp::create(b, loc, sizes, element);
    return linalg::CopyOp::create(b, loc, slice, packed).getResult(0);
  }
  shape[dim] =
      affine::makeComposedFoldedAffineApply(b, loc, d0 * steps, {shape[dim]});
  Value zero = tensor::EmptyOp::create(b, loc, shape, element);
  zero =
      linalg::FillOp::create(b, loc, TileOps(b, loc).constant(element, 0), zero)
          .getResult(0);
  return tensor::InsertSliceOp::create(b, loc, input, zero, offsets, sizes,
                                       strides);
}

namespace {
struct ConvertAttnToLinalg
    : attn::impl::ConvertAttnToLinalgBase<ConvertAttnToLinalg> {
  using ConvertAttnToLinalgBase::ConvertAttnToLinalgBase;

  /// Tensors for the results of an operation, or for what is made of them
  /// alone.
  FailureOr<ComputedValues> emitProducer(TileEmitter &emitter, Operation *op) {
    if (auto recurrence = dyn_cast<RecurrenceOp>(op))
      return emitRecurrence(emitter, recurrence, {partColumns, threads});
    Value result = op->getResult(0);
    FailureOr<Value> tensor = failure();
    if (auto steps = dyn_cast<ExpandStepsOp>(op))
      tensor = emitSteps(steps, emitter.getTensor(steps.getInput()));
    else if (auto steps = dyn_cast<TakeStepsOp>(op))
      tensor = emitSteps(steps, emitter.getTensor(steps.getInput()));
    else if (isSmall(op))
      tensor = emitter.emitSmall(op);
    else
      tensor = RootEmitter(emitter, result).emit(allowQuadratic);
    if (failed(tensor))
      return failure();
    return ComputedValues{{result, *tensor}};
  }

  void runOnOperation() override {
    if (partColumns < 0) {
      getOperation().emitError("expected parts of one column or more");
      return signalPassFailure();
    }
    if (rowTile < 1 || keyTile < 1) {
      getOperation().emitError("expected tiles of one token or more");
      return signalPassFailure();
    }
    TileSizes sizes;
    auto ladder = [](int64_t first, ArrayRef<int64_t> rest) {
      SmallVector<int64_t> result{first};
      for (int64_t size : rest)
        if (size < first)
          result.push_back(size);
      return result;
    };
    sizes.rows = ladder(rowTile, {8, 1});
    sizes.keys = ladder(keyTile, {8, 1});
    TileEmitter emitter(sizes);

    // 1. Compute every root; the ones before it are read.
    SmallVector<std::pair<Value, Value>> computed;
    auto setComputed = [&](Value root, Value tensor) {
      if (tensor.getType() != root.getType()) {
        OpBuilder b(root.getContext());
        b.setInsertionPointAfterValue(tensor);
        tensor =
            tensor::CastOp::create(b, root.getLoc(), root.getType(), tensor);
      }
      emitter.setMaterialized(root, tensor);
      computed.emplace_back(root, tensor);
    };
    llvm::SetVector<Value> roots = collectRoots(getOperation());
    SmallVector<Operation *> producers;
    getOperation().walk([&](Operation *op) {
      if (isa<ExpandStepsOp, TakeStepsOp>(op) ||
          llvm::any_of(op->getResults(),
                       [&](Value result) { return roots.contains(result); }))
        producers.push_back(op);
    });
    for (Operation *op : producers) {
      if (emitter.isMaterialized(op->getResult(0)))
        continue;
      FailureOr<ComputedValues> values = emitProducer(emitter, op);
      if (failed(values))
        return signalPassFailure();
      for (auto [root, tensor] : *values)
        setComputed(root, tensor);
    }
    // 2. The graph's own operations are left without users.
    for (auto [root, tensor] : computed)
      root.replaceAllUsesExcept(tensor, {});
    SmallVector<Operation *> graph;
    getOperation().walk([&](Operation *op) {
      if (isa_and_nonnull<AttnDialect>(op->getDialect()) && !isa<YieldOp>(op))
        graph.push_back(op);
    });
    for (Operation *op : llvm::reverse(graph))
      if (op->use_empty())
        op->erase();
    // 3. What the graph says about its arguments has no reader any more, but
    //    that they are states or outputs.
    func::FuncOp function = getOperation();
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      for (NamedAttribute attr :
           llvm::to_vector(function_interface_impl::getArgAttrs(function, i)))
        if (isa_and_nonnull<AttnDialect>(attr.getNameDialect()) &&
            attr.getName() != kStateAttrName &&
            attr.getName() != kOutputAttrName)
          function.removeArgAttr(i, attr.getName());
  }
};
} // namespace
