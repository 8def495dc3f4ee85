//===- Maps.cpp - Feature maps and gates of one's own, as operations -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Maps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using mlir::attn::FeatureMapOp;

namespace attn::dsl {

Scalar makeArgument(int number) {
  auto node = std::make_shared<ScalarNode>();
  node->argument = number;
  return Scalar(std::move(node));
}

using ScalarValues = llvm::DenseMap<const ScalarNode *, Value>;

/// One operation of arith or math, on scalars or tensors.
static Value makeOperation(GraphBuilder &builder, const ScalarNode &node,
                           ArrayRef<Value> operands) {
  OperationState state(builder.getLoc(), node.name);
  state.addOperands(operands);
  Type type = operands.back().getType();
  if (auto predicate = arith::symbolizeCmpFPredicate(node.predicate)) {
    state.addAttribute("predicate", arith::CmpFPredicateAttr::get(
                                        builder.getContext(), *predicate));
    auto tensor = dyn_cast<RankedTensorType>(type);
    type = tensor ? Type(tensor.clone(builder.getI1Type()))
                  : Type(builder.getI1Type());
  }
  state.addTypes(type);
  return builder.create(state)->getResult(0);
}

static Value writeScalar(GraphBuilder &builder, const Scalar &scalar,
                         Type element, ScalarValues &values) {
  const ScalarNode *node = scalar.getNode();
  if (Value known = values.lookup(node))
    return known;
  Value value;
  if (!*node->name) {
    value = arith::ConstantOp::create(
        builder, builder.getLoc(), builder.getFloatAttr(element, node->value));
  } else {
    SmallVector<Value> operands;
    for (const Scalar &operand : node->operands)
      operands.push_back(writeScalar(builder, operand, element, values));
    value = makeOperation(builder, *node, operands);
  }
  values[node] = value;
  return value;
}

/// The nodes of an expression that stand for arguments.
static SmallVector<const ScalarNode *> findArguments(const Scalar &scalar) {
  llvm::SetVector<const ScalarNode *> nodes;
  nodes.insert(scalar.getNode());
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const Scalar &operand : nodes[i]->operands)
      nodes.insert(operand.getNode());
  return llvm::to_vector(llvm::make_filter_range(
      nodes, [](const ScalarNode *node) { return node->argument >= 0; }));
}

FailureOr<Tensor> makeRegionMap(GraphBuilder &builder, const Scalar &map,
                                const Tensor &input, IntegerAttr tokenDim,
                                IntegerAttr featureDim) {
  Type element = builder.getWideElement(input);
  auto op = FeatureMapOp::create(
      builder, builder.getLoc(), builder.getType(input.dims, element),
      input.value, ValueRange(), Value(), mlir::attn::FeatureMapAttrInterface(),
      tokenDim, featureDim);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *body =
        builder.createBlock(&op.getBody(), {}, element, builder.getLoc());
    ScalarValues values;
    for (const ScalarNode *argument : findArguments(map))
      values[argument] = body->getArgument(0);
    Value result = writeScalar(builder, map, element, values);
    mlir::attn::YieldOp::create(builder, builder.getLoc(), result);
  }
  if (failed(verify(op)))
    return failure();
  return Tensor{op.getResult(), input.dims, input.isScores};
}

namespace {
/// Writes the operations of a map of several tensors.
class ElementwiseWriter {
public:
  ElementwiseWriter(GraphBuilder &builder, ArrayRef<Tensor> inputs)
      : builder(builder), inputs(inputs) {}

  FailureOr<Value> write(const Scalar &scalar) {
    const ScalarNode *node = scalar.getNode();
    if (Value known = values.lookup(node))
      return known;
    FailureOr<Value> value = writeNew(scalar);
    if (succeeded(value))
      values[node] = *value;
    return value;
  }

private:
  FailureOr<Value> writeNew(const Scalar &scalar) {
    const ScalarNode *node = scalar.getNode();
    llvm::SmallBitVector used(inputs.size());
    for (const ScalarNode *argument : findArguments(scalar))
      used.set(argument->argument);
    if (used.count() <= 1 && !isCondition(*node)) {
      const Tensor &input = inputs[used.any() ? used.find_first() : 0];
      if (node->argument >= 0 &&
          input.getType().getElementType() == builder.getWideElement(inputs))
        return input.value;
      FailureOr<Tensor> map =
          makeRegionMap(builder, scalar, input, IntegerAttr(), IntegerAttr());
      if (failed(map))
        return failure();
      return map->value;
    }
    SmallVector<Value> operands;
    for (const Scalar &operand : node->operands) {
      FailureOr<Value> value = write(operand);
      if (failed(value))
        return failure();
      operands.push_back(*value);
    }
    return makeOperation(builder, *node, operands);
  }

  /// A map of tensors gives numbers, not conditions.
  static bool isCondition(const ScalarNode &node) { return *node.predicate; }

  GraphBuilder &builder;
  ArrayRef<Tensor> inputs;
  ScalarValues values;
};
} // namespace

FailureOr<Tensor> makeElementwise(GraphBuilder &builder, const Scalar &map,
                                  ArrayRef<Tensor> inputs) {
  for (const Tensor &input : inputs)
    if (input.dims != inputs[0].dims)
      return builder.error()
             << "expected tensors of the same sizes, got "
             << describe(inputs[0]) << " and " << describe(input);
  for (const Tensor &input : inputs)
    if (!isa<FloatType>(input.getType().getElementType()))
      return builder.error()
             << "expected floating-point tensors, got " << describe(input);
  FailureOr<Value> value = ElementwiseWriter(builder, inputs).write(map);
  if (failed(value))
    return failure();
  return Tensor{*value, inputs[0].dims, inputs[0].isScores};
}

} // namespace attn::dsl
