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

llvm::Expected<std::optional<Array>>
ContentChecks::getOperand(Value value, ArrayRef<Array> arguments) const {
  func::FuncOp func = function;
  Block &block = func.getBody().front();
  if (value.getParentBlock() != &block)
    return std::nullopt;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return arguments[argument.getArgNumber()];
  if (!llvm::all_of(getSlice(func, value), isCheap))
    return std::nullopt;
  llvm::Expected<Array> array = evaluateSlice(func, value, arguments);
  if (!array)
    return array.takeError();
  return std::move(*array);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

llvm::Error ContentChecks::checkRange(Operation *op, StringRef name,
                                      Value value, double lo, double hi,
                                      ArrayRef<Array> arguments) const {
  if (!value || getBounds(value).isWithin(lo, hi))
    return llvm::Error::success();
  auto array = getOperand(value, arguments);
  if (!array)
    return array.takeError();
  if (*array)
    if (auto wrong = findOutside(name, **array, lo, hi))
      return createError(op->getLoc(), *wrong);
  return llvm::Error::success();
}

llvm::Error ContentChecks::checkSegments(RecurrenceOp op,
                                         ArrayRef<Array> arguments) const {
  auto getAxisSize = [&](Value value, char axis) -> std::optional<int64_t> {
    EinsumOperand axes = op.getAxes(value);
    int64_t dim = Einsum::find(axes, axis);
    if (dim < 0 || axes[dim].size() != 1)
      return std::nullopt;
    return getSize(value, dim, arguments);
  };
  auto tokens = getAxisSize(op.getOutput(), RecurrenceOp::kToken);
  auto segments = getOperand(op.getCuSeqlens(), arguments);
  if (!segments)
    return segments.takeError();
  if (!*segments || !tokens)
    return llvm::Error::success();
  if (auto wrong = verifySegments(op.getContext(), **segments, *tokens))
    return createError(op.getLoc(), *wrong);
  int64_t count = (*segments)->getNumElements() - 1;
  for (Value state : {op.getInitialState(), op.getInitialMax()}) {
    auto size = state ? getAxisSize(state, RecurrenceOp::kSegment)
                      : std::optional<int64_t>();
    if (size && *size != count)
      return createError(op.getLoc(), "cu_seqlens has " + Twine(count) +
                                          " segments, expected " +
                                          Twine(*size));
  }
  return llvm::Error::success();
}

llvm::Error ContentChecks::checkSteps(Location loc, Value few, Value many,
                                      int64_t dim, int64_t steps,
                                      ArrayRef<Array> arguments) const {
  auto tokens = getSize(few, dim, arguments);
  auto all = getSize(many, dim, arguments);
  if (all && *all % steps != 0)
    return createError(loc, Twine(*all) + " steps are not a multiple of " +
                                Twine(steps));
  if (all && tokens && *all != steps * *tokens)
    return createError(loc, "expected " + Twine(steps) + " steps for each of " +
                                Twine(*tokens) + " tokens, got " + Twine(*all));
  return llvm::Error::success();
}

llvm::Error ContentChecks::checkOperands(Operation *op,
                                         ArrayRef<Array> arguments) const {
  if (auto score = dyn_cast<CausalScoreOp>(op)) {
    if (score.getUnbounded())
      return llvm::Error::success();
    return checkRange(op, "decay", score.getDecay(), -kInfinity, 0, arguments);
  }
  if (auto gate = dyn_cast<GateOp>(op)) {
    if (!gate.getLo() || !gate.getHi())
      return llvm::Error::success();
    return checkRange(op, "gate", gate.getGate(),
                      gate.getLo()->convertToDouble(),
                      gate.getHi()->convertToDouble(), arguments);
  }
  if (auto recurrence = dyn_cast<RecurrenceOp>(op)) {
    if (recurrence.getTransition().isLogDecay())
      if (llvm::Error error =
              checkRange(op, "decay", recurrence.getTransitionOperand(),
                         -kInfinity, 0, arguments))
        return error;
    return recurrence.getCuSeqlens() ? checkSegments(recurrence, arguments)
                                     : llvm::Error::success();
  }
  if (auto steps = dyn_cast<ExpandStepsOp>(op))
    return checkSteps(op->getLoc(), steps.getInput(), steps.getResult(),
                      steps.getTokenDimension(), steps.getSteps(), arguments);
  if (auto steps = dyn_cast<TakeStepsOp>(op))
    return checkSteps(op->getLoc(), steps.getResult(), steps.getInput(),
                      steps.getTokenDimension(), steps.getSteps(), arguments);
  return llvm::Error::success();
}

} // namespace attn
