//===- EmitRecurrence.cpp - Recurrences as loops over tiles ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/lower/EmitRecurrence.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/algebra/StateParts.h"
#include "passes/lower/RecurrenceChunk.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

namespace {
/// A box of a tensor with named axes.
struct Box {
  SmallVector<OpFoldResult> offsets, sizes, strides;
};

class RecurrenceEmitter {
public:
  RecurrenceEmitter(TileEmitter &emitter, RecurrenceOp op,
                    const PartSizes &parts)
      : emitter(emitter), op(op), parts(parts), b(op), loc(op.getLoc()),
        element(op.getElementType()), stateAxes(op.getStateAxes()),
        readAxes(op.getReadAxes()), keys(op.getAxisSize(kKey)),
        values(op.getAxisSize(kValue)),
        perValue(op.hasAxis(op.getLogGate(), kValue)) {
    for (auto [axes, operand] :
         llvm::zip_equal(op.getAxesOfOperands(), op->getOperands()))
      if (operand != op.getCuSeqlens())
        named.push_back({axes, operand});
  }

  FailureOr<ComputedValues> emit();

private:
  /// The results that are written, in the order of the op's results.
  struct Outputs {
    Value output, logScale, state, max;
  };

  LogicalResult chooseTiles();
  void takeParts(int64_t columns);
  void chooseDivision();
  Value createResult(Value result, Type type);
  FailureOr<Value> createState(Value result, Value initial, double fill);
  OpFoldResult sizeOf(OpBuilder &n, char axis) {
    return getAxisSize(n, loc, emitter, named, axis);
  }
  /// Value channels of the part of a tensor that one sequence has.
  struct Columns {
    OpFoldResult offset;
    int64_t size;
  };
  Box getBox(OpBuilder &n, const EinsumOperand &axes, const AxisPlaces &places,
             OpFoldResult tokenOffset, OpFoldResult tokens,
             std::optional<Columns> inPart = std::nullopt);
  Box getOutputBox(OpBuilder &n, const AxisPlaces &places,
                   OpFoldResult tokenOffset, OpFoldResult tokens,
                   std::optional<Columns> inPart = std::nullopt);
  Value divide(OpBuilder &n, const RecurrenceRead &read);
  Value extract(OpBuilder &n, Value tensor, const Box &box);
  FailureOr<Value> readStateTile(OpBuilder &n, Value tensor, Value named,
                                 const AxisPlaces &places, bool isMax);
  Value insertTile(OpBuilder &n, Value tile, Value into, Value result,
                   const AxisPlaces &places, OpFoldResult token,
                   Columns columns);
  LogicalResult emitSequence(OpBuilder &n, scf::ForallOp loop,
                             const AxisPlaces &places, OpFoldResult lo,
                             OpFoldResult hi);
  FailureOr<SmallVector<Value>> emitReads(OpBuilder &n, RecurrenceChunk &chunk,
                                          const RecurrenceState &entry,
                                          const AxisPlaces &places,
                                          OpFoldResult token, Columns columns,
                                          Value output, Value logScale);
  using Carried = FailureOr<SmallVector<Value>>;
  Carried emitChunk(OpBuilder &n, const AxisPlaces &places, OpFoldResult local,
                    int64_t size, Columns columns, ValueRange carried);
  Carried emitColumns(OpBuilder &n, const AxisPlaces &places,
                      OpFoldResult local, ValueRange carried);

  TileEmitter &emitter;
  RecurrenceOp op;
  PartSizes parts;
  OpBuilder b;
  Location loc;
  Type element;
  SmallVector<char> stateAxes, readAxes;
  int64_t keys, values;
  /// The value channels of which a token's step takes some after the others.
  int64_t stepColumns = 0;
  /// The division of the output by its last column, if nothing else reads the
  /// output: tiles are divided as they leave a chunk.
  DivideByLastOp division;
  /// Whether the log scale is a result of its own.
  bool keepsScale;
  /// The value channels of a part of the state, of which a loop takes one after
  /// the other; `values` are those of a part.
  bool inParts = false;
  /// Whether each value channel has a running maximum of its own.
  bool perValue;
  SmallVector<NamedValue> named;
  SmallVector<int64_t> ladder;
  OpFoldResult tokens;
};
} // namespace

//===----------------------------------------------------------------------===//
// Forms
//===----------------------------------------------------------------------===//

/// Cuts the states into parts of so many columns, or of fewer for the threads.
void RecurrenceEmitter::takeParts(int64_t columns) {
  columns = parts.columns > 0 ? getGivenColumns(op, parts.columns)
                              : getThreadColumns(op, columns, parts.threads);
  inParts = columns < values;
  values = stepColumns = columns;
}

/// The sizes of the chunks of the op's form.
LogicalResult RecurrenceEmitter::chooseTiles() {
  tokens = sizeOf(b, kToken);
  std::optional<int64_t> count = getConstantIntValue(tokens);
  bool hasChunks = op.getTransition().hasChunkForm(
      /*stabilized=*/op.getLogGate() != nullptr);
  RecurrenceForm form = op.getForm();
  if (form == RecurrenceForm::Auto)
    form = hasChunks ? RecurrenceForm::Chunkwise : RecurrenceForm::Recurrent;
  int64_t chunk = op.getChunk().value_or(64);
  switch (form) {
  case RecurrenceForm::Recurrent:
    ladder = {1};
    takeParts(getPartColumns(op));
    stepColumns = getStepColumns(op, values);
    return success();
  case RecurrenceForm::Quadratic:
    if (!count || op.getCuSeqlens())
      return op.emitOpError("the quadratic form takes the tokens as one chunk: "
                            "expected a static number of them");
    chunk = std::max<int64_t>(*count, 1);
    break;
  default:
    break;
  }
  if (!hasChunks)
    return op.emitOpError("has no form in products of chunks: the transition ")
           << op.getTransition()
           << (op.getLogGate() ? " with a running maximum" : "")
           << " takes one token at a time (form=recurrent)";
  takeParts(values);
  // What chunks leave is computed by smaller ones.
  if (count && !op.getCuSeqlens()) {
    ladder = TileEmitter::getLadder(tokens, chunk);
    return success();
  }
  ladder = {chunk};
  for (int64_t size : {16, 1})
    if (size < ladder.back())
      ladder.push_back(size);
  return success();
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

void RecurrenceEmitter::chooseDivision() {
  keepsScale = op.getLogScale() != nullptr;
  if (!op.getOutput().hasOneUse() || inParts || stepColumns < values ||
      perValue)
    return;
  auto user = dyn_cast<DivideByLastOp>(*op.getOutput().user_begin());
  if (!user || user->getBlock() != op->getBlock() ||
      op.getAxes(op.getOutput())[user.getDimension()] != EinsumDim{kValue})
    return;
  if (Value scale = user.getLogScale()) {
    if (scale != op.getLogScale() || !scale.hasOneUse())
      return;
    keepsScale = false;
  }
  division = user;
}

/// An empty tensor of the shape of a result, which is stored as `stored`.
Value RecurrenceEmitter::createResult(Value result, Type stored) {
  if (!result)
    return nullptr;
  SmallVector<OpFoldResult> shape;
  auto type = cast<RankedTensorType>(stored);
  for (auto [i, dim] : llvm::enumerate(op.getAxes(result))) {
    if (!type.isDynamicDim(i)) {
      shape.push_back(b.getIndexAttr(type.getDimSize(i)));
      continue;
    }
    if (dim.front() == kSegment) {
      // One less than there are bounds.
      AffineExpr d0 = b.getAffineDimExpr(0);
      shape.push_back(affine::makeComposedFoldedAffineApply(
          b, loc, d0 - 1,
          {tensor::getMixedSize(b, loc, op.getCuSeqlens(), 0)}));
      continue;
    }
    // A whole dimension of an operand, or a product of axes.
    OpFoldResult size = b.getIndexAttr(1);
    AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
    for (char axis : dim)
      size = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0 * d1), {size, sizeOf(b, axis)});
    shape.push_back(size);
  }
  return tensor::EmptyOp::create(b, loc, shape, type.getElementType());
}

/// The tensor in which a final state is made: the initial one, or the fill.
FailureOr<Value> RecurrenceEmitter::createState(Value result, Value initial,
                                                double fill) {
  if (!result)
    return Value();
  if (initial) {
    if (op.getAxes(result) != op.getAxes(initial) ||
        result.getType() != initial.getType())
      return op.emitOpError("expected the initial and the final state to be of "
                            "the same type and axes");
    return initial;
  }
  Value empty = createResult(result, result.getType());
  Value value = TileOps(b, loc).constant(element, fill);
  return linalg::FillOp::create(b, loc, value, empty).getResult(0);
}

Box RecurrenceEmitter::getBox(OpBuilder &n, const EinsumOperand &axes,
                              const AxisPlaces &places,
                              OpFoldResult tokenOffset, OpFoldResult count,
                              std::optional<Columns> inPart) {
  Box box;
  AffineExpr d0 = n.getAffineDimExpr(0), d1 = n.getAffineDimExpr(1);
  for (const EinsumDim &dim : axes) {
    box.strides.push_back(n.getIndexAttr(1));
    if (dim.front() == kToken) {
      box.offsets.push_back(tokenOffset);
      box.sizes.push_back(count);
      continue;
    }
    // Fixed axes have a place, all others are whole: they are the last ones of
    // a group.
    OpFoldResult offset = n.getIndexAttr(0), size = n.getIndexAttr(1);
    for (char axis : dim) {
      // The part of one state is one wide in the state's axes.
      if (inPart && llvm::is_contained(stateAxes, axis))
        continue;
      auto place = places.ranges.find(axis);
      OpFoldResult extent = sizeOf(n, axis);
      // Some of the value channels, of all or of those of a part.
      if (axis == kValue && inPart && (inParts || stepColumns < values)) {
        size = n.getIndexAttr(inPart->size);
        offset = inPart->offset;
        continue;
      }
      if (axis == kValue && inParts) {
        size = n.getIndexAttr(values);
        offset = place->second.offset;
        continue;
      }
      offset = affine::makeComposedFoldedAffineApply(
          n, loc, AffineMap::get(2, 0, d0 * d1), {offset, extent});
      if (place != places.ranges.end() && place->second.offset) {
        offset = affine::makeComposedFoldedAffineApply(
            n, loc, AffineMap::get(2, 0, d0 + d1),
            {offset, place->second.offset});
      } else {
        size = affine::makeComposedFoldedAffineApply(
            n, loc, AffineMap::get(2, 0, d0 * d1), {size, extent});
      }
    }
    box.offsets.push_back(offset);
    box.sizes.push_back(size);
  }
  return box;
}

/// The box of the tensor that is stored of the output.
Box RecurrenceEmitter::getOutputBox(OpBuilder &n, const AxisPlaces &places,
                                    OpFoldResult tokenOffset,
                                    OpFoldResult count,
                                    std::optional<Columns> inPart) {
  Box box =
      getBox(n, op.getAxes(op.getOutput()), places, tokenOffset, count, inPart);
  if (division) {
    int64_t dim = division.getDimension();
    box.sizes[dim] = n.getIndexAttr(division.getType().getDimSize(dim));
  }
  return box;
}

/// The tile of the output, or of its division.
Value RecurrenceEmitter::divide(OpBuilder &n, const RecurrenceRead &read) {
  if (!division)
    return read.output;
  TileOps ops(n, loc);
  int64_t rows = cast<RankedTensorType>(read.output.getType()).getDimSize(0);
  OpFoldResult zero = n.getIndexAttr(0), last = n.getIndexAttr(values - 1);
  Value num = ops.getBox(read.output, zero, rows, zero, values - 1),
        den = ops.getBox(read.output, zero, rows, last, 1);
  return TileEmitter::divideTile(
      n, division, num, den, division.getLogScale() ? read.logScale : Value());
}

Value RecurrenceEmitter::extract(OpBuilder &n, Value tensor, const Box &box) {
  return tensor::ExtractSliceOp::create(n, loc, tensor, box.offsets, box.sizes,
                                        box.strides);
}

/// The state's tile [K, V], or that of its maximum, of rank 0 or [V].
FailureOr<Value> RecurrenceEmitter::readStateTile(OpBuilder &n, Value tensor,
                                                  Value named,
                                                  const AxisPlaces &places,
                                                  bool isMax) {
  EinsumOperand axes = op.getAxes(named);
  Box box = getBox(n, axes, places, n.getIndexAttr(0), n.getIndexAttr(1));
  int64_t key = Einsum::find(axes, kKey), value = Einsum::find(axes, kValue);
  SmallVector<int64_t> shape;
  if (key >= 0)
    shape.push_back(keys);
  if (value >= 0)
    shape.push_back(values);
  bool transposed = key >= 0 && value >= 0 && key > value;
  if (transposed)
    std::swap(shape[0], shape[1]);
  TileOps ops(n, loc);
  Value tile = tensor::ExtractSliceOp::create(
      n, loc,
      RankedTensorType::get(
          shape, cast<RankedTensorType>(tensor.getType()).getElementType()),
      tensor, box.offsets, box.sizes, box.strides);
  tile = ops.convert(tile, element);
  if (transposed)
    tile = ops.transpose(tile);
  if (isMax) {
    if (value >= 0 || !perValue)
      return tile;
    return ops.broadcast(
        {values}, element, {{tile, ""}},
        [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  }
  // An axis of one channel has no dimension.
  if (key >= 0 && value >= 0)
    return tile;
  return ops.broadcast(
      {keys, values}, element,
      {{tile, key >= 0     ? "i"
              : value >= 0 ? "j"
                           : ""}},
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// Puts a tile of tokens, [T, V] or [T], into the part of a result that one
/// sequence has.
Value RecurrenceEmitter::insertTile(OpBuilder &n, Value tile, Value into,
                                    Value result, const AxisPlaces &places,
                                    OpFoldResult token, Columns columns) {
  EinsumOperand axes = op.getAxes(result);
  int64_t first = Einsum::find(axes, kToken),
          second = Einsum::find(axes, kValue);
  auto type = cast<RankedTensorType>(tile.getType());
  TileOps ops(n, loc);
  if (type.getRank() == 2 && second < 0)
    tile = ops.flatten(tile); // one value channel
  else if (type.getRank() == 2 && first > second)
    tile = ops.transpose(tile);
  OpFoldResult rows = n.getIndexAttr(type.getDimSize(0));
  Box box = result == op.getOutput()
                ? getOutputBox(n, places, token, rows, columns)
                : getBox(n, axes, places, token, rows, columns);
  return tensor::InsertSliceOp::create(n, loc, tile, into, box.offsets,
                                       box.sizes, box.strides);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The reads of queries that have axes besides the state's: a loop each.
FailureOr<SmallVector<Value>>
RecurrenceEmitter::emitReads(OpBuilder &n, RecurrenceChunk &chunk,
                             const RecurrenceState &entry,
                             const AxisPlaces &places, OpFoldResult token,
                             Columns columns, Value output, Value logScale) {
  SmallVector<Value> carried{output};
  if (logScale)
    carried.push_back(logScale);
  OpBuilder inner = n;
  AxisPlaces query = places;
  SmallVector<scf::ForOp> loops;
  for (char axis : readAxes) {
    OpFoldResult size = sizeOf(inner, axis);
    auto loop = scf::ForOp::create(
        inner, loc, arith::ConstantIndexOp::create(inner, loc, 0),
        getValueOrCreateConstantIndexOp(inner, loc, size),
        arith::ConstantIndexOp::create(inner, loc, 1), carried);
    loops.push_back(loop);
    carried.assign(loop.getRegionIterArgs().begin(),
                   loop.getRegionIterArgs().end());
    query.ranges[axis].offset = loop.getInductionVar();
    query.sizes[axis] = size;
    inner = OpBuilder::atBlockBegin(loop.getBody());
  }
  FailureOr<RecurrenceRead> read = chunk.emitRead(inner, entry, query);
  if (failed(read))
    return failure();
  inner.setInsertionPointToEnd(inner.getInsertionBlock());
  carried[0] = insertTile(inner, divide(inner, *read), carried[0],
                          op.getOutput(), query, token, columns);
  if (logScale)
    carried[1] = insertTile(inner, read->logScale, carried[1], op.getLogScale(),
                            query, token, columns);
  for (scf::ForOp loop : llvm::reverse(loops)) {
    OpBuilder end = OpBuilder::atBlockEnd(loop.getBody());
    scf::YieldOp::create(end, loc, carried);
    carried.assign(loop.getResults().begin(), loop.getResults().end());
  }
  return carried;
}

/// A chunk or a token, on some value channels: what is carried is the state,
/// the maximum if there is one, and what the sequence has of the output and of
/// the log scale.
RecurrenceEmitter::Carried
RecurrenceEmitter::emitChunk(OpBuilder &n, const AxisPlaces &places,
                             OpFoldResult local, int64_t size, Columns columns,
                             ValueRange carried) {
  bool hasMax = op.getLogGate() != nullptr;
  RecurrenceState entry{carried[0], hasMax ? carried[1] : Value()};
  unsigned first = hasMax ? 2 : 1;
  Value output = carried[first];
  Value logScale = keepsScale ? carried[first + 1] : Value();
  RecurrenceChunk chunk(n, emitter, op, places, size, columns.size);
  RecurrenceState exit;
  if (failed(chunk.prepare(entry, readAxes.empty() ? &places : nullptr)))
    return failure();
  if (chunk.readsAfterUpdate())
    exit = chunk.emitUpdate(entry);
  FailureOr<SmallVector<Value>> reads =
      emitReads(n, chunk, chunk.readsAfterUpdate() ? exit : entry, places,
                local, columns, output, logScale);
  if (failed(reads))
    return failure();
  if (!chunk.readsAfterUpdate())
    exit = chunk.emitUpdate(entry);
  SmallVector<Value> results{exit.state};
  if (hasMax)
    results.push_back(exit.max);
  llvm::append_range(results, *reads);
  return results;
}

/// A token's step on `stepColumns` value channels after the others: what each
/// computes stays in registers.
RecurrenceEmitter::Carried
RecurrenceEmitter::emitColumns(OpBuilder &n, const AxisPlaces &places,
                               OpFoldResult local, ValueRange carried) {
  auto loop = scf::ForOp::create(
      n, loc, arith::ConstantIndexOp::create(n, loc, 0),
      arith::ConstantIndexOp::create(n, loc, values),
      arith::ConstantIndexOp::create(n, loc, stepColumns), carried);
  OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
  OpFoldResult column = loop.getInductionVar();
  AxisPlaces here = places;
  AxisRange &range = here.ranges[kValue];
  AffineExpr d0 = inner.getAffineDimExpr(0), d1 = inner.getAffineDimExpr(1);
  range = {range.offset ? affine::makeComposedFoldedAffineApply(
                              inner, loc, AffineMap::get(2, 0, d0 + d1),
                              {range.offset, column})
                        : column,
           stepColumns};
  // The state [K, V] and, if there is one, the maximum [V].
  SmallVector<Value> parts(loop.getRegionIterArgs());
  unsigned count = op.getLogGate() ? 2 : 1;
  OpFoldResult zero = inner.getIndexAttr(0), one = inner.getIndexAttr(1),
               rows = inner.getIndexAttr(keys),
               cols = inner.getIndexAttr(stepColumns);
  SmallVector<OpFoldResult> offsets{zero, column}, sizes{rows, cols},
      strides{one, one};
  for (unsigned i = 0; i < count; ++i)
    parts[i] = tensor::ExtractSliceOp::create(
        inner, loc, parts[i], ArrayRef(offsets).drop_front(i),
        ArrayRef(sizes).drop_front(i), ArrayRef(strides).drop_front(i));
  Carried results =
      emitChunk(inner, here, local, 1, {column, stepColumns}, parts);
  if (failed(results))
    return failure();
  inner.setInsertionPointToEnd(loop.getBody());
  for (unsigned i = 0; i < count; ++i)
    (*results)[i] = tensor::InsertSliceOp::create(
        inner, loc, (*results)[i], loop.getRegionIterArg(i),
        ArrayRef(offsets).drop_front(i), ArrayRef(sizes).drop_front(i),
        ArrayRef(strides).drop_front(i));
  scf::YieldOp::create(inner, loc, *results);
  return SmallVector<Value>(loop.getResults());
}

/// One sequence: the tokens [lo, hi) of one index of the state's batch axes.
LogicalResult RecurrenceEmitter::emitSequence(OpBuilder &n, scf::ForallOp loop,
                                              const AxisPlaces &places,
                                              OpFoldResult lo,
                                              OpFoldResult hi) {
  // 1. What is carried: the state, its maximum, and this part of the outputs.
  SmallVector<Value> outs(loop.getRegionIterArgs());
  Outputs out;
  unsigned next = 0;
  out.output = outs[next++];
  out.logScale = keepsScale ? outs[next++] : Value();
  out.state = op.getFinalState() ? outs[next++] : Value();
  out.max = op.getFinalMax() ? outs[next++] : Value();
  TileOps ops(n, loc);
  RecurrenceState start;
  if (op.getInitialState() || out.state) {
    FailureOr<Value> tile =
        out.state
            ? readStateTile(n, out.state, op.getFinalState(), places, false)
            : readStateTile(n, op.getInitialState(), op.getInitialState(),
                            places, false);
    if (failed(tile))
      return failure();
    start.state = *tile;
  } else {
    start.state = ops.fill({keys, values}, element, 0);
  }
  if (op.getLogGate()) {
    if (op.getInitialMax() || out.max) {
      FailureOr<Value> tile =
          out.max ? readStateTile(n, out.max, op.getFinalMax(), places, true)
                  : readStateTile(n, op.getInitialMax(), op.getInitialMax(),
                                  places, true);
      if (failed(tile))
        return failure();
      start.max = *tile;
    } else {
      SmallVector<int64_t> shape;
      if (perValue)
        shape.push_back(values);
      start.max =
          ops.fill(shape, element, -std::numeric_limits<double>::infinity());
    }
  }
  AffineExpr d0 = n.getAffineDimExpr(0), d1 = n.getAffineDimExpr(1);
  OpFoldResult count = affine::makeComposedFoldedAffineApply(
      n, loc, AffineMap::get(2, 0, d1 - d0), {lo, hi});
  Box outputBox = getOutputBox(n, places, lo, count);
  Box scaleBox;
  SmallVector<Value> carried{start.state};
  if (start.max)
    carried.push_back(start.max);
  carried.push_back(extract(n, out.output, outputBox));
  if (out.logScale) {
    scaleBox = getBox(n, op.getAxes(op.getLogScale()), places, lo, count);
    carried.push_back(extract(n, out.logScale, scaleBox));
  }
  // 2. The chunks.
  auto body = [&](OpBuilder &m, Value token, int64_t size,
                  ValueRange now) -> Carried {
    AxisPlaces here = places;
    here.ranges[kToken] = {OpFoldResult(token), size};
    OpFoldResult local = affine::makeComposedFoldedAffineApply(
        m, loc, AffineMap::get(2, 0, d1 - d0), {lo, OpFoldResult(token)});
    if (size == 1 && stepColumns < values)
      return emitColumns(m, here, local, now);
    return emitChunk(m, here, local, size, {m.getIndexAttr(0), values}, now);
  };
  FailureOr<SmallVector<Value>> results =
      TileEmitter::forEachTile(n, loc, lo, hi, ladder, carried, body);
  if (failed(results))
    return failure();

  // 3. Everything back into the whole.
  unsigned at = start.max ? 2 : 1;
  OpBuilder end = OpBuilder::atBlockBegin(loop.getTerminator().getBody());
  auto putBack = [&](Value part, Value into, const Box &box) {
    tensor::ParallelInsertSliceOp::create(end, loc, part, into, box.offsets,
                                          box.sizes, box.strides);
  };
  putBack((*results)[at], out.output, outputBox);
  if (out.logScale)
    putBack((*results)[at + 1], out.logScale, scaleBox);
  auto putState = [&](Value tile, Value into, Value result) {
    EinsumOperand axes = op.getAxes(result);
    Box box = getBox(n, axes, places, n.getIndexAttr(0), n.getIndexAttr(1));
    int64_t key = Einsum::find(axes, kKey), value = Einsum::find(axes, kValue);
    TileOps tiles(n, loc);
    if (cast<RankedTensorType>(tile.getType()).getRank() == 2) {
      if (key < 0 || value < 0)
        tile = tiles.flatten(tile);
      else if (key > value)
        tile = tiles.transpose(tile);
      if (key < 0 && value < 0)
        tile = tensor::CollapseShapeOp::create(
            n, loc, tile, ArrayRef<ReassociationIndices>{});
    }
    putBack(tile, into, box);
  };
  if (out.state)
    putState((*results)[0], out.state, op.getFinalState());
  if (out.max)
    putState((*results)[1], out.max, op.getFinalMax());
  return success();
}

FailureOr<ComputedValues> RecurrenceEmitter::emit() {
  if (failed(chooseTiles()))
    return failure();
  chooseDivision();
  Value output = division ? division.getResult() : op.getOutput();
  SmallVector<Value> stored{output},
      outs{createResult(op.getOutput(), output.getType())};
  if (keepsScale) {
    stored.push_back(op.getLogScale());
    outs.push_back(createResult(op.getLogScale(), op.getLogScale().getType()));
  }
  FailureOr<Value> state =
      createState(op.getFinalState(), op.getInitialState(), 0);
  FailureOr<Value> max = createState(op.getFinalMax(), op.getInitialMax(),
                                     -std::numeric_limits<double>::infinity());
  if (failed(state) || failed(max))
    return failure();
  for (auto [result, value] :
       {std::pair<Value, Value>(op.getFinalState(), *state),
        std::pair<Value, Value>(op.getFinalMax(), *max)})
    if (result) {
      stored.push_back(result);
      outs.push_back(value);
    }

  // One iteration a state; a segment of packed sequences has its own.
  SmallVector<OpFoldResult> lower, upper, step;
  for (char axis : stateAxes)
    upper.push_back(sizeOf(b, axis));
  if (op.getCuSeqlens()) {
    AffineExpr d0 = b.getAffineDimExpr(0);
    upper.push_back(affine::makeComposedFoldedAffineApply(
        b, loc, d0 - 1, {tensor::getMixedSize(b, loc, op.getCuSeqlens(), 0)}));
  }
  if (inParts)
    upper.push_back(b.getIndexAttr(op.getAxisSize(kValue) / values));
  if (upper.empty())
    upper.push_back(b.getIndexAttr(1));
  lower.assign(upper.size(), b.getIndexAttr(0));
  step.assign(upper.size(), b.getIndexAttr(1));
  auto loop = scf::ForallOp::create(b, loc, lower, upper, step, outs,
                                    /*mapping=*/std::nullopt);
  OpBuilder inner = OpBuilder::atBlockBegin(loop.getBody());
  AxisPlaces places;
  for (auto [i, axis] : llvm::enumerate(stateAxes)) {
    places.ranges[axis].offset = OpFoldResult(loop.getInductionVar(i));
    places.sizes[axis] = upper[i];
  }
  if (inParts) {
    AffineExpr d0 = inner.getAffineDimExpr(0);
    places.ranges[kValue] = {
        affine::makeComposedFoldedAffineApply(
            inner, loc, d0 * values,
            {OpFoldResult(loop.getInductionVars().back())}),
        values};
  }
  OpFoldResult lo = b.getIndexAttr(0), hi = tokens;
  if (Value bounds = op.getCuSeqlens()) {
    Value segment = loop.getInductionVar(stateAxes.size());
    places.ranges[kSegment].offset = OpFoldResult(segment);
    auto bound = [&](Value index) -> OpFoldResult {
      Value element = tensor::ExtractOp::create(inner, loc, bounds, index);
      return arith::IndexCastOp::create(inner, loc, inner.getIndexType(),
                                        element)
          .getResult();
    };
    lo = bound(segment);
    Value one = arith::ConstantIndexOp::create(inner, loc, 1);
    hi = bound(arith::AddIOp::create(inner, loc, segment, one));
  }
  if (failed(emitSequence(inner, loop, places, lo, hi)))
    return failure();
  ComputedValues computed;
  for (auto [value, tensor] : llvm::zip_equal(stored, loop.getResults()))
    computed.emplace_back(value, tensor);
  return computed;
}

FailureOr<ComputedValues> attn::emitRecurrence(TileEmitter &emitter,
                                               RecurrenceOp op,
                                               const PartSizes &parts) {
  return RecurrenceEmitter(emitter, op, parts).emit();
}
