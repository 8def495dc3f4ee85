//===- Recurrence.cpp - Recurrences of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Recurrence.h"
#include "runtime/dsl/AxisSizes.h"

using namespace mlir;
using mlir::attn::RecurrenceForm;
using mlir::attn::RecurrenceOp;
using mlir::attn::TransitionAttrInterface;

namespace attn::dsl {

static TransitionAttrInterface getTransition(MLIRContext *context,
                                             Transition transition) {
  switch (transition) {
  case Transition::None:
    return mlir::attn::NoDecayAttr::get(context);
  case Transition::ScalarDecay:
    return mlir::attn::ScalarDecayAttr::get(context);
  case Transition::DiagonalDecay:
    return mlir::attn::DiagonalDecayAttr::get(context);
  case Transition::ElementwiseDecay:
    return mlir::attn::ElementwiseDecayAttr::get(context);
  case Transition::Dense:
    return mlir::attn::DenseTransitionAttr::get(context);
  }
  llvm_unreachable("transition without an attribute");
}

static mlir::attn::StateReadAttr getRead(MLIRContext *context, StateRead read) {
  auto value = read == StateRead::Current    ? mlir::attn::StateRead::Current
               : read == StateRead::Previous ? mlir::attn::StateRead::Previous
                                             : mlir::attn::StateRead::Decayed;
  return mlir::attn::StateReadAttr::get(context, value);
}

/// The operands that name their axes, in the order of the operation.
static std::vector<const Named *> listOperands(const Named &query,
                                               const RecurrenceClauses &c) {
  std::vector<const Named *> list;
  auto add = [&](const std::optional<Named> &operand) {
    if (operand)
      list.push_back(&*operand);
  };
  add(c.by);
  list.push_back(&query);
  for (const auto &write : c.writes)
    list.push_back(&write.first);
  for (const auto &write : c.writes)
    list.push_back(&write.second);
  add(c.bonus);
  add(c.logGate);
  if (c.erase)
    list.insert(list.end(), {&c.erase->query, &c.erase->key, &c.erase->input});
  add(c.state);
  add(c.max);
  return list;
}

namespace {
/// Takes the values of operands in the order of listOperands.
class OperandReader {
public:
  explicit OperandReader(ArrayRef<Tensor> operands) : operands(operands) {}

  Value take(bool isThere = true) {
    return isThere ? operands[next++].value : Value();
  }
  SmallVector<Value> takeMany(size_t count) {
    SmallVector<Value> values;
    for (size_t i = 0; i < count; ++i)
      values.push_back(take());
    return values;
  }

private:
  ArrayRef<Tensor> operands;
  size_t next = 0;
};
} // namespace

static FailureOr<Tensors> emit(GraphBuilder &builder, ArrayRef<Tensor> operands,
                               ArrayRef<std::string> axes,
                               const std::string &outputAxes,
                               const RecurrenceClauses &c) {
  MLIRContext *context = builder.getContext();
  AxisSizes sizes(builder);
  SmallVector<Attribute> operandAxes, resultAxes;
  SmallVector<Tensor> named(operands.take_front(axes.size()));
  for (auto [text, operand] : llvm::zip_equal(axes, named)) {
    if (failed(sizes.add(text, operand)))
      return failure();
    operandAxes.push_back(builder.getStringAttr(text));
  }
  Type element = builder.getWideElement(named);
  // Results, in the order of the operation; those that are not there are null.
  Tensors results(4);
  SmallVector<Type> types(4);
  const std::string *texts[] = {&outputAxes, &c.logScale, &c.finalState,
                                &c.finalMax};
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && texts[i]->empty())
      continue;
    FailureOr<std::vector<Dim>> dims = sizes.get(*texts[i]);
    if (failed(dims))
      return failure();
    types[i] = builder.getType(*dims, element);
    results[i].dims = std::move(*dims);
    resultAxes.push_back(builder.getStringAttr(*texts[i]));
  }
  OperandReader reader(operands);
  Value by = reader.take(c.by.has_value()), query = reader.take();
  SmallVector<Value> keys = reader.takeMany(c.writes.size());
  SmallVector<Value> values = reader.takeMany(c.writes.size());
  Value bonus = reader.take(c.bonus.has_value());
  Value gate = reader.take(c.logGate.has_value());
  bool erases = c.erase.has_value();
  Value eraseQuery = reader.take(erases), eraseKey = reader.take(erases),
        eraseInput = reader.take(erases);
  Value state = reader.take(c.state.has_value());
  Value max = reader.take(c.max.has_value());
  Value cuSeqlens = reader.take(c.cuSeqlens.has_value());
  auto op = RecurrenceOp::create(
      builder, builder.getLoc(), types[0], types[1], types[2], types[3],
      getTransition(context, c.transition), by, query, keys, values, bonus,
      gate, eraseQuery, eraseKey, eraseInput, state, max, cuSeqlens,
      getRead(context, c.read),
      erases ? getRead(context, c.erase->read) : mlir::attn::StateReadAttr(),
      builder.getArrayAttr(operandAxes), builder.getArrayAttr(resultAxes),
      mlir::attn::RecurrenceFormAttr::get(context, RecurrenceForm::Auto),
      IntegerAttr());
  if (failed(verify(op)))
    return failure();
  results[0].value = op.getOutput();
  results[1].value = op.getLogScale();
  results[2].value = op.getFinalState();
  results[3].value = op.getFinalMax();
  return results;
}

RecurrenceResults recurrence(Named query, std::string outputAxes,
                             RecurrenceClauses clauses, SourceLine where) {
  auto node = std::make_shared<Node>();
  node->where = where;
  std::vector<std::string> axes;
  for (const Named *operand : listOperands(query, clauses)) {
    node->operands.push_back(operand->expr);
    axes.push_back(operand->axes);
  }
  if (clauses.cuSeqlens)
    node->operands.push_back(*clauses.cuSeqlens);
  node->emit = [axes = std::move(axes), outputAxes = std::move(outputAxes),
                clauses = std::move(clauses)](GraphBuilder &builder,
                                              ArrayRef<Tensor> operands) {
    return emit(builder, operands, axes, outputAxes, clauses);
  };
  return {Expr(node, 0), Expr(node, 1), Expr(node, 2), Expr(node, 3)};
}

} // namespace attn::dsl
