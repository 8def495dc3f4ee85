//===- ExposeState.cpp - States as arguments and results ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Passes.h"
#include "passes/algebra/ShapeClasses.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNEXPOSESTATE
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// Batch axes in groups as operands have them, the segment, and the channels in
/// the order of the transition's operand.
static EinsumOperand getStateAxes(RecurrenceOp op) {
  SmallVector<char> state = op.getStateAxes();
  SmallVector<EinsumDim> groups;
  for (const EinsumOperand &axes : op.getAxesOfOperands())
    for (const EinsumDim &dim : axes)
      if (dim.size() > 1 && !llvm::is_contained(groups, dim) &&
          llvm::all_of(
              dim, [&](char axis) { return llvm::is_contained(state, axis); }))
        groups.push_back(dim);
  EinsumOperand axes;
  for (char axis : state) {
    if (Einsum::find(axes, axis) >= 0)
      continue;
    const EinsumDim *group = llvm::find_if(groups, [&](const EinsumDim &dim) {
      return llvm::is_contained(dim, axis);
    });
    axes.push_back(group == groups.end() ? EinsumDim{axis} : *group);
  }
  return axes;
}

static bool isValueFirst(RecurrenceOp op) {
  Value operand = op.getTransitionOperand();
  if (!operand)
    return false;
  EinsumOperand axes = op.getAxes(operand);
  int64_t key = Einsum::find(axes, RecurrenceOp::kKey),
          value = Einsum::find(axes, RecurrenceOp::kValue);
  return key >= 0 && value >= 0 && value < key;
}

static RankedTensorType getStateType(RecurrenceOp op,
                                     const EinsumOperand &axes) {
  SmallVector<int64_t> shape;
  for (const EinsumDim &dim : axes) {
    int64_t size = 1;
    for (char axis : dim) {
      int64_t part = op.getAxisSize(axis);
      size = ShapedType::isDynamic(part) || ShapedType::isDynamic(size)
                 ? ShapedType::kDynamic
                 : size * part;
    }
    shape.push_back(dim.front() == RecurrenceOp::kSegment ? ShapedType::kDynamic
                                                          : size);
  }
  return RankedTensorType::get(shape, op.getElementType());
}

namespace {
struct ExposeState : attn::impl::AttnExposeStateBase<ExposeState> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    if (failed(checkCuts()))
      return signalPassFailure();
    SmallVector<RecurrenceOp> ops;
    func.walk([&](RecurrenceOp op) { ops.push_back(op); });
    Operation *exit = func.getBody().front().getTerminator();
    SmallVector<Value> results(exit->getOperands());
    for (RecurrenceOp op : ops)
      if (!op.getInitialState() && !op.getFinalState())
        expose(op, results);
    if (failed(exposePositions(results)))
      return signalPassFailure();
    exit->setOperands(results);
    for (Value state : ArrayRef(results).drop_front(func.getNumResults()))
      if (failed(func.insertResult(func.getNumResults(), state.getType(),
                                   /*resultAttrs=*/{})))
        return signalPassFailure();
  }

private:
  /// Nothing but recurrences carries anything from one token to another.
  LogicalResult checkCuts() {
    WalkResult walk = getOperation().walk([&](Operation *op) {
      bool mixes =
          isa<MaskOp, SoftmaxOp, NormalizeOp, CausalScoreOp, SolveOp, ScanOp>(
              op);
      if (auto product = dyn_cast<ContractionOpInterface>(op))
        for (char axis : product.getSubscripts().getRoles().contracted)
          mixes |= Einsum::isTokenAxis(axis);
      if (mixes) {
        op->emitOpError(
            "mixes tokens and is no recurrence: the sequence cannot "
            "be cut");
        return WalkResult::interrupt();
      }
      if (isa<RecurrenceOp>(op) && op->getParentOp() != getOperation()) {
        op->emitOpError(
            "is not in the body of the function: its state cannot be "
            "an argument");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  BlockArgument addState(Type type, Location loc) {
    func::FuncOp func = getOperation();
    unsigned index = func.getNumArguments();
    NamedAttribute state(StringAttr::get(&getContext(), kStateAttrName),
                         UnitAttr::get(&getContext()));
    (void)func.insertArgument(index, type,
                              DictionaryAttr::get(&getContext(), state), loc);
    return func.getArgument(index);
  }

  /// A position for each sequence whose tokens have features of their position:
  /// that of the first token, and of the one after the last.
  LogicalResult exposePositions(SmallVectorImpl<Value> &results) {
    func::FuncOp func = getOperation();
    // Sequences of one length are cut at the same tokens.
    llvm::MapVector<ShapeClasses::Id, SmallVector<FeatureMapOp>> maps;
    FailureOr<ShapeClasses> classes = ShapeClasses::analyze(func);
    if (failed(classes))
      return failure();
    func.walk([&](FeatureMapOp op) {
      if (op.getMap() && op.getMap()->usesPosition() && !op.getStart())
        maps[classes->getClass(op.getInput(), op.getTokenDimension())]
            .push_back(op);
    });
    OpBuilder b(func.getBody().front().getTerminator());
    auto type = RankedTensorType::get({}, b.getI64Type());
    for (auto &[id, ops] : maps) {
      Location loc = ops.front().getLoc();
      BlockArgument start = addState(type, loc);
      for (FeatureMapOp op : ops)
        op.getStartMutable().assign(start);
      Value tokens = tensor::DimOp::create(b, loc, ops.front().getInput(),
                                           ops.front().getTokenDimension());
      tokens = arith::IndexCastOp::create(b, loc, b.getI64Type(), tokens);
      Value before = tensor::ExtractOp::create(b, loc, start, ValueRange());
      Value next = arith::AddIOp::create(b, loc, before, tokens);
      results.push_back(
          tensor::InsertOp::create(b, loc, next, start, ValueRange()));
    }
    return success();
  }

  void expose(RecurrenceOp op, SmallVectorImpl<Value> &results) {
    OpBuilder b(op);
    EinsumOperand axes = getStateAxes(op), maxAxes = axes;
    if (op.getCuSeqlens()) {
      axes.push_back({RecurrenceOp::kSegment});
      maxAxes.push_back({RecurrenceOp::kSegment});
    }
    char channels[] = {RecurrenceOp::kKey, RecurrenceOp::kValue};
    if (isValueFirst(op))
      std::swap(channels[0], channels[1]);
    auto has = [&](char axis) {
      return llvm::any_of(op.getAxesOfOperands(),
                          [&](const EinsumOperand &operand) {
                            return Einsum::find(operand, axis) >= 0;
                          });
    };
    for (char channel : channels)
      if (has(channel))
        axes.push_back({channel});
    auto addArgument = [&](const EinsumOperand &named) -> Value {
      return addState(getStateType(op, named), op.getLoc());
    };
    bool hasMax = op.getLogGate() != nullptr;
    if (hasMax && op.hasAxis(op.getLogGate(), RecurrenceOp::kValue))
      maxAxes.push_back({RecurrenceOp::kValue});
    Value state = addArgument(axes);
    Value max = hasMax ? addArgument(maxAxes) : Value();

    SmallVector<Attribute> operandAxes(op.getOperandAxes().getValue()),
        resultAxes(op.getResultAxes().getValue());
    for (auto *list : {&operandAxes, &resultAxes}) {
      list->push_back(b.getStringAttr(toString(axes)));
      if (hasMax)
        list->push_back(b.getStringAttr(toString(maxAxes)));
    }
    auto next = RecurrenceOp::create(
        b, op.getLoc(), op.getOutput().getType(),
        op.getLogScale() ? Type(op.getLogScale().getType()) : Type(),
        state.getType(), max ? max.getType() : Type(), op.getTransition(),
        op.getTransitionOperand(), op.getQuery(), op.getKeys(), op.getValues(),
        op.getBonus(), op.getLogGate(), op.getEraseQuery(), op.getEraseKey(),
        op.getEraseInput(), state, max, op.getCuSeqlens(), op.getReadAttr(),
        op.getEraseReadAttr(), b.getArrayAttr(operandAxes),
        b.getArrayAttr(resultAxes), op.getFormAttr(), op.getChunkAttr());
    op.getOutput().replaceAllUsesWith(next.getOutput());
    for (Value &result : results) {
      if (result == op.getOutput())
        result = next.getOutput();
      else if (op.getLogScale() && result == op.getLogScale())
        result = next.getLogScale();
    }
    if (op.getLogScale())
      op.getLogScale().replaceAllUsesWith(next.getLogScale());
    results.push_back(next.getFinalState());
    if (max)
      results.push_back(next.getFinalMax());
    op.erase();
  }
};
} // namespace
