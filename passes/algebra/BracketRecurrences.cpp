//===- BracketRecurrences.cpp - Segments composed by their transitions ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A segment of tokens maps the state S on entry to T S + B, with T the composed
// transition and B what it writes. Both are found without S:
//
//   B = the state after the segment from zero,
//   T = the state after it from the identity, nothing being written or given.
//
// Two segments compose to (T2 T1, T2 B1 + B2), which is associative, so that
// the states between segments are a scan of these pairs. Each segment then runs
// by itself from its state on entry.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNBRACKETRECURRENCES
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue;

namespace {
class Bracketing {
public:
  Bracketing(RecurrenceOp op, int64_t segments)
      : op(op), segments(segments), b(op), loc(op.getLoc()),
        keys(op.getAxisSize(kKey)), values(op.getAxisSize(kValue)),
        tokens(op.getAxisSize(kToken)), stateAxes(op.getStateAxes()) {}

  /// Why the recurrence stays one; empty if it can be cut.
  std::string getObstacle();
  void emit();

private:
  RankedTensorType getStateType(int64_t columns) const;
  Value slice(Value value, int64_t begin, int64_t count);
  RecurrenceOp emitSegment(int64_t begin, int64_t count, Value state,
                           bool isTransition);
  Value fillState(int64_t columns, double diagonal);

  RecurrenceOp op;
  int64_t segments;
  OpBuilder b;
  Location loc;
  int64_t keys, values, tokens;
  SmallVector<char> stateAxes;
};
} // namespace

std::string Bracketing::getObstacle() {
  if (ShapedType::isDynamic(tokens))
    return "the number of tokens is not static";
  if (tokens < segments)
    return "there are fewer tokens than segments";
  if (op.getCuSeqlens())
    return "packed sequences have segments of their own";
  if (op.getLogGate())
    return "a running maximum is part of the state";
  if (op.getTransition().getTileAxes().value_or("").contains(kValue))
    return "the transition differs along the value channels";
  for (char axis : stateAxes)
    if (ShapedType::isDynamic(op.getAxisSize(axis)))
      return "a batch size is not static";
  return "";
}

/// The batch axes of the state, then d and the columns.
RankedTensorType Bracketing::getStateType(int64_t columns) const {
  RecurrenceOp recurrence = op;
  SmallVector<int64_t> shape;
  for (char axis : stateAxes)
    shape.push_back(recurrence.getAxisSize(axis));
  shape.append({keys, columns});
  return RankedTensorType::get(shape, recurrence.getElementType());
}

Value Bracketing::slice(Value value, int64_t begin, int64_t count) {
  int64_t dim = value ? Einsum::find(op.getAxes(value), kToken) : -1;
  if (dim < 0)
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      strides(type.getRank(), b.getIndexAttr(1)),
      sizes = tensor::getMixedSizes(b, loc, value);
  offsets[dim] = b.getIndexAttr(begin);
  sizes[dim] = b.getIndexAttr(count);
  return tensor::ExtractSliceOp::create(b, loc, value, offsets, sizes, strides);
}

/// Zero, or the identity.
Value Bracketing::fillState(int64_t columns, double diagonal) {
  RankedTensorType type = getStateType(columns);
  int64_t matrices = type.getNumElements() / (keys * columns);
  if (diagonal == 0)
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  SmallVector<Attribute> elements;
  for (int64_t m = 0; m < matrices; ++m)
    for (int64_t i = 0; i < keys; ++i)
      for (int64_t j = 0; j < columns; ++j)
        elements.push_back(b.getFloatAttr(type.getElementType(), i == j));
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, elements));
}

/// The segment from a state; for its transition, with values of zero.
RecurrenceOp Bracketing::emitSegment(int64_t begin, int64_t count, Value state,
                                     bool isTransition) {
  auto cut = [&](Value value) { return slice(value, begin, count); };
  Type element = op.getElementType();
  Value zero;
  if (isTransition)
    zero = arith::ConstantOp::create(
        b, loc, b.getZeroAttr(RankedTensorType::get({}, element)));
  SmallVector<Value> newKeys, newValues;
  for (auto [key, value] : llvm::zip_equal(op.getKeys(), op.getValues())) {
    newKeys.push_back(cut(key));
    newValues.push_back(isTransition ? zero : cut(value));
  }
  Value input = op.getEraseInput();
  if (input)
    input = isTransition ? zero : cut(input);
  // Axes in the order of the operands; zeros have none, and the state is named.
  EinsumOperand named;
  for (char axis : stateAxes)
    named.push_back({axis});
  named.push_back({kKey});
  named.push_back({kValue});
  SmallVector<Attribute> axes;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (operand == op.getInitialState())
      continue;
    unsigned firstValue =
        (op.getTransitionOperand() ? 2 : 1) + op.getKeys().size();
    bool isValue = i >= firstValue && i < firstValue + op.getValues().size();
    bool isInput = op.erases() && operand == op.getEraseInput() && !isValue &&
                   i + 1 == firstValue + op.getValues().size() +
                                (op.getBonus() ? 1 : 0) + 3;
    axes.push_back(isTransition && (isValue || isInput)
                       ? b.getStringAttr("")
                       : Attribute(op.getOperandAxes()[i]));
  }
  axes.push_back(b.getStringAttr(toString(named)));

  EinsumOperand output = op.getAxes(op.getOutput());
  SmallVector<int64_t> shape(op.getOutput().getType().getShape());
  auto stateType = cast<RankedTensorType>(state.getType());
  for (auto [i, dim] : llvm::enumerate(output)) {
    if (dim == EinsumDim{kToken})
      shape[i] = count;
    if (dim == EinsumDim{kValue})
      shape[i] = stateType.getShape().back();
  }
  // A state of several columns needs an output for them.
  if (Einsum::find(output, kValue) < 0) {
    output.push_back({kValue});
    shape.push_back(stateType.getShape().back());
  }
  SmallVector<Attribute> resultAxes{b.getStringAttr(toString(output)),
                                    b.getStringAttr(toString(named))};
  return RecurrenceOp::create(
      b, loc, RankedTensorType::get(shape, element), Type(), stateType, Type(),
      op.getTransition(), cut(op.getTransitionOperand()), cut(op.getQuery()),
      newKeys, newValues, cut(op.getBonus()), Value(), cut(op.getEraseQuery()),
      cut(op.getEraseKey()), input, state, Value(), Value(), op.getReadAttr(),
      op.getEraseReadAttr(), b.getArrayAttr(axes), b.getArrayAttr(resultAxes),
      op.getFormAttr(), op.getChunkAttr());
}

void Bracketing::emit() {
  // 1. States on entry to the segments.
  Value state = op.getInitialState();
  if (!state)
    state = fillState(values, 0);
  std::string batch(stateAxes.begin(), stateAxes.end());
  std::string text = batch + "ed," + batch + "dv->" + batch + "ev";
  SmallVector<std::pair<int64_t, int64_t>> parts;
  for (int64_t i = 0; i < segments; ++i)
    parts.push_back({i * tokens / segments, (i + 1) * tokens / segments});
  SmallVector<Value> entries{state};
  for (auto [begin, end] : ArrayRef(parts).drop_back()) {
    Value local = emitSegment(begin, end - begin, fillState(values, 0), false)
                      .getFinalState();
    Value transition = emitSegment(begin, end - begin, fillState(keys, 1), true)
                           .getFinalState();
    // S' = T S + B
    Value moved = ContractOp::create(b, loc, local.getType(), transition,
                                     entries.back(), text);
    entries.push_back(arith::AddFOp::create(b, loc, moved, local));
  }
  // 2. Each segment from its own.
  RankedTensorType type = op.getOutput().getType();
  int64_t dim = Einsum::find(op.getAxes(op.getOutput()), kToken);
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      strides(type.getRank(), b.getIndexAttr(1)),
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
  Value output =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  RecurrenceOp last;
  for (auto [part, entry] : llvm::zip_equal(parts, entries)) {
    last = emitSegment(part.first, part.second - part.first, entry, false);
    offsets[dim] = b.getIndexAttr(part.first);
    sizes[dim] = b.getIndexAttr(part.second - part.first);
    output = tensor::InsertSliceOp::create(b, loc, last.getOutput(), output,
                                           offsets, sizes, strides);
  }
  op.getOutput().replaceAllUsesWith(output);
  if (op.getFinalState())
    op.getFinalState().replaceAllUsesWith(last.getFinalState());
  op.erase();
}

namespace {
struct BracketRecurrences
    : attn::impl::AttnBracketRecurrencesBase<BracketRecurrences> {
  using AttnBracketRecurrencesBase::AttnBracketRecurrencesBase;

  void runOnOperation() override {
    if (segments < 1) {
      getOperation().emitError("expected one segment or more, got ")
          << int64_t(segments);
      return signalPassFailure();
    }
    if (segments == 1)
      return;
    SmallVector<RecurrenceOp> ops;
    getOperation().walk([&](RecurrenceOp op) { ops.push_back(op); });
    for (RecurrenceOp op : ops) {
      Bracketing bracketing(op, segments);
      std::string obstacle = bracketing.getObstacle();
      if (obstacle.empty() && !hasPlainState(op))
        obstacle = "the state has another layout than its batch axes, d and v";
      if (obstacle.empty()) {
        bracketing.emit();
        continue;
      }
      std::string text = "not cut into segments: " + obstacle;
      remark::missed(op.getLoc(),
                     remark::RemarkOpts::name("attn-bracket-recurrences")
                         .category("attn-bracket-recurrences")
                         .function(getOperation().getName()))
          << StringRef(text);
    }
  }

private:
  /// States that are there have the layout that segments exchange.
  static bool hasPlainState(RecurrenceOp op) {
    EinsumOperand named;
    for (char axis : op.getStateAxes())
      named.push_back({axis});
    named.push_back({kKey});
    named.push_back({kValue});
    return (!op.getInitialState() ||
            op.getAxes(op.getInitialState()) == named) &&
           (!op.getFinalState() || op.getAxes(op.getFinalState()) == named) &&
           Einsum::find(op.getAxes(op.getOutput()), kValue) >= 0 &&
           op.getOutput().getType().hasStaticShape();
  }
};
} // namespace
