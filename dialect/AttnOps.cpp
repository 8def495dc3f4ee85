//===- AttnOps.cpp - Verifiers, folders and syntax of the graph operations -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every constraint has the number under which docs/Spec.md states it.

#include "dialect/Attn.h"
#include "dialect/Checks.h"
#include "dialect/Syntax.h"
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
  if (!attr)
    return;
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

LogicalResult attn::verifyWidth(Operation *op, TypeRange inputs) {
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

/// A floor is positive: a divisor that is never zero.
static LogicalResult verifyFloor(Operation *op, std::optional<APFloat> floor,
                                 StringRef constraint) {
  if (floor && !(floor->isFinite() && floor->convertToDouble() > 0))
    return op->emitOpError("[")
           << constraint << "] expected a finite floor above 0, got "
           << floor->convertToDouble();
  return success();
}

static LogicalResult verifyEps(Operation *op, double eps,
                               StringRef constraint) {
  if (!(eps >= 0) || std::isinf(eps))
    return op->emitOpError("[")
           << constraint << "] expected a finite eps of 0 or more, got " << eps;
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static Einsum getSubscripts(Operation *op, StringRef text) {
  return *Einsum::parse(text, [op] { return op->emitOpError(); });
}

Einsum ScoreOp::getSubscripts() {
  if (auto text = getEinsum())
    return ::getSubscripts(*this, *text);
  return Einsum::forScore(getLhs().getType(), getRhs().getType());
}

Einsum ApplyOp::getSubscripts() {
  if (auto text = getEinsum())
    return ::getSubscripts(*this, *text);
  return Einsum::forApply(getLhs().getType(), getRhs().getType());
}

Einsum ContractOp::getSubscripts() {
  return ::getSubscripts(*this, getEinsum());
}

/// Whether one dimension is `axis` and nothing else.
static bool isAlone(const EinsumOperand &operand, char axis) {
  int64_t dim = Einsum::find(operand, axis);
  return dim >= 0 && operand[dim].size() == 1;
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
    if (!text && (type.getRank() < 2 || type.getRank() > Einsum::kMaxRank))
      return error() << "[P2] expected operands and result of rank 2 to "
                     << Einsum::kMaxRank << " without subscripts, got " << type;
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
        if (dim.size() > 1 &&
            (Einsum::isTokenAxis(axis) || axis == roles.contracted.front()))
          return error() << "[P7] axis '" << Twine(axis)
                         << "' cannot be part of a group";
  // P5: the operands tell the size of every axis of a group.
  for (const EinsumOperand *operand : operands)
    for (const EinsumDim &dim : *operand)
      if (llvm::count_if(dim, [&](char axis) {
            return !isAlone(einsum.lhs, axis) && !isAlone(einsum.rhs, axis);
          }) > 1)
        return error() << "[P5] more than one axis of a group of '"
                       << toString(*operand)
                       << "' is not a dimension of an operand in '"
                       << einsum.str() << "'";
  // P4, P5: sizes agree, groups divide.
  if (failed(einsum.getAxisSizes(types[0].getShape(), types[1].getShape(),
                                 types[2].getShape(), error)))
    return failure();
  return verifyWidth(op, {types[0], types[1]});
}

LogicalResult ScoreOp::verify() {
  return verifyContraction(*this, getEinsum());
}
LogicalResult ApplyOp::verify() {
  return verifyContraction(*this, getEinsum());
}
LogicalResult ContractOp::verify() {
  return verifyContraction(*this, getEinsum());
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

// attn.softmax %s (approximated_by #map(%w : type))? attr-dict : type
ParseResult SoftmaxOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand scores;
  ParsedFeatureMap map;
  if (parser.parseOperand(scores))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("approximated_by"))) {
    if (parseFeatureMap(parser, map))
      return failure();
    result.getOrAddProperties<Properties>().map =
        cast<FeatureMapAttrInterface>(map.map);
  }
  Type type;
  if (parseAttributesAndType(parser, result, map.following, type) ||
      parser.resolveOperand(scores, type, result.operands) ||
      parser.resolveOperands(map.operands, map.operandTypes,
                             parser.getNameLoc(), result.operands))
    return failure();
  result.addTypes(type);
  return success();
}

void SoftmaxOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getScores();
  if (getMap()) {
    printer << " approximated_by ";
    printFeatureMap(printer, *getMap(), getMapOperands());
  }
  printer.printOptionalAttrDict((*this)->getAttrs(), {"map"});
  printer << " : " << getType();
}

LogicalResult SoftmaxOp::verify() {
  // N3: operands belong to a declared map.
  if (!getMap() && !getMapOperands().empty())
    return emitOpError("[N3] operands without a feature map");
  if (failed(verifyScoresRank(*this, "N1")))
    return failure();
  return verifyWidth(*this, getMapOperands().getTypes());
}

LogicalResult NormalizeOp::verify() {
  if (failed(verifyEps(*this, getEps().convertToDouble(), "N2")) ||
      failed(verifyFloor(*this, getFloor(), "N4")))
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
    int64_t wider = wide.getDimSize(i);
    ok = i == dim ? ShapedType::isStatic(size) && ShapedType::isStatic(wider) &&
                        wider - 1 == size
                  : canMatch(size, wider);
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
  if (failed(
          verifyColumn(*this, getDimension(), getInput().getType(), getType())))
    return failure();
  return verifyWidth(*this, getInput().getType());
}

int64_t DivideByLastOp::getDimension() {
  return getDim().value_or(getType().getRank() - 1);
}

/// A4: a log_scale, one element for each index of `type` but that of `dim`
/// (-1: for each), belongs to a floor.
static LogicalResult verifyLogScale(Operation *op, Value logScale,
                                    bool hasFloor, RankedTensorType type,
                                    int64_t dim) {
  if (!logScale)
    return success();
  if (!hasFloor)
    return op->emitOpError("[A4] a log_scale without a floor");
  SmallVector<int64_t> shape(type.getShape());
  if (dim >= 0)
    shape.erase(shape.begin() + dim);
  auto scale = cast<RankedTensorType>(logScale.getType());
  bool ok = scale.getRank() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; ok && i < shape.size(); ++i)
    ok = canMatch(shape[i], scale.getDimSize(i));
  if (!ok)
    return op->emitOpError("[A4] log_scale ")
           << scale << " does not fit " << type;
  return success();
}

LogicalResult DivideByLastOp::verify() {
  if (failed(verifyColumn(*this, getDimension(), getType(),
                          getInput().getType())) ||
      failed(verifyEps(*this, getEps().convertToDouble(), "A2")) ||
      failed(verifyFloor(*this, getFloor(), "A3")) ||
      failed(verifyLogScale(*this, getLogScale(), getFloor().has_value(),
                            getType(), getDimension())))
    return failure();
  return verifyWidth(*this, getInput().getType());
}

LogicalResult DivideOp::verify() {
  if (failed(verifyEps(*this, getEps().convertToDouble(), "A2")) ||
      failed(verifyFloor(*this, getFloor(), "A3")))
    return failure();
  return verifyLogScale(*this, getLogScale(), getFloor().has_value(), getType(),
                        -1);
}
