//===- ScanOp.cpp - Syntax and verifier of a user's recurrence -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every constraint has the number under which docs/Spec.md states it.

#include "dialect/Attn.h"
#include "dialect/Checks.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::attn;

static EinsumOperand parseAxes(Operation *op, StringRef text) {
  EinsumOperand axes;
  (void)Einsum::parseOperand(text, axes, [op] { return op->emitOpError(); });
  return axes;
}

EinsumOperand ScanOp::getAxesOfState() {
  return parseAxes(*this, getStateAxes());
}

EinsumOperand ScanOp::getAxesOfOutput() {
  return parseAxes(*this, getOutputAxes());
}

EinsumOperand ScanOp::getAxesOfInput(unsigned number) {
  return parseAxes(*this, cast<StringAttr>(getInputAxes()[number]).getValue());
}

SmallVector<EinsumOperand> ScanOp::getAxesOfOperands() {
  SmallVector<EinsumOperand> axes;
  for (unsigned i = 0; i < getInputs().size(); ++i)
    axes.push_back(getAxesOfInput(i));
  if (getInitialState())
    axes.push_back(getAxesOfState());
  return axes;
}

SmallVector<EinsumOperand> ScanOp::getAxesOfResults() {
  SmallVector<EinsumOperand> axes{getAxesOfOutput()};
  if (getFinalState())
    axes.push_back(getAxesOfState());
  return axes;
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

// attn.scan inputs(%x "axes", ...) (state(%s))? over "axes" region
//   -> "axes" (, state)? attr-dict : functional-type
ParseResult ScanOp::parse(OpAsmParser &parser, OperationState &result) {
  Properties &properties = result.getOrAddProperties<Properties>();
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Attribute> axes;
  // A string alone: a colon that follows is the operation's.
  Type none = NoneType::get(parser.getContext());
  if (parser.parseKeyword("inputs") ||
      parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Paren, [&]() -> ParseResult {
            StringAttr text;
            if (parser.parseOperand(operands.emplace_back()) ||
                parser.parseAttribute(text, none))
              return failure();
            axes.push_back(text);
            return success();
          }))
    return failure();
  int32_t inputs = operands.size();
  if (succeeded(parser.parseOptionalKeyword("state")))
    if (parser.parseLParen() || parser.parseOperand(operands.emplace_back()) ||
        parser.parseRParen())
      return failure();
  if (parser.parseKeyword("over") ||
      parser.parseAttribute(properties.stateAxes, none) ||
      parser.parseRegion(*result.addRegion()) || parser.parseArrow() ||
      parser.parseAttribute(properties.outputAxes, none))
    return failure();
  bool hasFinal = succeeded(parser.parseOptionalComma());
  if (hasFinal && parser.parseKeyword("state"))
    return failure();
  FunctionType type;
  SMLoc loc;
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
      parser.getCurrentLocation(&loc) || parser.parseType(type))
    return failure();
  if (type.getNumResults() != (hasFinal ? 2u : 1u))
    return parser.emitError(loc, "expected ")
           << (hasFinal ? 2 : 1) << " results, got " << type.getNumResults();
  properties.inputAxes = ArrayAttr::get(parser.getContext(), axes);
  properties.operandSegmentSizes = {
      inputs, static_cast<int32_t>(operands.size()) - inputs};
  result.addTypes(type.getResults());
  return parser.resolveOperands(operands, type.getInputs(), loc,
                                result.operands);
}

void ScanOp::print(OpAsmPrinter &printer) {
  printer << " inputs(";
  llvm::interleaveComma(
      llvm::zip_equal(getInputs(), getInputAxes()), printer, [&](auto pair) {
        printer << std::get<0>(pair) << ' ' << std::get<1>(pair);
      });
  printer << ')';
  if (getInitialState())
    printer << " state(" << getInitialState() << ')';
  printer << " over " << getStateAxesAttr() << ' ';
  printer.printRegion(getBody());
  printer << " -> " << getOutputAxesAttr();
  if (getFinalState())
    printer << ", state";
  printer.printOptionalAttrDict(
      (*this)->getAttrs(),
      {"inputAxes", "stateAxes", "outputAxes", "operandSegmentSizes"});
  printer << " : ";
  printer.printFunctionalType(*this);
}

//===----------------------------------------------------------------------===//
// Verifier
//===----------------------------------------------------------------------===//

LogicalResult ScanOp::verify() {
  auto error = [&] { return emitOpError(); };
  // R10: every tensor names its dimensions; d and v are the state's, and n is
  // the token of inputs and the output.
  if (getInputAxes().size() != getInputs().size())
    return error() << "[R10] expected axes for " << getInputs().size()
                   << " inputs, got " << getInputAxes().size();
  SmallVector<StringRef> texts{getStateAxes(), getOutputAxes()};
  for (Attribute text : getInputAxes())
    texts.push_back(cast<StringAttr>(text).getValue());
  for (StringRef text : texts) {
    EinsumOperand axes;
    if (failed(Einsum::parseOperand(text, axes, error)))
      return failure();
    for (const EinsumDim &dim : axes)
      if (dim.size() != 1)
        return error() << "[R10] axes '" << text << "' have a group";
  }
  SmallVector<Einsum::NamedShape> shapes;
  auto add = [&](const EinsumOperand &axes, Type type) -> LogicalResult {
    auto tensor = cast<RankedTensorType>(type);
    if (static_cast<int64_t>(axes.size()) != tensor.getRank())
      return error() << "[R10] axes '" << toString(axes) << "' name "
                     << axes.size() << " dimensions, " << tensor << " has "
                     << tensor.getRank();
    shapes.push_back({axes, tensor.getShape()});
    return success();
  };
  for (auto [axes, operand] :
       llvm::zip_equal(getAxesOfOperands(), getOperands()))
    if (failed(add(axes, operand.getType())))
      return failure();
  for (auto [axes, result] : llvm::zip_equal(getAxesOfResults(), getResults()))
    if (failed(add(axes, result.getType())))
      return failure();
  if (failed(Einsum::solveAxisSizes(shapes, getStateAxes(), error)))
    return failure();
  EinsumOperand state = getAxesOfState(), output = getAxesOfOutput();
  auto has = [](const EinsumOperand &axes, char axis) {
    return Einsum::find(axes, axis) >= 0;
  };
  if (!has(state, 'd') || !has(state, 'v') || has(state, 'n'))
    return error()
           << "[R10] expected a state with the axes d and v and without "
              "n, got '"
           << getStateAxes() << "'";
  if (!has(output, 'n') || has(output, 'd'))
    return error() << "[R10] expected an output with the axis n and without d, "
                      "got '"
                   << getOutputAxes() << "'";
  return verifyWidth(*this, (*this)->getOperandTypes());
}

/// The part of a tensor that one token of one batch index has.
static RankedTensorType getTokenType(RankedTensorType type,
                                     const EinsumOperand &axes,
                                     const EinsumOperand &state, Type element) {
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::zip_equal(axes, type.getShape())) {
    char axis = dim.front();
    bool isBatch = axis == 'n' || (axis != 'd' && axis != 'v' &&
                                   (Einsum::find(state, axis) >= 0));
    if (!isBatch)
      shape.push_back(size);
  }
  return RankedTensorType::get(shape, element);
}

LogicalResult ScanOp::verifyRegions() {
  // R11: the region maps the state and a token to the state and an output.
  auto error = [&] { return emitOpError(); };
  Block &block = getBody().front();
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  Type element = getOutput().getType().getElementType();
  EinsumOperand state = getAxesOfState();
  SmallVector<Type> expected;
  SmallVector<int64_t> stateShape(2, ShapedType::kDynamic);
  auto collect = [&](const EinsumOperand &axes, Type type) {
    auto tensor = cast<RankedTensorType>(type);
    for (auto [dim, size] : llvm::zip_equal(axes, tensor.getShape()))
      if ((dim.front() == 'd' || dim.front() == 'v') &&
          ShapedType::isStatic(size))
        stateShape[dim.front() == 'd' ? 0 : 1] = size;
  };
  for (auto [axes, operand] :
       llvm::zip_equal(getAxesOfOperands(), getOperands()))
    collect(axes, operand.getType());
  for (auto [axes, result] : llvm::zip_equal(getAxesOfResults(), getResults()))
    collect(axes, result.getType());
  if (Einsum::find(state, 'd') > Einsum::find(state, 'v'))
    std::swap(stateShape[0], stateShape[1]);
  auto stateType = RankedTensorType::get(stateShape, element);
  if (!stateType.hasStaticShape())
    return error() << "[R11] expected static sizes of the axes d and v, got "
                   << stateType;
  expected.push_back(stateType);
  for (auto [i, input] : llvm::enumerate(getInputs()))
    expected.push_back(getTokenType(cast<RankedTensorType>(input.getType()),
                                    getAxesOfInput(i), state, element));
  SmallVector<Type> yielded{
      stateType,
      getTokenType(getOutput().getType(), getAxesOfOutput(), state, element)};
  if (TypeRange(expected) != TypeRange(block.getArgumentTypes()))
    return error() << "[R11] expected a region of (" << expected << "), got ("
                   << block.getArgumentTypes() << ")";
  if (!yield || TypeRange(yielded) != TypeRange(yield.getOperandTypes()))
    return error() << "[R11] expected the region to yield (" << yielded << ")";
  // R12: nothing but values.
  for (Operation &op : block)
    if (!isMemoryEffectFree(&op))
      return error() << "[R12] expected a region without side effects, got '"
                     << op.getName() << "'";
  return success();
}
