//===- TranslateScalars.cpp - Element-wise operations ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/engine/halide/Translator.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

/// The operation of the program that is the one of `arith` or `math`, on
/// operands and a result of one kind of floating point; empty if there is none.
static StringRef getOperation(StringRef name) {
  return llvm::StringSwitch<StringRef>(name)
      .Case("arith.addf", "add")
      .Case("arith.subf", "sub")
      .Case("arith.mulf", "mul")
      .Case("arith.divf", "div")
      .Case("arith.maximumf", "max")
      .Case("arith.minimumf", "min")
      .Case("arith.maxnumf", "maxnum")
      .Case("arith.minnumf", "minnum")
      .Case("math.absf", "abs")
      .Case("math.exp", "exp")
      .Case("math.expm1", "expm1")
      .Case("math.log", "log")
      .Case("math.log1p", "log1p")
      .Case("math.tanh", "tanh")
      .Case("math.sqrt", "sqrt")
      .Case("math.sin", "sin")
      .Case("math.cos", "cos")
      .Case("math.tan", "tan")
      .Case("math.asin", "asin")
      .Case("math.acos", "acos")
      .Case("math.atan", "atan")
      .Case("math.atan2", "atan2")
      .Case("math.sinh", "sinh")
      .Case("math.cosh", "cosh")
      .Case("math.floor", "floor")
      .Case("math.ceil", "ceil")
      .Case("math.trunc", "trunc")
      .Case("math.roundeven", "roundeven")
      .Default("");
}

/// Whether an operation costs more than a load.
static bool isCostly(StringRef name) {
  return llvm::StringSwitch<bool>(name)
      .Cases({"arith.addf", "arith.subf", "arith.mulf", "arith.negf",
              "arith.maximumf", "arith.minimumf"},
             false)
      .Cases({"arith.extf", "arith.truncf", "arith.select", "arith.constant",
              "arith.cmpf", "math.absf"},
             false)
      .Default(true);
}

FailureOr<Term> Translator::evaluateScalar(Operation *op,
                                           ArrayRef<Term> operands) {
  StringRef name = op->getName().getStringRef();
  Kind kind = getKind(op->getResult(0).getType());
  if (StringRef operation = getOperation(name); !operation.empty())
    return program.make(operation, kind, operands);
  if (isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp>(op) &&
      operands[0].kind != Kind::B1)
    return program.cast(operands[0], kind);
  if (isa<arith::IndexCastOp>(op))
    return program.cast(operands[0], kind);
  if (isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) && kind != Kind::U8)
    return program.make(isa<arith::AddIOp>(op)   ? "add"
                        : isa<arith::SubIOp>(op) ? "sub"
                                                 : "mul",
                        kind, operands);
  auto constant = [&](double value) { return program.constant(kind, value); };
  if (isa<arith::NegFOp>(op))
    return program.mul(constant(-1), operands[0]);
  if (isa<math::RsqrtOp>(op))
    return program.make("div", kind,
                        {constant(1), program.make("sqrt", kind, operands)});
  if (isa<math::FmaOp>(op))
    return program.muladd(operands[0], operands[1], operands[2]);
  if (isa<math::Exp2Op>(op))
    // e^(x log 2); the product is rounded.
    return program.exp(program.mul(operands[0], constant(std::log(2.0))));
  if (isa<math::Log2Op, math::Log10Op>(op))
    return program.mul(
        program.make("log", kind, operands),
        constant(1 / std::log(isa<math::Log2Op>(op) ? 2.0 : 10.0)));
  if (isa<arith::SelectOp>(op) && operands[0].kind == Kind::B1)
    return program.select(operands[0], operands[1], operands[2]);
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    Term a = operands[0], b = operands[1];
    using P = arith::CmpFPredicate;
    switch (compare.getPredicate()) {
    case P::OEQ:
      return program.eq(a, b);
    case P::OGT:
      return program.lt(b, a);
    case P::OGE:
      return program.le(b, a);
    case P::OLT:
      return program.lt(a, b);
    case P::OLE:
      return program.le(a, b);
    case P::ONE:
      return program.make("or", Kind::B1, {program.lt(a, b), program.lt(b, a)});
    case P::UEQ:
      return program.negate(
          program.make("or", Kind::B1, {program.lt(a, b), program.lt(b, a)}));
    case P::UGT:
      return program.negate(program.le(a, b));
    case P::UGE:
      return program.negate(program.lt(a, b));
    case P::ULT:
      return program.negate(program.le(b, a));
    case P::ULE:
      return program.negate(program.lt(b, a));
    case P::UNE:
      return program.negate(program.eq(a, b));
    case P::ORD:
      return program.both(program.eq(a, a), program.eq(b, b));
    case P::UNO:
      return program.negate(program.both(program.eq(a, a), program.eq(b, b)));
    default:
      break;
    }
  }
  return op->emitOpError("has no form in Halide");
}

FailureOr<Term> Translator::evaluateBlock(Block &block, Term argument) {
  llvm::DenseMap<Value, Term> terms;
  terms[block.getArgument(0)] = argument;
  auto find = [&](Value value) -> FailureOr<Term> {
    if (auto found = terms.find(value); found != terms.end())
      return found->second;
    // A scalar from outside of the block.
    auto tensor = getTensor(value);
    if (failed(tensor))
      return failure();
    return program.load(tensor->source, tensor->kind, {});
  };
  for (Operation &op : block.without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto value = dyn_cast<FloatAttr>(constant.getValue());
      if (!value)
        return op.emitOpError("has no form in Halide: expected a number of "
                              "floating point");
      terms[constant] = program.constant(getKind(constant.getType()),
                                         value.getValueAsDouble());
      continue;
    }
    SmallVector<Term> operands;
    for (Value operand : op.getOperands()) {
      auto term = find(operand);
      if (failed(term))
        return failure();
      operands.push_back(*term);
    }
    auto result = evaluateScalar(&op, operands);
    if (failed(result))
      return failure();
    terms[op.getResult(0)] = *result;
  }
  return find(block.getTerminator()->getOperand(0));
}

LogicalResult Translator::translateElementwise(Operation *op) {
  // Operands of rank 0 are repeated.
  auto map = dyn_cast<FeatureMapOp>(op);
  StringRef dialect = op->getDialect() ? op->getDialect()->getNamespace() : "";
  if (op->getNumResults() != 1 ||
      !(map || isa<ScaleOp>(op) || dialect == "arith" || dialect == "math"))
    return op->emitOpError("has no form in Halide");
  SmallVector<Tensor> inputs;
  SmallVector<Term> sizes;
  unsigned count = map ? 1 : op->getNumOperands();
  for (Value operand : op->getOperands().take_front(count)) {
    auto tensor = getTensor(operand);
    if (failed(tensor))
      return failure();
    if (sizes.empty())
      sizes.assign(tensor->sizes.begin(), tensor->sizes.end());
    inputs.push_back(*tensor);
  }
  Value result = op->getResult(0);
  Kind kind = getKind(result.getType());

  // A named map writes itself for one element.
  Block scratch;
  bool costs = isCostly(op->getName().getStringRef());
  Block *block = nullptr;
  if (map && map.getMap()) {
    Type element = getElementTypeOrSelf(result.getType());
    Value x = scratch.addArgument(element, op->getLoc());
    OpBuilder builder(op->getContext());
    builder.setInsertionPointToEnd(&scratch);
    Value y = map.getMap()->emitElement(builder, op->getLoc(), x);
    YieldOp::create(builder, op->getLoc(), y);
    block = &scratch;
  } else if (map) {
    block = &map.getBody().front();
  }
  if (block)
    costs = llvm::any_of(block->without_terminator(), [](Operation &inner) {
      return isCostly(inner.getName().getStringRef());
    });

  bool failedInside = false;
  Tensor tensor = makeFunc(
      sizes,
      [&](ArrayRef<Term> index) {
        SmallVector<Term> operands;
        for (const Tensor &input : inputs)
          operands.push_back(
              program.load(input.source, input.kind,
                           input.sizes.empty() ? ArrayRef<Term>() : index));
        FailureOr<Term> value = failure();
        if (auto scale = dyn_cast<ScaleOp>(op))
          value = program.mul(
              program.constant(kind, scale.getFactor().convertToDouble()),
              program.cast(operands[0], kind));
        else if (block)
          value = evaluateBlock(*block, program.cast(operands[0], kind));
        else
          value = evaluateScalar(op, operands);
        failedInside = failed(value);
        return failedInside ? program.constant(kind, 0) : *value;
      },
      costs && !isa<ScaleOp>(op) ? getHints(result, "root") : StringRef());
  setTensor(result, tensor);
  return success(!failedInside);
}

LogicalResult Translator::translateGate(GateOp op) {
  auto lhs = getTensor(op.getInput()), rhs = getTensor(op.getGate());
  if (failed(lhs) || failed(rhs))
    return failure();
  mlir::attn::Einsum einsum = op.getSubscripts();
  auto found = getSizes(op, einsum, *lhs, *rhs);
  if (failed(found))
    return failure();
  AxisTerms &sizes = *found;
  Kind kind = getKind(op.getType());
  Tensor result =
      makeFunc(getShape(einsum.result, sizes), [&](ArrayRef<Term> index) {
        AxisTerms at;
        unpack(einsum.result, index, sizes, at);
        return program.mul(read(*lhs, getIndex(einsum.lhs, at, sizes), kind),
                           read(*rhs, getIndex(einsum.rhs, at, sizes), kind));
      });
  setTensor(op.getResult(), result);
  return success();
}

LogicalResult Translator::translateConstant(arith::ConstantOp op) {
  Tensor tensor;
  Kind kind = tensor.kind = getKind(op.getType());
  auto elements = dyn_cast<DenseFPElementsAttr>(op.getValue());
  if (auto value = dyn_cast<FloatAttr>(op.getValue())) {
    setTensor(op, makeFunc({}, [&](ArrayRef<Term>) {
                return program.constant(kind, value.getValueAsDouble());
              }));
    return success();
  }
  if (auto value = dyn_cast<IntegerAttr>(op.getValue());
      value && kind != Kind::U8) {
    setTensor(op, makeFunc({}, [&](ArrayRef<Term>) {
                return program.constant(kind, value.getInt());
              }));
    return success();
  }
  if (!elements)
    return op.emitOpError("has no form in Halide: expected a dense constant");
  SmallVector<double> values;
  for (APFloat value : elements) {
    bool losesInfo;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    values.push_back(value.convertToDouble());
  }
  ArrayRef<int64_t> shape = elements.getType().getShape();
  for (int64_t size : shape)
    tensor.sizes.push_back(program.integer(size));
  if (elements.isSplat() && !values.empty()) {
    setTensor(op, makeFunc(tensor.sizes, [&](ArrayRef<Term>) {
                return program.constant(kind, values.front());
              }));
    return success();
  }
  tensor.source = program.makeTable(kind, shape, values);
  tensor.isInput = true;
  setTensor(op, tensor);
  return success();
}

} // namespace attn::halide
