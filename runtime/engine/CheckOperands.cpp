//===- CheckOperands.cpp - Decays, gates, segments and steps of a call -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Bounds.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/reference/Contents.h"
#include "runtime/reference/Reference.h"

using namespace mlir;
using mlir::attn::CausalScoreOp;
using mlir::attn::ContractionOpInterface;
using mlir::attn::Einsum;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;
using mlir::attn::ExpandStepsOp;
using mlir::attn::GateOp;
using mlir::attn::RecurrenceOp;
using mlir::attn::TakeStepsOp;

namespace attn {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// What is evaluated before a run
//===----------------------------------------------------------------------===//

static bool hasTwoTokenAxes(const EinsumOperand &operand) {
  int64_t tokens = 0;
  for (const EinsumDim &dim : operand)
    tokens += llvm::count_if(dim, Einsum::isTokenAxis);
  return tokens > 1;
}

/// Whether a check may evaluate the operation: what is linear in the tokens.
static bool isCheap(Operation *op) {
  namespace ir = mlir::attn;
  if (auto product = dyn_cast<ContractionOpInterface>(op)) {
    Einsum einsum = product.getSubscripts();
    return !hasTwoTokenAxes(einsum.lhs) && !hasTwoTokenAxes(einsum.rhs) &&
           !hasTwoTokenAxes(einsum.result);
  }
  return !isa<ir::CausalScoreOp, ir::SolveOp, ir::RecurrenceOp, ir::ScanOp,
              ir::MaskOp, ir::SoftmaxOp, ir::NormalizeOp>(op) &&
         (op->hasTrait<OpTrait::Elementwise>() ||
          isa<ir::AttnDialect>(op->getDialect()) ||
          op->hasTrait<OpTrait::ConstantLike>() ||
          isa_and_nonnull<tensor::TensorDialect>(op->getDialect()));
}

ContentChecks::Reader ContentChecks::getReader(Value value) {
  func::FuncOp func = function;
  if (value.getParentBlock() != &func.getBody().front())
    return nullptr;
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber();
    readArguments.set(number);
    return [number](ArrayRef<Array> arguments) { return arguments[number]; };
  }
  SmallVector<Operation *> slice = getSlice(func, value);
  if (!llvm::all_of(slice, isCheap))
    return nullptr;
  for (Operation *op : slice)
    op->walk([&](Operation *nested) {
      for (Value operand : nested->getOperands())
        if (auto argument = dyn_cast<BlockArgument>(operand))
          if (argument.getOwner() == &func.getBody().front())
            readArguments.set(argument.getArgNumber());
    });
  return [func, value](ArrayRef<Array> arguments) {
    return evaluateSlice(func, value, arguments);
  };
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

void ContentChecks::addRange(Operation *op, StringRef name, Value value,
                             double lo, double hi) {
  if (!value || getBounds(value).isWithin(lo, hi))
    return;
  Reader read = getReader(value);
  if (!read)
    return;
  contentChecks.push_back([=](ArrayRef<Array> arguments) -> llvm::Error {
    llvm::Expected<Array> array = read(arguments);
    if (!array)
      return array.takeError();
    if (auto wrong = findOutside(name, *array, lo, hi))
      return createError(op->getLoc(), *wrong);
    return llvm::Error::success();
  });
}

void ContentChecks::addSegments(RecurrenceOp op) {
  auto getAxisSize = [&](Value value, char axis) -> std::optional<Extent> {
    EinsumOperand axes = op.getAxes(value);
    int64_t dim = Einsum::find(axes, axis);
    if (dim < 0 || axes[dim].size() != 1)
      return std::nullopt;
    return getSize(value, dim);
  };
  auto tokens = getAxisSize(op.getOutput(), RecurrenceOp::kToken);
  Reader read = getReader(op.getCuSeqlens());
  if (!read || !tokens)
    return;
  SmallVector<Extent, 2> states;
  for (Value state : {op.getInitialState(), op.getInitialMax()})
    if (state)
      if (auto size = getAxisSize(state, RecurrenceOp::kSegment))
        states.push_back(*size);
  contentChecks.push_back(
      [=](ArrayRef<Array> arguments) mutable -> llvm::Error {
        llvm::Expected<Array> segments = read(arguments);
        if (!segments)
          return segments.takeError();
        if (auto wrong = verifySegments(op.getContext(), *segments,
                                        tokens->get(arguments)))
          return createError(op.getLoc(), *wrong);
        int64_t count = segments->getNumElements() - 1;
        for (const Extent &size : states)
          if (size.get(arguments) != count)
            return createError(op.getLoc(), "cu_seqlens has " + Twine(count) +
                                                " segments, expected " +
                                                Twine(size.get(arguments)));
        return llvm::Error::success();
      });
}

void ContentChecks::addSteps(Location loc, Value few, Value many, int64_t dim,
                             int64_t steps) {
  auto tokens = getSize(few, dim), all = getSize(many, dim);
  if (!all)
    return;
  sizeChecks.push_back([=](ArrayRef<Array> arguments) -> llvm::Error {
    int64_t got = all->get(arguments);
    if (got % steps != 0)
      return createError(loc, Twine(got) + " steps are not a multiple of " +
                                  Twine(steps));
    if (tokens && got != steps * tokens->get(arguments))
      return createError(loc, "expected " + Twine(steps) +
                                  " steps for each of " +
                                  Twine(tokens->get(arguments)) +
                                  " tokens, got " + Twine(got));
    return llvm::Error::success();
  });
}

void ContentChecks::addOperands(Operation *op) {
  if (auto score = dyn_cast<CausalScoreOp>(op)) {
    if (!score.getUnbounded())
      addRange(op, "decay", score.getDecay(), -kInfinity, 0);
  } else if (auto gate = dyn_cast<GateOp>(op)) {
    if (gate.getLo() && gate.getHi())
      addRange(op, "gate", gate.getGate(), gate.getLo()->convertToDouble(),
               gate.getHi()->convertToDouble());
  } else if (auto recurrence = dyn_cast<RecurrenceOp>(op)) {
    if (recurrence.getTransition().isLogDecay())
      addRange(op, "decay", recurrence.getTransitionOperand(), -kInfinity, 0);
    if (recurrence.getCuSeqlens())
      addSegments(recurrence);
  } else if (auto steps = dyn_cast<ExpandStepsOp>(op)) {
    addSteps(op->getLoc(), steps.getInput(), steps.getResult(),
             steps.getTokenDimension(), steps.getSteps());
  } else if (auto steps = dyn_cast<TakeStepsOp>(op)) {
    addSteps(op->getLoc(), steps.getResult(), steps.getInput(),
             steps.getTokenDimension(), steps.getSteps());
  }
}

} // namespace attn
