//===- Scan.cpp - Recurrences that a function of one token states -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/AxisSizes.h"
#include "runtime/dsl/Recurrence.h"

using namespace mlir;
using mlir::attn::Einsum;
using mlir::attn::EinsumOperand;
using mlir::attn::ScanOp;

namespace attn::dsl {

/// An expression that stands for an argument of the step.
static Expr makeParameter(SourceLine where) {
  return makeExpr(
      where, {},
      [](GraphBuilder &builder, ArrayRef<Tensor>) -> FailureOr<Tensor> {
        return builder.error()
               << "the argument of a step is used outside of it";
      });
}

namespace {
struct ScanParts {
  std::vector<std::string> inputAxes;
  std::string stateAxes, outputAxes;
  bool hasState;
  /// The step's arguments, the state first, and what it makes of them.
  std::vector<Expr> parameters;
  Step step;
  SourceLine where;
};
} // namespace

/// Whether tokens and batches leave the axis out.
static bool isInToken(char axis, const EinsumOperand &state) {
  return axis == 'd' || axis == 'v' ||
         (axis != 'n' && Einsum::find(state, axis) < 0);
}

/// The dimensions of a tensor that one token of one batch index has.
static std::vector<Dim> getTokenDims(ArrayRef<Dim> dims,
                                     const EinsumOperand &axes,
                                     const EinsumOperand &state) {
  std::vector<Dim> result;
  for (auto [axis, size] : llvm::zip_equal(axes, dims))
    if (isInToken(axis.front(), state))
      result.push_back(size);
  return result;
}

static LogicalResult writeStep(GraphBuilder &builder, ScanOp op,
                               const ScanParts &parts,
                               ArrayRef<std::vector<Dim>> dims, Type element) {
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&op.getBody());
  builder.pushScope();
  for (auto [parameter, size] : llvm::zip_equal(parts.parameters, dims)) {
    Value argument =
        body->addArgument(builder.getType(size, element), builder.getLoc());
    builder.set(parameter, {argument, size});
  }
  FailureOr<Tensor> state = builder.get(parts.step.state, parts.where);
  FailureOr<Tensor> output = failure();
  if (succeeded(state))
    output = builder.get(parts.step.output, parts.where);
  builder.popScope();
  if (failed(output))
    return failure();
  mlir::attn::YieldOp::create(builder, op.getLoc(),
                              ValueRange{state->value, output->value});
  return success();
}

static FailureOr<Tensors> emit(GraphBuilder &builder, ArrayRef<Tensor> operands,
                               const ScanParts &parts) {
  AxisSizes sizes(builder);
  FailureOr<EinsumOperand> stateAxes = sizes.parse(parts.stateAxes);
  if (failed(stateAxes))
    return failure();
  SmallVector<EinsumOperand> inputAxes;
  SmallVector<Attribute> axesAttrs;
  for (auto [text, operand] : llvm::zip(parts.inputAxes, operands)) {
    FailureOr<EinsumOperand> axes = sizes.parse(text);
    if (failed(axes) || failed(sizes.add(*axes, operand)))
      return failure();
    inputAxes.push_back(std::move(*axes));
    axesAttrs.push_back(builder.getStringAttr(text));
  }
  if (parts.hasState && failed(sizes.add(*stateAxes, operands.back())))
    return failure();
  FailureOr<std::vector<Dim>> stateDims = sizes.get(*stateAxes);
  if (failed(stateDims))
    return failure();
  FailureOr<std::vector<Dim>> outputDims = sizes.get(parts.outputAxes);
  if (failed(outputDims))
    return failure();
  SmallVector<std::vector<Dim>> dims{
      getTokenDims(*stateDims, *stateAxes, *stateAxes)};
  for (auto [axes, operand] : llvm::zip(inputAxes, operands))
    dims.push_back(getTokenDims(operand.dims, axes, *stateAxes));

  Type element = builder.getWideElement(operands);
  SmallVector<Value> inputs;
  for (const Tensor &operand : operands.take_front(inputAxes.size()))
    inputs.push_back(operand.value);
  Type stateType =
      parts.hasState ? builder.getType(*stateDims, element) : Type();
  Location loc = builder.getLoc();
  auto op = ScanOp::create(
      builder, loc, builder.getType(*outputDims, element), stateType, inputs,
      parts.hasState ? operands.back().value : Value(),
      builder.getArrayAttr(axesAttrs), parts.stateAxes, parts.outputAxes);
  if (failed(writeStep(builder, op, parts, dims, element)) ||
      failed(verify(op)))
    return failure();
  Tensors results(2);
  results[0] = {op.getOutput(), std::move(*outputDims)};
  results[1] = {op.getFinalState(), std::move(*stateDims)};
  return results;
}

ScanResults scan(std::vector<Named> inputs, std::string stateAxes,
                 std::string outputAxes, StepFunction step,
                 std::optional<Expr> initialState, SourceLine where) {
  ScanParts parts;
  parts.stateAxes = std::move(stateAxes);
  parts.outputAxes = std::move(outputAxes);
  parts.hasState = initialState.has_value();
  parts.where = where;
  auto node = std::make_shared<Node>();
  node->where = where;
  for (Named &input : inputs) {
    node->operands.push_back(std::move(input.expr));
    parts.inputAxes.push_back(std::move(input.axes));
  }
  if (initialState)
    node->operands.push_back(std::move(*initialState));
  for (size_t i = 0; i <= inputs.size(); ++i)
    parts.parameters.push_back(makeParameter(where));
  parts.step = step(parts.parameters.front(),
                    {parts.parameters.begin() + 1, parts.parameters.end()});
  node->emit = [parts = std::move(parts)](GraphBuilder &builder,
                                          ArrayRef<Tensor> operands) {
    return emit(builder, operands, parts);
  };
  return {Expr(node, 0), Expr(node, 1)};
}

} // namespace attn::dsl
