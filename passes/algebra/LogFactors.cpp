//===- LogFactors.cpp - The logarithms of a state's factors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/LogFactors.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

namespace {
/// An operand of an element-wise operation: a tensor, or a number.
struct ElementOperand {
  SequenceValue value;
  std::optional<double> number;
};
/// An element-wise operation, be it on tensors or a region's only one.
struct ElementOp {
  Operation *op = nullptr;
  SmallVector<ElementOperand> operands;

  template <typename Op> bool is() const { return op && isa<Op>(op); }
};
} // namespace

static ElementOp getElementOp(const SequenceValue &value) {
  ElementOp result;
  Operation *op = value.value.getDefiningOp();
  if (!op)
    return result;
  if (OpTrait::hasElementwiseMappableTraits(op)) {
    result.op = op;
    for (Value operand : op->getOperands())
      result.operands.push_back(
          {{operand, value.axes}, SequenceBuilder::getSplat(operand)});
    return result;
  }
  auto map = dyn_cast<FeatureMapOp>(op);
  if (!map || map.getMap())
    return result;
  Block &block = map.getBody().front();
  Operation *inner = block.getTerminator()->getOperand(0).getDefiningOp();
  if (!inner || inner->getNumOperands() == 0)
    return result;
  for (Value operand : inner->getOperands()) {
    ElementOperand &element = result.operands.emplace_back();
    if (operand == block.getArgument(0)) {
      element.value = {map.getInput(), value.axes};
    } else if (auto constant = operand.getDefiningOp<arith::ConstantOp>()) {
      if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
        element.number = number.getValueAsDouble();
    }
    if (!element.value && !element.number)
      return {};
  }
  result.op = inner;
  return result;
}

/// The operands of a product with named axes.
static std::optional<std::pair<SequenceValue, SequenceValue>>
getGateOperands(GateOp gate, const SequenceValue &result) {
  Einsum einsum = gate.getSubscripts();
  auto getOperand = [&](Value value, const EinsumOperand &axes) {
    SequenceValue operand{value, {}};
    for (const EinsumDim &dim : axes) {
      int64_t position = Einsum::find(einsum.result, dim.front());
      if (dim.size() == 1 && position >= 0)
        operand.axes.push_back(result.axes[position]);
    }
    return operand;
  };
  for (const EinsumDim &dim : einsum.result)
    if (dim.size() != 1)
      return std::nullopt;
  return std::make_pair(getOperand(gate.getInput(), einsum.lhs),
                        getOperand(gate.getGate(), einsum.rhs));
}

static bool isUnitRange(GateOp gate) {
  return gate.getLo() && gate.getHi() && gate.getLo()->convertToDouble() >= 0 &&
         gate.getHi()->convertToDouble() <= 1;
}

/// y of 1 / (1 + exp(y)).
static std::optional<SequenceValue> matchLogistic(const SequenceValue &value) {
  ElementOp quotient = getElementOp(value);
  if (!quotient.is<arith::DivFOp>() || quotient.operands[0].number != 1.0 ||
      !quotient.operands[1].value)
    return std::nullopt;
  ElementOp sum = getElementOp(quotient.operands[1].value);
  if (!sum.is<arith::AddFOp>())
    return std::nullopt;
  for (int i : {0, 1}) {
    if (sum.operands[i].number != 1.0 || !sum.operands[1 - i].value)
      continue;
    ElementOp exp = getElementOp(sum.operands[1 - i].value);
    if (exp.is<math::ExpOp>() && exp.operands[0].value)
      return exp.operands[0].value;
  }
  return std::nullopt;
}

/// Whether all elements are from 0 to 1, by the form of the expression.
static bool isUnit(const SequenceValue &value) {
  if (std::optional<double> number = SequenceBuilder::getSplat(value.value))
    return *number >= 0 && *number <= 1;
  if (matchLogistic(value))
    return true;
  auto isUnitOperand = [](const ElementOperand &operand) {
    return operand.number ? *operand.number >= 0 && *operand.number <= 1
                          : isUnit(operand.value);
  };
  Operation *op = value.value.getDefiningOp();
  if (auto gate = dyn_cast_or_null<GateOp>(op)) {
    auto operands = getGateOperands(gate, value);
    return operands && isUnit(operands->first) &&
           (isUnitRange(gate) || isUnit(operands->second));
  }
  if (auto scale = dyn_cast_or_null<ScaleOp>(op)) {
    double factor = scale.getFactor().convertToDouble();
    return factor >= 0 && factor <= 1 && isUnit({scale.getInput(), value.axes});
  }
  ElementOp element = getElementOp(value);
  if (element.is<arith::MulFOp>())
    return llvm::all_of(element.operands, isUnitOperand);
  return element.is<arith::SubFOp>() && element.operands[0].number == 1.0 &&
         isUnitOperand(element.operands[1]);
}

/// log (1 / (1 + exp(y))) = min(-y, 0) - log1p(exp(-|y|))
static FailureOr<SequenceValue> createLogLogistic(SequenceBuilder &sequences,
                                                  const SequenceValue &y) {
  auto absolute = sequences.create<math::AbsFOp>({y});
  if (failed(absolute))
    return failure();
  auto sum = sequences.createSum(y, *absolute);
  auto exp =
      sequences.create<math::ExpOp>({sequences.createScale(*absolute, -1)});
  if (failed(sum) || failed(exp))
    return failure();
  auto log = sequences.create<math::Log1pOp>({*exp});
  if (failed(log))
    return failure();
  // min(-y, 0) = -(y + |y|) / 2, exactly
  return sequences.createSum(sequences.createScale(*sum, -0.5), *log, -1);
}

FailureOr<SequenceValue> attn::getLogFactor(SequenceBuilder &sequences,
                                            const SequenceValue &factor) {
  if (std::optional<double> number = SequenceBuilder::getSplat(factor.value)) {
    if (!(*number > 0 && *number <= 1))
      return failure();
    return sequences.createConstant(std::log(*number), {});
  }
  // log(a b) = log a + log b
  auto getSum = [&](const SequenceValue &a,
                    const SequenceValue &b) -> FailureOr<SequenceValue> {
    FailureOr<SequenceValue> x = getLogFactor(sequences, a),
                             y = getLogFactor(sequences, b);
    if (failed(x) || failed(y))
      return failure();
    return sequences.createSum(*x, *y);
  };
  Operation *op = factor.value.getDefiningOp();
  ElementOp element = getElementOp(factor);
  if (element.is<math::ExpOp>() && element.operands[0].value)
    return element.operands[0].value;
  if (element.is<math::Exp2Op>() && element.operands[0].value)
    return sequences.createScale(element.operands[0].value, llvm::numbers::ln2);
  if (std::optional<SequenceValue> y = matchLogistic(factor))
    return createLogLogistic(sequences, *y);
  if (element.is<arith::MulFOp>() && element.operands[0].value &&
      element.operands[1].value) {
    FailureOr<SequenceValue> sum =
        getSum(element.operands[0].value, element.operands[1].value);
    if (succeeded(sum))
      return sum;
  }
  if (auto gate = dyn_cast_or_null<GateOp>(op))
    if (auto operands = getGateOperands(gate, factor)) {
      FailureOr<SequenceValue> sum = getSum(operands->first, operands->second);
      if (succeeded(sum))
        return sum;
    }
  if (auto scale = dyn_cast_or_null<ScaleOp>(op)) {
    double number = scale.getFactor().convertToDouble();
    FailureOr<SequenceValue> log = failure();
    if (number > 0 && number <= 1)
      log = getLogFactor(sequences, {scale.getInput(), factor.axes});
    if (succeeded(log))
      return sequences.createSum(
          *log, sequences.createConstant(std::log(number), {}));
  }
  if (isUnit(factor))
    return sequences.create<math::LogOp>({factor});
  return failure();
}
