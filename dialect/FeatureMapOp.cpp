//===- FeatureMapOp.cpp - Syntax and verifier of feature maps -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/Checks.h"
#include "dialect/Syntax.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::attn;

void FeatureMapOp::build(OpBuilder &builder, OperationState &state, Type type,
                         Value input, FeatureMapAttrInterface map,
                         ValueRange operands) {
  state.addOperands(input);
  state.addOperands(operands);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.map = map;
  properties.stabilize =
      StabilizeAttr::get(builder.getContext(), Stabilize::None);
  properties.operandSegmentSizes = {1, static_cast<int32_t>(operands.size()),
                                    0};
  state.addRegion();
  state.addTypes(type);
}

int64_t FeatureMapOp::getTokenDimension() {
  return getTokenDim().value_or(getInput().getType().getRank() - 2);
}

int64_t FeatureMapOp::getFeatureDimension() {
  return getFeatureDim().value_or(getInput().getType().getRank() - 1);
}

bool FeatureMapOp::isElementwise() {
  return !getMap() || getMap()->isElementwise();
}

/// `name = i`, if it is there.
static ParseResult parseDim(OpAsmParser &parser, StringRef name,
                            IntegerAttr &attr) {
  if (failed(parser.parseOptionalKeyword(name)))
    return success();
  return failure(parser.parseEqual() ||
                 parser.parseAttribute(attr, parser.getBuilder().getI64Type()));
}

// attn.feature_map %x, #map(%w : type) | %x { region }
//   (token_dim = i)? (feature_dim = j)? (start(%p : type))? (stabilize = s)?
//   attr-dict : type -> type
ParseResult FeatureMapOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand input;
  ParsedFeatureMap map;
  Properties &properties = result.getOrAddProperties<Properties>();
  properties.stabilize =
      StabilizeAttr::get(parser.getContext(), Stabilize::None);
  Region *body = result.addRegion();
  if (parser.parseOperand(input))
    return failure();
  if (succeeded(parser.parseOptionalComma())) {
    if (parseFeatureMap(parser, map))
      return failure();
    properties.map = cast<FeatureMapAttrInterface>(map.map);
  } else if (parser.parseRegion(*body)) {
    return failure();
  }
  if (parseDim(parser, "token_dim", properties.tokenDim) ||
      parseDim(parser, "feature_dim", properties.featureDim))
    return failure();
  SmallVector<OpAsmParser::UnresolvedOperand, 1> start;
  SmallVector<Type, 1> startType;
  if (succeeded(parser.parseOptionalKeyword("start")) &&
      (parser.parseLParen() || parser.parseOperand(start.emplace_back()) ||
       parser.parseColonType(startType.emplace_back()) || parser.parseRParen()))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("stabilize"))) {
    StringRef word;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseEqual() || parser.parseKeyword(&word))
      return failure();
    std::optional<Stabilize> stabilize = symbolizeStabilize(word);
    if (!stabilize)
      return parser.emitError(loc, "expected none, token or sequence");
    properties.stabilize = StabilizeAttr::get(parser.getContext(), *stabilize);
  }
  Type inputType, resultType;
  if (parseAttributesAndType(parser, result, map.following, inputType) ||
      parser.parseArrow() || parser.parseType(resultType) ||
      parser.resolveOperand(input, inputType, result.operands) ||
      parser.resolveOperands(map.operands, map.operandTypes,
                             parser.getNameLoc(), result.operands) ||
      parser.resolveOperands(start, startType, parser.getNameLoc(),
                             result.operands))
    return failure();
  properties.operandSegmentSizes = {1,
                                    static_cast<int32_t>(map.operands.size()),
                                    static_cast<int32_t>(start.size())};
  if (!body->empty())
    ensureTerminator(*body, parser.getBuilder(), result.location);
  result.addTypes(resultType);
  return success();
}

void FeatureMapOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getInput();
  if (getMap()) {
    printer << ", ";
    printFeatureMap(printer, *getMap(), getMapOperands());
  } else {
    printer << ' ';
    printer.printRegion(getBody());
  }
  if (getTokenDim())
    printer << " token_dim = " << *getTokenDim();
  if (getFeatureDim())
    printer << " feature_dim = " << *getFeatureDim();
  if (getStart())
    printer << " start(" << getStart() << " : " << getStart().getType() << ")";
  if (getStabilize() != Stabilize::None)
    printer << " stabilize = " << stringifyStabilize(getStabilize());
  printer.printOptionalAttrDict(
      (*this)->getAttrs(),
      {"map", "tokenDim", "featureDim", "stabilize", "operandSegmentSizes"});
  printer << " : " << getInput().getType() << " -> " << getType();
}

/// Up to here D^2 features and their bytes can be counted in 64 bits.
static constexpr int64_t kMaxFeatures = int64_t(1) << 24;

/// F4: the leading dimensions of an operand are the last batch dimensions of
/// the input.
template <typename Op>
static LogicalResult verifyMapOperand(Op op, RankedTensorType type) {
  RankedTensorType input = op.getInput().getType();
  SmallVector<int64_t> batch;
  for (int64_t i = 0; i < input.getRank(); ++i)
    if (i != op.getTokenDimension() && i != op.getFeatureDimension())
      batch.push_back(input.getDimSize(i));
  int64_t leading = type.getRank() - 2, size = batch.size();
  bool ok = leading >= 0 && leading <= size;
  for (int64_t i = 0; ok && i < leading; ++i)
    ok = canMatch(type.getDimSize(i), batch[size - leading + i]);
  if (!ok)
    return op.emitOpError(
               "[F4] expected an operand of rank 2 or more whose "
               "leading dimensions are the last batch dimensions of ")
           << input << ", got " << type;
  return success();
}

/// F2: two different dimensions, tokens and features. An element-wise map also
/// maps a tensor that has no tokens.
template <typename Op>
static LogicalResult verifyDimensions(Op op, bool isElementwise) {
  RankedTensorType input = op.getInput().getType();
  int64_t rank = input.getRank();
  if (isElementwise && rank < 2 && !op.getTokenDim() && !op.getFeatureDim())
    return success();
  int64_t token = op.getTokenDimension(), feature = op.getFeatureDimension();
  if (rank < 2 || token < 0 || token >= rank || feature < 0 ||
      feature >= rank || token == feature)
    return op.emitOpError("[F2] expected two different dimensions of ")
           << input << " for tokens and features, got " << token << " and "
           << feature;
  return success();
}

/// F3: the number of features is known. An element-wise map has none to know.
template <typename Op>
static LogicalResult verifyFeatures(Op op, bool isElementwise) {
  if (isElementwise)
    return success();
  RankedTensorType input = op.getInput().getType();
  int64_t width = input.getDimSize(op.getFeatureDimension());
  if (ShapedType::isDynamic(width) || width == 0 || width > kMaxFeatures)
    return op.emitOpError("[F3] expected a static number of features, 1 to ")
           << kMaxFeatures << ", got " << input;
  return success();
}

LogicalResult FeatureMapOp::verify() {
  auto error = [&] { return emitOpError(); };
  RankedTensorType input = getInput().getType(), result = getType();
  // F1: a named map or a region.
  if (getMap().has_value() == !getBody().empty())
    return error() << "[F1] expected either a named map or a region";
  if (failed(verifyDimensions(*this, isElementwise())) ||
      failed(verifyFeatures(*this, isElementwise())))
    return failure();
  int64_t rank = input.getRank(), feature = getFeatureDimension();
  int64_t width = rank == 0 ? 1 : input.getDimSize(feature);
  // F4: the map takes its operands.
  int64_t features = width;
  if (auto map = getMap()) {
    if (failed(
            map->verifyFeatureMap(error, width, getMapOperands().getTypes())))
      return failure();
    features = map->getNumFeatures(width, getMapOperands().getTypes());
  } else if (!getMapOperands().empty()) {
    return error() << "[F4] a region takes no operands";
  }
  for (Value operand : getMapOperands())
    if (failed(
            verifyMapOperand(*this, cast<RankedTensorType>(operand.getType()))))
      return failure();
  // F6: the shape is the input's but for the features.
  bool ok = result.getRank() == rank;
  for (int64_t i = 0; ok && i < rank; ++i)
    ok = canMatch(i == feature ? features : input.getDimSize(i),
                  result.getDimSize(i));
  if (!ok)
    return error() << "[F6] expected "
                   << (ShapedType::isDynamic(features) ? Twine("?")
                                                       : Twine(features))
                   << " features and otherwise the shape of " << input
                   << ", got " << result;
  // F9: a start for what depends on it.
  if (getStart() && !(getMap() && getMap()->usesPosition()))
    return error() << "[F9] expected a map that uses the position of a token";
  return verifyWidth(
      *this,
      TypeRange((*this)->getOperandTypes()).drop_back(getStart() ? 1 : 0));
}

// Runs once the terminator is known to be a yield.
LogicalResult FeatureMapOp::verifyRegions() {
  // F5: the region maps an element to an element, and nothing else.
  if (getBody().empty())
    return success();
  Block &block = getBody().front();
  auto yield = cast<YieldOp>(block.getTerminator());
  Type element = getType().getElementType();
  if (block.getNumArguments() != 1 ||
      block.getArgument(0).getType() != element ||
      yield.getNumOperands() != 1 || yield.getOperand(0).getType() != element)
    return emitOpError("[F5] expected a region that maps one ")
           << element << " to one " << element;
  for (Operation &op : block)
    if (!isMemoryEffectFree(&op))
      return emitOpError("[F5] expected a region without side effects, got '")
             << op.getName() << "'";
  return success();
}

//===----------------------------------------------------------------------===//
// FeatureScaleOp
//===----------------------------------------------------------------------===//

int64_t FeatureScaleOp::getTokenDimension() {
  return getTokenDim().value_or(getInput().getType().getRank() - 2);
}

int64_t FeatureScaleOp::getFeatureDimension() {
  return getFeatureDim().value_or(getInput().getType().getRank() - 1);
}

// attn.feature_scale %x, #map(%w : type) (token_dim = i)? (feature_dim = j)?
//   attr-dict : type -> type
ParseResult FeatureScaleOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand input;
  ParsedFeatureMap map;
  Properties &properties = result.getOrAddProperties<Properties>();
  if (parser.parseOperand(input) || parser.parseComma() ||
      parseFeatureMap(parser, map) ||
      parseDim(parser, "token_dim", properties.tokenDim) ||
      parseDim(parser, "feature_dim", properties.featureDim))
    return failure();
  properties.map = cast<FeatureMapAttrInterface>(map.map);
  Type inputType, resultType;
  if (parseAttributesAndType(parser, result, map.following, inputType) ||
      parser.parseArrow() || parser.parseType(resultType) ||
      parser.resolveOperand(input, inputType, result.operands) ||
      parser.resolveOperands(map.operands, map.operandTypes,
                             parser.getNameLoc(), result.operands))
    return failure();
  result.addTypes(resultType);
  return success();
}

void FeatureScaleOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getInput() << ", ";
  printFeatureMap(printer, getMap(), getMapOperands());
  if (getTokenDim())
    printer << " token_dim = " << *getTokenDim();
  if (getFeatureDim())
    printer << " feature_dim = " << *getFeatureDim();
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"map", "tokenDim", "featureDim"});
  printer << " : " << getInput().getType() << " -> " << getType();
}

LogicalResult FeatureScaleOp::verify() {
  auto error = [&] { return emitOpError(); };
  RankedTensorType input = getInput().getType(), result = getType();
  if (failed(verifyDimensions(*this, false)) ||
      failed(verifyFeatures(*this, false)))
    return failure();
  int64_t width = input.getDimSize(getFeatureDimension());
  if (failed(
          getMap().verifyFeatureMap(error, width, getMapOperands().getTypes())))
    return failure();
  for (Value operand : getMapOperands())
    if (failed(
            verifyMapOperand(*this, cast<RankedTensorType>(operand.getType()))))
      return failure();
  // F8: an exponential map, and one element for its features.
  if (!getMap().isExponential())
    return error() << "[F8] expected an exponential map, got " << getMap();
  SmallVector<int64_t> shape(input.getShape());
  shape.erase(shape.begin() + getFeatureDimension());
  bool ok = result.getRank() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; ok && i < shape.size(); ++i)
    ok = canMatch(shape[i], result.getDimSize(i));
  if (!ok)
    return error() << "[F8] expected one element for the features of " << input
                   << ", got " << result;
  return verifyWidth(*this, (*this)->getOperandTypes());
}
