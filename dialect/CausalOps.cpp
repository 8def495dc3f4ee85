//===- CausalOps.cpp - Decays, gates, solves and steps -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every constraint has the number under which docs/Spec.md states it.

#include "dialect/Attn.h"
#include "dialect/Checks.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

static EinsumOperand parseAxes(Operation *op, StringRef text) {
  EinsumOperand axes;
  (void)Einsum::parseOperand(text, axes, [op] { return op->emitOpError(); });
  return axes;
}

/// `axes` without the dimension of `axis`.
static EinsumOperand without(EinsumOperand axes, char axis) {
  int64_t dim = Einsum::find(axes, axis);
  if (dim >= 0)
    axes.erase(axes.begin() + dim);
  return axes;
}

static bool hasAxis(const EinsumOperand &operand, char axis) {
  return Einsum::find(operand, axis) >= 0;
}

/// As many axes as dimensions; sizes that agree (P4, P5).
static LogicalResult verifyShapes(NamedAxesOpInterface op,
                                  StringRef constraint) {
  auto error = [&] { return op->emitOpError(); };
  SmallVector<Einsum::NamedShape> shapes;
  std::string text;
  auto add = [&](const EinsumOperand &axes, Type type) -> LogicalResult {
    auto tensor = cast<RankedTensorType>(type);
    if (static_cast<int64_t>(axes.size()) != tensor.getRank())
      return error() << "[" << constraint << "] axes '" << toString(axes)
                     << "' name " << axes.size() << " dimensions, " << tensor
                     << " has " << tensor.getRank();
    text += (text.empty() ? "" : ",") + toString(axes);
    shapes.push_back({axes, tensor.getShape()});
    return success();
  };
  for (auto [axes, operand] :
       llvm::zip_equal(op.getAxesOfOperands(), op->getOperands()))
    if (failed(add(axes, operand.getType())))
      return failure();
  for (auto [axes, result] :
       llvm::zip_equal(op.getAxesOfResults(), op->getResults()))
    if (failed(add(axes, result.getType())))
      return failure();
  auto sizes = Einsum::solveAxisSizes(shapes, text, error);
  if (failed(sizes))
    return failure();
  if (auto equal = op.getEqualAxes()) {
    int64_t first = ShapedType::kDynamic, second = ShapedType::kDynamic;
    for (auto [axis, size] : *sizes) {
      if (axis == equal->first)
        first = size;
      if (axis == equal->second)
        second = size;
    }
    if (!canMatch(first, second))
      return error() << "[P4] axes '" << Twine(equal->first) << "' and '"
                     << Twine(equal->second) << "' have the sizes " << first
                     << " and " << second << ", expected equal ones";
  }
  return success();
}

/// `text`, if it is there, can be read as the axes of an operand.
static LogicalResult verifyAxesText(Operation *op,
                                    std::optional<StringRef> text) {
  EinsumOperand axes;
  return text ? Einsum::parseOperand(*text, axes,
                                     [op] { return op->emitOpError(); })
              : success();
}

/// Subscripts can be read and name each dimension.
static LogicalResult verifySubscripts(Operation *op,
                                      std::optional<StringRef> text) {
  auto error = [op] { return op->emitOpError(); };
  return text ? LogicalResult(Einsum::parse(*text, error)) : success();
}

//===----------------------------------------------------------------------===//
// CausalScoreOp
//===----------------------------------------------------------------------===//

Einsum CausalScoreOp::getSubscripts() {
  if (auto text = getEinsum())
    return *Einsum::parse(*text, [this] { return emitOpError(); });
  return Einsum::forScore(getLhs().getType(), getRhs().getType());
}

/// The one axis of lhs and rhs that the result has not, or 0.
char CausalScoreOp::getFeatureAxis() {
  SmallVector<char> summed = getSubscripts().getRoles().contracted;
  return summed.size() == 1 ? summed.front() : 0;
}

char CausalScoreOp::getQueryAxis() {
  EinsumOperand result = getSubscripts().result;
  return result.size() < 2 ? 0 : result[result.size() - 2].front();
}

char CausalScoreOp::getKeyAxis() {
  EinsumOperand result = getSubscripts().result;
  return result.size() < 2 ? 0 : result.back().front();
}

EinsumOperand CausalScoreOp::getAxesOfDecay() {
  if (auto text = getDecayAxes())
    return parseAxes(*this, *text);
  EinsumOperand axes = getSubscripts().lhs;
  if (getDecay().getType().getRank() == static_cast<int64_t>(axes.size()))
    return axes;
  return without(axes, getFeatureAxis());
}

EinsumOperand CausalScoreOp::getAxesOfBonus() {
  if (auto text = getBonusAxes())
    return parseAxes(*this, *text);
  EinsumOperand axes = without(getSubscripts().lhs, getQueryAxis());
  size_t rank = getBonus().getType().getRank();
  return EinsumOperand(ArrayRef(axes).take_back(std::min(rank, axes.size())));
}

EinsumOperand CausalScoreOp::getAxesOfLogGate() {
  if (auto text = getLogGateAxes())
    return parseAxes(*this, *text);
  return without(getSubscripts().rhs, getFeatureAxis());
}

SmallVector<EinsumOperand> CausalScoreOp::getAxesOfOperands() {
  Einsum einsum = getSubscripts();
  SmallVector<EinsumOperand> axes{einsum.lhs, einsum.rhs};
  if (getDecay())
    axes.push_back(getAxesOfDecay());
  if (getBonus())
    axes.push_back(getAxesOfBonus());
  if (getLogGate())
    axes.push_back(getAxesOfLogGate());
  return axes;
}

SmallVector<EinsumOperand> CausalScoreOp::getAxesOfResults() {
  return {getSubscripts().result};
}

std::optional<std::pair<char, char>> CausalScoreOp::getEqualAxes() {
  return std::make_pair(getQueryAxis(), getKeyAxis());
}

LogicalResult CausalScoreOp::verify() {
  auto error = [&] { return emitOpError(); };
  // Segment sizes in generic form may give lhs and rhs any number of values.
  if (getODSOperands(0).size() != 1 || getODSOperands(1).size() != 1)
    return error() << "expected one lhs and one rhs";
  // D1: subscripts and axes can be read.
  if (failed(verifySubscripts(*this, getEinsum())) ||
      failed(verifyAxesText(*this, getDecayAxes())) ||
      failed(verifyAxesText(*this, getBonusAxes())) ||
      failed(verifyAxesText(*this, getLogGateAxes())))
    return failure();
  for (RankedTensorType type : {getLhs().getType(), getRhs().getType()})
    if (!getEinsum() &&
        (type.getRank() < 2 || type.getRank() > Einsum::kMaxRank))
      return error() << "[D1] expected operands of rank 2 to "
                     << Einsum::kMaxRank << " without subscripts, got " << type;
  // D2: the result ends in a query and a key axis.
  Einsum einsum = getSubscripts();
  char query = getQueryAxis(), key = getKeyAxis();
  size_t rank = einsum.result.size();
  if (rank < 2 || einsum.result[rank - 2].size() != 1 ||
      einsum.result[rank - 1].size() != 1 || !Einsum::isTokenAxis(query) ||
      !Einsum::isTokenAxis(key) || hasAxis(einsum.lhs, key) ||
      hasAxis(einsum.rhs, query))
    return error() << "[D2] expected a result that ends in the token axes of "
                      "lhs and of rhs, got '"
                   << einsum.str() << "'";
  // D3: one axis is summed over.
  if (!getFeatureAxis())
    return error() << "[D3] expected one axis to sum over in '" << einsum.str()
                   << "', got " << einsum.getRoles().contracted.size();
  // D4: decays, bonus and gate are functions of a token, a channel and a batch.
  auto check = [&](StringRef name, const EinsumOperand &axes,
                   char token) -> LogicalResult {
    for (const EinsumDim &dim : axes)
      for (char axis : dim)
        if (axis != token && axis != getFeatureAxis() &&
            (Einsum::isTokenAxis(axis) || !hasAxis(einsum.result, axis)))
          return error() << "[D4] axis '" << Twine(axis) << "' of the " << name
                         << " is neither '" << Twine(token) << "', '"
                         << Twine(getFeatureAxis()) << "' nor a batch axis of '"
                         << toString(einsum.result) << "'";
    return success();
  };
  if (getDecay() && failed(check("decay", getAxesOfDecay(), query)))
    return failure();
  if (getBonus() && failed(check("bonus", getAxesOfBonus(), query)))
    return failure();
  if (getLogGate()) {
    if (hasAxis(getAxesOfLogGate(), getFeatureAxis()))
      return error() << "[D4] the log_gate has the feature axis '"
                     << Twine(getFeatureAxis()) << "'";
    if (failed(check("log_gate", getAxesOfLogGate(), key)))
      return failure();
  }
  // D5: the axes of the result come from somewhere, those of lhs and rhs stay.
  SmallVector<EinsumOperand> operands = getAxesOfOperands();
  for (const EinsumDim &dim : einsum.result)
    for (char axis : dim)
      if (axis != query && axis != key &&
          llvm::none_of(operands, [&](const EinsumOperand &operand) {
            return hasAxis(operand, axis);
          }))
        return error() << "[D5] axis '" << Twine(axis)
                       << "' of the result is in no operand";
  for (const EinsumOperand *operand : {&einsum.lhs, &einsum.rhs})
    for (const EinsumDim &dim : *operand)
      for (char axis : dim)
        if (axis != getFeatureAxis() && !hasAxis(einsum.result, axis))
          return error() << "[D5] axis '" << Twine(axis)
                         << "' is not in the result";
  // D6: the diagonal has one meaning.
  if (getBonus() && getStrict())
    return error() << "[D6] strict scores have no diagonal for a bonus";
  // D7: the decay is there to be unbounded.
  if (getUnbounded() && !getDecay())
    return error() << "[D7] unbounded without a decay";
  // D8: a dimension for each axis, sizes that agree; as many queries as keys.
  if (failed(verifyShapes(*this, "D8")))
    return failure();
  return verifyWidth(*this, (*this)->getOperandTypes());
}

//===----------------------------------------------------------------------===//
// GateOp
//===----------------------------------------------------------------------===//

Einsum GateOp::getSubscripts() {
  if (auto text = getEinsum())
    return *Einsum::parse(*text, [this] { return emitOpError(); });
  // The axes of the input, and as many of them for the gate.
  Einsum einsum;
  for (int64_t i = 0; i < getInput().getType().getRank(); ++i)
    einsum.lhs.push_back({static_cast<char>('a' + i)});
  einsum.result = einsum.lhs;
  einsum.rhs = einsum.lhs;
  size_t rank = getGate().getType().getRank();
  if (rank < einsum.rhs.size())
    einsum.rhs.resize(einsum.rhs.size() - 1);
  return einsum;
}

SmallVector<EinsumOperand> GateOp::getAxesOfOperands() {
  Einsum einsum = getSubscripts();
  return {einsum.lhs, einsum.rhs};
}

SmallVector<EinsumOperand> GateOp::getAxesOfResults() {
  return {getSubscripts().result};
}

LogicalResult GateOp::verify() {
  auto error = [&] { return emitOpError(); };
  // G1: the subscripts can be read.
  if (failed(verifySubscripts(*this, getEinsum())))
    return failure();
  int64_t rank = getInput().getType().getRank();
  if (!getEinsum() && (rank > 26 || getGate().getType().getRank() > rank ||
                       getGate().getType().getRank() < rank - 1))
    return error()
           << "[G1] expected a gate of the rank of the input, or of one "
              "less, without subscripts, got "
           << getInput().getType() << " and " << getGate().getType();
  // G2: nothing is summed over and nothing comes from nowhere.
  Einsum einsum = getSubscripts();
  auto within = [&](const EinsumOperand &axes, char axis) {
    return hasAxis(axes, axis);
  };
  for (const EinsumDim &dim : einsum.result)
    for (char axis : dim)
      if (!within(einsum.lhs, axis) && !within(einsum.rhs, axis))
        return error() << "[G2] axis '" << Twine(axis)
                       << "' of the result is in neither operand";
  for (const EinsumOperand *operand : {&einsum.lhs, &einsum.rhs})
    for (const EinsumDim &dim : *operand)
      for (char axis : dim)
        if (!within(einsum.result, axis))
          return error() << "[G2] axis '" << Twine(axis)
                         << "' is not in the result";
  // G3: a dimension for each axis, sizes that agree.
  if (failed(verifyShapes(*this, "G3")))
    return failure();
  // G4: a range is not empty.
  if (getLo() && getHi() &&
      !(getLo()->convertToDouble() <= getHi()->convertToDouble()))
    return error() << "[G4] expected a range [lo, hi] with lo <= hi, got ["
                   << getLo()->convertToDouble() << ", "
                   << getHi()->convertToDouble() << "]";
  return verifyWidth(*this, (*this)->getOperandTypes());
}

//===----------------------------------------------------------------------===//
// SolveOp
//===----------------------------------------------------------------------===//

Einsum SolveOp::getSubscripts() {
  if (auto text = getEinsum())
    return *Einsum::parse(*text, [this] { return emitOpError(); });
  return Einsum::forApply(getLower().getType(), getRhs().getType());
}

/// The axis of the columns of L is the summed one.
char SolveOp::getColumnAxis() {
  SmallVector<char> summed = getSubscripts().getRoles().contracted;
  return summed.size() == 1 ? summed.front() : 0;
}

char SolveOp::getRowAxis() {
  // The token axis that L and the result share.
  Einsum einsum = getSubscripts();
  for (const EinsumDim &dim : einsum.lhs)
    if (dim.size() == 1 && Einsum::isTokenAxis(dim[0]) &&
        dim[0] != getColumnAxis() && hasAxis(einsum.result, dim[0]))
      return dim[0];
  return 0;
}

SmallVector<EinsumOperand> SolveOp::getAxesOfOperands() {
  Einsum einsum = getSubscripts();
  return {einsum.lhs, einsum.rhs};
}

SmallVector<EinsumOperand> SolveOp::getAxesOfResults() {
  return {getSubscripts().result};
}

std::optional<std::pair<char, char>> SolveOp::getEqualAxes() {
  return std::make_pair(getRowAxis(), getColumnAxis());
}

LogicalResult SolveOp::verify() {
  auto error = [&] { return emitOpError(); };
  // L1: the subscripts can be read.
  if (failed(verifySubscripts(*this, getEinsum())))
    return failure();
  for (RankedTensorType type : {getLower().getType(), getRhs().getType()})
    if (!getEinsum() &&
        (type.getRank() < 2 || type.getRank() > Einsum::kMaxRank))
      return error() << "[L1] expected operands of rank 2 to "
                     << Einsum::kMaxRank << " without subscripts, got " << type;
  // L2: a system for each index of the batch, square in the tokens.
  Einsum einsum = getSubscripts();
  EinsumRoles roles = einsum.getRoles();
  if (!getColumnAxis() || !Einsum::isTokenAxis(getColumnAxis()) ||
      !getRowAxis() || roles.lhsFree != SmallVector<char>{getRowAxis()})
    return error() << "[L2] expected a product over one token axis with the "
                      "rows of L, got '"
                   << einsum.str() << "'";
  for (const EinsumDim &dim : einsum.result)
    for (char axis : dim)
      if (axis != getRowAxis() && !hasAxis(einsum.rhs, axis))
        return error() << "[L2] axis '" << Twine(axis)
                       << "' of the result is not in the right side";
  for (char axis : roles.rhsFree)
    if (!hasAxis(einsum.result, axis))
      return error() << "[L2] axis '" << Twine(axis)
                     << "' is not in the result";
  // L3: a dimension for each axis, sizes that agree.
  if (failed(verifyShapes(*this, "L3")))
    return failure();
  return verifyWidth(*this, (*this)->getOperandTypes());
}

//===----------------------------------------------------------------------===//
// ExpandStepsOp, TakeStepsOp
//===----------------------------------------------------------------------===//

int64_t ExpandStepsOp::getTokenDimension() {
  return getTokenDim().value_or(getType().getRank() - 2);
}

int64_t TakeStepsOp::getTokenDimension() {
  return getTokenDim().value_or(getType().getRank() - 2);
}

/// T1 to T3: `many` has `steps` times the tokens of `few`.
static LogicalResult verifySteps(Operation *op, int64_t steps, int64_t dim,
                                 RankedTensorType few, RankedTensorType many) {
  if (steps < 1)
    return op->emitOpError("[T1] expected one step or more, got ") << steps;
  int64_t rank = few.getRank();
  if (dim < 0 || dim >= rank)
    return op->emitOpError("[T2] expected a token dimension of ")
           << few << ", got " << dim;
  bool ok = many.getRank() == rank;
  for (int64_t i = 0; ok && i < rank; ++i) {
    int64_t size = few.getDimSize(i), wide = many.getDimSize(i);
    bool isStatic = ShapedType::isStatic(size) && ShapedType::isStatic(wide);
    ok = i == dim ? !isStatic || (wide % steps == 0 && wide / steps == size)
                  : canMatch(size, wide);
  }
  if (!ok)
    return op->emitOpError("[T3] expected ")
           << many << " to have " << steps << " times the tokens of " << few
           << " and otherwise its shape";
  return verifyWidth(op, op->getOperandTypes());
}

LogicalResult ExpandStepsOp::verify() {
  return verifySteps(*this, getSteps(), getTokenDimension(),
                     getInput().getType(), getType());
}

LogicalResult TakeStepsOp::verify() {
  return verifySteps(*this, getSteps(), getTokenDimension(), getType(),
                     getInput().getType());
}
