//===- AttnOps.cpp - Verifiers, folders and syntax of the graph operations -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every constraint has the number under which docs/Spec.md states it.

#include "dialect/Attn.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

/// Reads a floating-point literal; `inf` and `-inf` are written as words.
static ParseResult parseFloat(OpAsmParser &parser, FloatAttr &attr) {
  Type f64 = parser.getBuilder().getF64Type();
  bool negative = succeeded(parser.parseOptionalMinus());
  double value;
  if (succeeded(parser.parseOptionalKeyword("inf")))
    value = std::numeric_limits<double>::infinity();
  else if (parser.parseFloat(value))
    return failure();
  attr = FloatAttr::get(f64, negative ? -value : value);
  return success();
}

static void printFloat(OpAsmPrinter &printer, Operation *, FloatAttr attr) {
  double value = attr.getValueAsDouble();
  if (std::isinf(value))
    printer << (value < 0 ? "-inf" : "inf");
  else
    printer.printFloat(attr.getValue());
}

#define GET_OP_CLASSES
#include "dialect/AttnOps.cpp.inc"

#include "dialect/AttnOpInterfaces.cpp.inc"

//===----------------------------------------------------------------------===//
// Checks that several operations share
//===----------------------------------------------------------------------===//

/// E1: the result is at least as wide as every input.
static LogicalResult verifyWidth(Operation *op, TypeRange inputs) {
  Type result = getElementTypeOrSelf(op->getResult(0).getType());
  for (Type type : inputs) {
    Type element = getElementTypeOrSelf(type);
    if (element.isFloat() &&
        element.getIntOrFloatBitWidth() > result.getIntOrFloatBitWidth())
      return op->emitOpError("[E1] result of ")
             << result << " is narrower than an input of " << element;
  }
  return success();
}

static LogicalResult verifyScoresRank(Operation *op, StringRef constraint) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (type.getRank() < 2)
    return op->emitOpError("[")
           << constraint << "] expected scores of rank 2 or more, got " << type;
  return success();
}

static LogicalResult verifyEps(Operation *op, double eps,
                               StringRef constraint) {
  if (!(eps >= 0) || std::isinf(eps))
    return op->emitOpError("[")
           << constraint << "] expected a finite eps of 0 or more, got " << eps;
  return success();
}

/// Whether two sizes can be equal at run time.
static bool canMatch(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static Einsum getSubscripts(Operation *op, std::optional<StringRef> text,
                            Einsum fallback) {
  if (!text)
    return fallback;
  return *Einsum::parse(*text, [op] { return op->emitOpError(); });
}

Einsum ScoreOp::getSubscripts() {
  return ::getSubscripts(*this, getEinsum(),
                         Einsum::forScore(getLhs().getType(),
                                          getRhs().getType()));
}

Einsum ApplyOp::getSubscripts() {
  return ::getSubscripts(*this, getEinsum(),
                         Einsum::forApply(getLhs().getType(),
                                          getRhs().getType()));
}

Einsum ContractOp::getSubscripts() {
  return ::getSubscripts(*this, getEinsum(), Einsum());
}

static LogicalResult verifyContraction(ContractionOpInterface op,
                                       std::optional<StringRef> text) {
  auto error = [&] { return op->emitOpError(); };
  RankedTensorType types[] = {op.getLhs().getType(), op.getRhs().getType(),
                              op.getResult().getType()};
  // P1: the subscripts can be read.
  if (text && failed(Einsum::parse(*text, error)))
    return failure();
  for (RankedTensorType type : types)
    if (!text && type.getRank() < 2)
      return error() << "[P2] expected operands and result of rank 2 or more "
                        "without subscripts, got "
                     << type;
  // P2: one dimension of the subscripts for each dimension of the operand.
  Einsum einsum = op.getSubscripts();
  const EinsumOperand *operands[] = {&einsum.lhs, &einsum.rhs, &einsum.result};
  for (auto [operand, type] : llvm::zip_equal(operands, types))
    if (static_cast<int64_t>(operand->size()) != type.getRank())
      return error() << "[P2] subscripts '" << toString(*operand) << "' have "
                     << operand->size() << " dimensions, the operand " << type
                     << " has " << type.getRank();
  // P3: no axis of the result comes from nowhere, none of an operand vanishes.
  EinsumRoles roles = einsum.getRoles();
  for (const EinsumDim &dim : einsum.result)
    for (char axis : dim)
      if (Einsum::find(einsum.lhs, axis) < 0 &&
          Einsum::find(einsum.rhs, axis) < 0)
        return error() << "[P3] axis '" << Twine(axis)
                       << "' of the result is in neither operand";
  for (ArrayRef<char> axes : {ArrayRef(roles.lhsFree), ArrayRef(roles.rhsFree)})
    for (char axis : axes)
      if (Einsum::find(einsum.result, axis) < 0)
        return error() << "[P3] axis '" << Twine(axis)
                       << "' is in one operand alone";
  // P6: a product of matrices sums over one axis.
  if (roles.contracted.size() != 1)
    return error() << "[P6] expected one axis to sum over in '" << einsum.str()
                   << "', got " << roles.contracted.size();
  // P7: composite dimensions are heads: no tokens and no summed axis in them.
  for (const EinsumOperand *operand : operands)
    for (const EinsumDim &dim : *operand)
      for (char axis : dim)
        if (dim.size() > 1 && (Einsum::isTokenAxis(axis) ||
                               axis == roles.contracted.front()))
          return error() << "[P7] axis '" << Twine(axis)
                         << "' cannot be part of a group";
  // P4, P5: sizes agree, groups divide.
  if (failed(einsum.getAxisSizes(types[0].getShape(), types[1].getShape(),
                                 types[2].getShape(), error)))
    return failure();
  return verifyWidth(op, {types[0], types[1]});
}

LogicalResult ScoreOp::verify() { return verifyContraction(*this, getEinsum()); }
LogicalResult ApplyOp::verify() { return verifyContraction(*this, getEinsum()); }
LogicalResult ContractOp::verify() {
  return verifyContraction(*this, getEinsum());
}

//===----------------------------------------------------------------------===//
// FeatureMapOp
//===----------------------------------------------------------------------===//

void FeatureMapOp::build(OpBuilder &builder, OperationState &state, Type type,
                         Value input, FeatureMapAttrInterface map,
                         ValueRange operands) {
  state.addOperands(input);
  state.addOperands(operands);
  state.getOrAddProperties<Properties>().map = map;
  state.getOrAddProperties<Properties>().stabilize =
      StabilizeAttr::get(builder.getContext(), Stabilize::None);
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

// attn.feature_map %x, #map(%w : type) | %x { region }
//   (token_dim = i)? (feature_dim = j)? (stabilize = s)? attr-dict
//   : type -> type
ParseResult FeatureMapOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand input;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> operandTypes;
  Properties &properties = result.getOrAddProperties<Properties>();
  properties.stabilize =
      StabilizeAttr::get(parser.getContext(), Stabilize::None);
  Region *body = result.addRegion();
  if (parser.parseOperand(input))
    return failure();
  if (succeeded(parser.parseOptionalComma())) {
    Attribute map;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseAttribute(map))
      return failure();
    properties.map = dyn_cast<FeatureMapAttrInterface>(map);
    if (!properties.map)
      return parser.emitError(loc, "expected a feature map, got ") << map;
    if (succeeded(parser.parseOptionalLParen()) &&
        (parser.parseOperandList(operands) ||
         parser.parseColonTypeList(operandTypes) || parser.parseRParen()))
      return failure();
  } else if (parser.parseRegion(*body)) {
    return failure();
  }
  auto parseDim = [&](StringRef name, IntegerAttr &attr) -> ParseResult {
    if (failed(parser.parseOptionalKeyword(name)))
      return success();
    return failure(parser.parseEqual() ||
                   parser.parseAttribute(attr, parser.getBuilder().getI64Type()));
  };
  if (parseDim("token_dim", properties.tokenDim) ||
      parseDim("feature_dim", properties.featureDim))
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
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(inputType) || parser.parseArrow() ||
      parser.parseType(resultType) ||
      parser.resolveOperand(input, inputType, result.operands) ||
      parser.resolveOperands(operands, operandTypes, parser.getNameLoc(),
                             result.operands))
    return failure();
  if (!body->empty())
    ensureTerminator(*body, parser.getBuilder(), result.location);
  result.addTypes(resultType);
  return success();
}

void FeatureMapOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getInput();
  if (getMap()) {
    printer << ", " << *getMap();
    if (!getMapOperands().empty())
      printer << '(' << getMapOperands() << " : " << getMapOperands().getTypes()
              << ')';
  } else {
    printer << ' ';
    printer.printRegion(getBody());
  }
  if (getTokenDim())
    printer << " token_dim = " << *getTokenDim();
  if (getFeatureDim())
    printer << " feature_dim = " << *getFeatureDim();
  if (getStabilize() != Stabilize::None)
    printer << " stabilize = " << stringifyStabilize(getStabilize());
  printer.printOptionalAttrDict(
      (*this)->getAttrs(), {"map", "tokenDim", "featureDim", "stabilize"});
  printer << " : " << getInput().getType() << " -> " << getType();
}

LogicalResult FeatureMapOp::verify() {
  auto error = [&] { return emitOpError(); };
  RankedTensorType input = getInput().getType(), result = getType();
  // F1: a named map or a region.
  if (getMap().has_value() == !getBody().empty())
    return error() << "[F1] expected either a named map or a region";
  // F2: two different dimensions, tokens and features.
  int64_t rank = input.getRank();
  int64_t token = getTokenDimension(), feature = getFeatureDimension();
  if (rank < 2 || token < 0 || token >= rank || feature < 0 ||
      feature >= rank || token == feature)
    return error() << "[F2] expected two different dimensions of " << input
                   << " for tokens and features, got " << token << " and "
                   << feature;
  // F3: the number of features is known. An element-wise map has none to know.
  int64_t width = input.getDimSize(feature);
  if (ShapedType::isDynamic(width) && !isElementwise())
    return error() << "[F3] expected a static number of features, got "
                   << input;
  // F4: the map takes its operands.
  int64_t features = width;
  if (auto map = getMap()) {
    if (failed(map->verifyFeatureMap(error, width, getMapOperands().getTypes())))
      return failure();
    features = map->getNumFeatures(width, getMapOperands().getTypes());
  } else if (!getMapOperands().empty()) {
    return error() << "[F4] a region takes no operands";
  }
  for (Value operand : getMapOperands()) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (type.getRank() < 2 || type.getRank() > rank)
      return error() << "[F4] expected an operand of rank 2 to " << rank
                     << ", got " << type;
  }
  // F5: the region maps an element to an element.
  if (!getBody().empty()) {
    Block &block = getBody().front();
    auto yield = cast<YieldOp>(block.getTerminator());
    Type element = result.getElementType();
    if (block.getNumArguments() != 1 ||
        block.getArgument(0).getType() != element ||
        yield.getNumOperands() != 1 ||
        yield.getOperand(0).getType() != element)
      return error() << "[F5] expected a region that maps one " << element
                     << " to one " << element;
  }
  // F6: the shape is the input's but for the features.
  for (int64_t i = 0; i < rank; ++i)
    if (result.getRank() != rank ||
        !canMatch(i == feature ? features : input.getDimSize(i),
                  result.getDimSize(i)))
      return error() << "[F6] expected " << features
                     << " features and otherwise the shape of " << input
                     << ", got " << result;
  return verifyWidth(*this, getMapOperands().getTypes().empty()
                                ? TypeRange(input)
                                : TypeRange((*this)->getOperandTypes()));
}

//===----------------------------------------------------------------------===//
// ScaleOp
//===----------------------------------------------------------------------===//

LogicalResult ScaleOp::verify() {
  // S1: same shape.
  if (getInput().getType().getShape() != getType().getShape())
    return emitOpError("[S1] expected the shape of ")
           << getInput().getType() << ", got " << getType();
  // S2: a finite factor.
  if (!getFactor().isFinite())
    return emitOpError("[S2] expected a finite factor, got ")
           << getFactor().convertToDouble();
  return verifyWidth(*this, getInput().getType());
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  // 1 x = x, to the bit.
  if (getFactor().isExactlyValue(1.0) && getInput().getType() == getType())
    return getInput();
  return {};
}

//===----------------------------------------------------------------------===//
// MaskOp
//===----------------------------------------------------------------------===//

LogicalResult MaskOp::verify() {
  // M1: rows of queries, columns of keys.
  if (failed(verifyScoresRank(*this, "M1")))
    return failure();
  // M2: the fill is neutral in a sum, or in a softmax.
  double fill = getFill().convertToDouble();
  if (fill != 0 && fill != -std::numeric_limits<double>::infinity())
    return emitOpError("[M2] expected a fill of 0.0 or -inf, got ") << fill;
  // M3: the mask takes its operands.
  return getMask().verifyMask([&] { return emitOpError(); }, getType(),
                              getMaskOperands().getTypes());
}

OpFoldResult MaskOp::fold(FoldAdaptor) {
  if (getMask().isFull())
    return getScores();
  return {};
}

//===----------------------------------------------------------------------===//
// SoftmaxOp, NormalizeOp
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() {
  // N3: operands belong to a declared map.
  if (!getMap() && !getMapOperands().empty())
    return emitOpError("[N3] operands without a feature map");
  return verifyScoresRank(*this, "N1");
}

LogicalResult NormalizeOp::verify() {
  if (failed(verifyEps(*this, getEps().convertToDouble(), "N2")))
    return failure();
  return verifyScoresRank(*this, "N1");
}

//===----------------------------------------------------------------------===//
// AppendOnesOp, DivideByLastOp
//===----------------------------------------------------------------------===//

/// A1: `narrow` and `wide` differ by one element of `dim`.
static LogicalResult verifyColumn(Operation *op, int64_t dim,
                                  RankedTensorType narrow,
                                  RankedTensorType wide) {
  int64_t rank = narrow.getRank();
  bool ok = wide.getRank() == rank && dim >= 0 && dim < rank;
  for (int64_t i = 0; ok && i < rank; ++i) {
    int64_t size = narrow.getDimSize(i);
    ok = i == dim ? ShapedType::isStatic(size) &&
                        wide.getDimSize(i) == size + 1
                  : canMatch(size, wide.getDimSize(i));
  }
  if (!ok)
    return op->emitOpError("[A1] expected ")
           << narrow << " and " << wide << " to differ by one element of a "
           << "static dimension " << dim;
  return success();
}

int64_t AppendOnesOp::getDimension() {
  return getDim().value_or(getType().getRank() - 1);
}

LogicalResult AppendOnesOp::verify() {
  if (failed(verifyColumn(*this, getDimension(), getInput().getType(),
                          getType())))
    return failure();
  return verifyWidth(*this, getInput().getType());
}

int64_t DivideByLastOp::getDimension() {
  return getDim().value_or(getType().getRank() - 1);
}

LogicalResult DivideByLastOp::verify() {
  if (failed(verifyColumn(*this, getDimension(), getType(),
                          getInput().getType())) ||
      failed(verifyEps(*this, getEps().convertToDouble(), "A2")))
    return failure();
  return verifyWidth(*this, getInput().getType());
}
