//===- ScanInterpreter.cpp - What a scan's region computes --*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Each operation on values that are affine in the state S,
//
//   local      x
//   vector     x + sum q^T X
//   state      T(S) + sum k v^T + sum b u^T
//
// gives a value of one of these forms, or is refused:
//
//   sums, scales, negations      term by term
//   products with a local value  term by term
//   contractions over d          a read
//   outer products with a read   a correction b u^T
//   any operation on elements    local values only

#include "passes/algebra/ScanInterpreter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::attn;

using StatePtr = std::shared_ptr<const StateValue>;

namespace {
class Interpreter {
public:
  Interpreter(SequenceBuilder &sequences, AffineAlgebra &algebra)
      : sequences(sequences), algebra(algebra) {}

  FailureOr<AffineValue> evaluate(Operation *op);

  llvm::DenseMap<Value, AffineValue> values;

private:
  FailureOr<AffineValue> evaluateConstant(arith::ConstantOp op);
  FailureOr<AffineValue> evaluateLocal(Operation *op);
  FailureOr<AffineValue> evaluateMap(FeatureMapOp op);

  SequenceBuilder &sequences;
  AffineAlgebra &algebra;
};
} // namespace

static std::string getName(Operation *op) {
  return "'" + op->getName().getStringRef().str() + "'";
}

/// A constant is the same for all tokens; its dimensions have no names yet.
FailureOr<AffineValue> Interpreter::evaluateConstant(arith::ConstantOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type || !isa<FloatType>(type.getElementType()))
    return algebra.refuse("a constant that is not a tensor of numbers");
  Axes tile;
  for (int64_t size : type.getShape())
    tile.push_back(sequences.createAxis(size));
  Value value = arith::ConstantOp::create(sequences.getBuilder(), op.getLoc(),
                                          type, cast<TypedAttr>(op.getValue()));
  return AffineValue(LocalValue{{value, tile}, tile, {}});
}

FailureOr<AffineValue> Interpreter::evaluateMap(FeatureMapOp op) {
  const auto &input = std::get<LocalValue>(values.at(op.getInput()));
  if (!input.value || !op.getMapOperands().empty() || !op.isElementwise())
    return algebra.refuse(getName(op) + " in a region is taken where it maps "
                                        "each element by itself");
  OpBuilder &builder = sequences.getBuilder();
  SmallVector<int64_t> shape;
  for (Axis axis : input.value.axes)
    shape.push_back(sequences.getSize(axis));
  IRMapping mapping;
  mapping.map(op.getInput(), input.value.value);
  auto clone = cast<FeatureMapOp>(builder.clone(*op, mapping));
  clone.setTokenDimAttr({});
  clone.setFeatureDimAttr({});
  clone.getResult().setType(
      RankedTensorType::get(shape, sequences.getElementType()));
  return AffineValue(
      LocalValue{{clone.getResult(), input.value.axes}, input.tile, {}});
}

/// An operation on elements, all operands of which are local.
FailureOr<AffineValue> Interpreter::evaluateLocal(Operation *op) {
  AffineValue first = values.at(op->getOperand(0));
  SmallVector<SequenceValue> operands;
  Axes tile(getTile(first));
  for (Value operand : op->getOperands())
    for (Axis axis : getTile(values.at(operand)))
      if (axis < 256)
        tile = Axes(getTile(values.at(operand)));
  for (Value operand : op->getOperands()) {
    const auto &local = std::get<LocalValue>(values.at(operand));
    if (!local.value)
      return algebra.refuse("a sum of outer products stands where one tensor "
                            "is needed");
    operands.push_back(local.tile.size() == tile.size()
                           ? algebra.rename(local, tile).value
                           : local.value);
  }
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<SequenceValue> result = sequences.createElementwise(
      op->getName().getStringRef(), op->getAttrDictionary().getValue(),
      operands, type.getElementType());
  if (failed(result))
    return algebra.refuse(sequences.getReason());
  return AffineValue(LocalValue{*result, tile, {}});
}

FailureOr<AffineValue> Interpreter::evaluate(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return evaluateConstant(constant);
  for (Value operand : op->getOperands())
    if (!values.contains(operand))
      return algebra.refuse("an operand that is no tensor");
  bool allLocal = llvm::all_of(op->getOperands(), [&](Value operand) {
    return isLocal(values.at(operand));
  });
  auto get = [&](unsigned i) { return values.at(op->getOperand(i)); };
  // 1. What is linear.
  if (isa<arith::AddFOp>(op))
    return algebra.add(get(0), get(1), 1);
  if (isa<arith::SubFOp>(op))
    return algebra.add(get(0), get(1), -1);
  if (isa<arith::NegFOp>(op))
    return algebra.scale(get(0), -1);
  if (auto scale = dyn_cast<ScaleOp>(op))
    return algebra.scale(get(0), scale.getFactor().convertToDouble());
  if (isa<arith::MulFOp>(op))
    return algebra.multiply(get(0), get(1), nullptr);
  if (isa<math::FmaOp>(op)) {
    FailureOr<AffineValue> product = algebra.multiply(get(0), get(1), nullptr);
    if (failed(product))
      return failure();
    return algebra.add(*product, get(2), 1);
  }
  if (auto gate = dyn_cast<GateOp>(op)) {
    Einsum einsum = gate.getSubscripts();
    return algebra.multiply(get(0), get(1), &einsum, gate.getLoAttr(),
                            gate.getHiAttr());
  }
  if (auto product = dyn_cast<ContractionOpInterface>(op)) {
    // What is read is a state, be it one that a matrix was multiplied with.
    for (Value operand : op->getOperands())
      if (auto *vector = std::get_if<VectorValue>(&values.at(operand));
          vector && vector->tile.size() == 2 && !allLocal) {
        FailureOr<StatePtr> state = algebra.getState(*vector);
        if (failed(state))
          return failure();
        values[operand] = *state;
      }
    return algebra.contract(get(0), get(1), product.getSubscripts());
  }
  // 2. What is not.
  if (!allLocal) {
    if (isa<arith::DivFOp>(op) && isLocal(get(1)))
      return algebra.refuse("the state is divided by a value: multiply it by a "
                            "factor instead");
    if (isa<arith::DivFOp>(op))
      return algebra.refuse("the update is not linear in the state: the "
                            "division by a value that depends on it");
    return algebra.refuse("the update is not linear in the state: " +
                          getName(op) + " of a value that depends on it");
  }
  // 3. What does not depend on the state.
  if (auto map = dyn_cast<FeatureMapOp>(op))
    return evaluateMap(map);
  if (op->getNumResults() == 1 && op->getNumOperands() > 0 &&
      isa<RankedTensorType>(op->getResult(0).getType()) &&
      OpTrait::hasElementwiseMappableTraits(op))
    return evaluateLocal(op);
  return algebra.refuse(getName(op) + " is not taken in a region: compute it "
                                      "before the scan");
}

FailureOr<ScanMeaning> attn::interpretScan(ScanOp scan,
                                           SequenceBuilder &sequences,
                                           AffineAlgebra &algebra,
                                           ScanRefusal &refusal) {
  Interpreter interpreter(sequences, algebra);
  Block &block = scan.getBody().front();
  auto refuse = [&](Operation *op, const Twine &reason) {
    refusal = {op, reason.str()};
    return failure();
  };
  // 1. The arguments: the state, and each input without batch and token.
  auto state = std::make_shared<StateValue>();
  state->transition.emplace();
  for (Axis axis : sequences.getAxes(scan.getAxesOfState()))
    if (!sequences.isBatch(axis))
      state->tile.push_back(axis);
  if (state->tile.size() != 2)
    return refuse(scan, "the state has more dimensions than the axes d and v");
  interpreter.values[block.getArgument(0)] = StatePtr(state);
  for (auto [i, input] : llvm::enumerate(scan.getInputs())) {
    LocalValue local;
    local.value = {input, sequences.getAxes(scan.getAxesOfInput(i))};
    for (Axis axis : local.value.axes)
      if (!sequences.isBatch(axis))
        local.tile.push_back(axis);
    interpreter.values[block.getArgument(i + 1)] = local;
  }
  // 2. The operations.
  for (Operation &op : block.without_terminator()) {
    if (op.use_empty())
      continue;
    algebra.setOperation(&op);
    FailureOr<AffineValue> value = interpreter.evaluate(&op);
    if (failed(value))
      return refuse(&op, algebra.getReason());
    interpreter.values[op.getResult(0)] = *value;
  }
  // 3. The results.
  Operation *yield = block.getTerminator();
  algebra.setOperation(yield);
  ScanMeaning meaning;
  const AffineValue &newState = interpreter.values.at(yield->getOperand(0));
  const AffineValue &output = interpreter.values.at(yield->getOperand(1));
  if (isLocal(newState))
    return refuse(yield, "the new state does not depend on the state");
  FailureOr<StatePtr> result = algebra.getState(newState);
  if (failed(result))
    return refuse(yield, algebra.getReason());
  meaning.state = *result;
  if (!meaning.state->transition)
    return refuse(yield, "the new state has no multiple of the state in it");
  if (meaning.state->tile != state->tile)
    return refuse(yield, "the new state is transposed");
  if (auto *vector = std::get_if<VectorValue>(&output))
    meaning.output = *vector;
  else
    return refuse(yield, isLocal(output)
                             ? "the output does not depend on the state"
                             : "the output is a state, not a read of one");
  return meaning;
}
