//===- ScoreTerm.cpp - Scores as a recurrence reads them ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ScoreTerm.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kQuery = AxisNames::kQuery, kKey = AxisNames::kKey,
                      kFeature = AxisNames::kFeature;

static bool hasTwoTokenAxes(ContractionOpInterface op) {
  unsigned tokens = 0;
  for (const EinsumDim &dim : op.getSubscripts().result)
    tokens += dim.size() == 1 && Einsum::isTokenAxis(dim.front());
  return tokens > 1;
}

Operation *attn::findScores(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<CausalScoreOp>(op))
    return op;
  if (auto product = dyn_cast<ContractionOpInterface>(op))
    return hasTwoTokenAxes(product) ? op : nullptr;
  if (isa<MaskOp, SoftmaxOp, NormalizeOp, ScaleOp>(op))
    return findScores(op->getOperand(0));
  if (isa<GateOp, FeatureMapOp>(op) || op->hasTrait<OpTrait::Elementwise>())
    for (Value operand : op->getOperands())
      if (Operation *found = findScores(operand))
        return found;
  return nullptr;
}

static std::string getText(Attribute attr) {
  std::string text;
  llvm::raw_string_ostream(text) << attr;
  return text;
}

/// Rows and columns are the dimensions of the two token axes.
static bool isScores(const EinsumOperand &axes) {
  return axes.size() >= 2 && axes[axes.size() - 2] == EinsumDim{kQuery} &&
         axes.back() == EinsumDim{kKey};
}

LogicalResult ScoreReader::readMask(MaskOp mask, const EinsumOperand &axes) {
  MaskAttrInterface set = mask.getMask();
  if (!mask.getFill().isZero())
    return refuse(mask, "the fill " +
                            std::to_string(mask.getFill().convertToDouble()) +
                            " of a mask is not neutral in a sum");
  if (set.isFull())
    return success();
  if (!isScores(axes))
    return refuse(mask, "the mask acts on other axes than queries and keys");
  if (std::optional<bool> with = set.getTriangle()) {
    triangle = triangle.value_or(true) && *with;
    return success();
  }
  if (set.isSegments(mask.getMaskOperands().size())) {
    Value bounds = mask.getMaskOperands().front();
    if (term.cuSeqlens && term.cuSeqlens != bounds)
      return refuse(mask, "two masks have different segments");
    term.cuSeqlens = bounds;
    return success();
  }
  return refuse(mask, "the mask " + getText(set) + " does not factor");
}

LogicalResult ScoreReader::readGate(GateOp gate, const EinsumOperand &axes,
                                    Value &scores, EinsumOperand &inner) {
  Einsum einsum = gate.getSubscripts();
  AxisNames::Renaming renaming;
  if (failed(names.match(einsum.result, axes, renaming)))
    return refuse(gate, "its axes do not fit those of the scores");
  EinsumOperand lhs = names.rename(einsum.lhs, renaming),
                rhs = names.rename(einsum.rhs, renaming);
  bool swapped = !findScores(gate.getInput());
  if (!swapped && findScores(gate.getGate()))
    return refuse(gate, "a product of scores is not linear in them");
  scores = swapped ? gate.getGate() : gate.getInput();
  inner = swapped ? rhs : lhs;
  NamedTensor factor{swapped ? gate.getInput() : gate.getGate(),
                     swapped ? lhs : rhs};
  if (!hasAxis(inner, kQuery) || !hasAxis(inner, kKey))
    return refuse(gate, "the scores are repeated along a token axis");
  bool ofQuery = hasAxis(factor.axes, kQuery);
  bool ofKey = hasAxis(factor.axes, kKey);
  if (ofQuery && ofKey)
    return refuse(gate, "a factor of both the query and the key does not "
                        "factor");
  (ofKey ? term.key : term.query).gates.push_back(factor);
  return success();
}

LogicalResult ScoreReader::readCausalScore(CausalScoreOp op,
                                           const EinsumOperand &axes,
                                           bool strict) {
  if (op.getUnbounded())
    return refuse(op, "the decay is declared unbounded: a state that may grow "
                      "has no stable form in time linear in the tokens");
  DenseFPElementsAttr decay;
  if (op.getDecay() && matchPattern(op.getDecay(), m_Constant(&decay)))
    for (const APFloat &log : decay)
      if (log.isNaN() || (!log.isNegative() && !log.isZero()))
        return refuse(op, "a logarithm of the decay is above 0");
  if (!isScores(axes))
    return refuse(op, "the product is summed over the queries, so that a token "
                      "reads those after it");
  Einsum einsum = op.getSubscripts();
  AxisNames::Renaming renaming;
  renaming[op.getFeatureAxis()] = {kFeature};
  if (failed(names.match(einsum.result, axes, renaming)))
    return refuse(op, "its axes do not fit those of its user");
  term.query.base = {op.getLhs(), names.rename(einsum.lhs, renaming)};
  term.key.base = {op.getRhs(), names.rename(einsum.rhs, renaming)};
  if (op.getDecay())
    term.decay = {op.getDecay(), names.rename(op.getAxesOfDecay(), renaming)};
  if (op.getBonus())
    term.bonus = {op.getBonus(), names.rename(op.getAxesOfBonus(), renaming)};
  if (op.getLogGate())
    term.logGate = {op.getLogGate(),
                    names.rename(op.getAxesOfLogGate(), renaming)};
  strict |= op.getStrict() || triangle == false;
  if (strict)
    term.bonus = {};
  if (op.getExclusive()) {
    term.read = StateRead::Previous;
    term.hasOwnPair = !strict;
  } else if (strict) {
    term.read = StateRead::Decayed;
  } else if (term.bonus) {
    return refuse(op, "a bonus on the state that the token has changed: the "
                      "scores are not exclusive");
  }
  return success();
}

LogicalResult ScoreReader::readScore(ContractionOpInterface op,
                                     const EinsumOperand &axes, bool strict) {
  // Without a triangle every query sees every key: another pass brackets that.
  if (!triangle && !strict)
    return term.cuSeqlens ? refuse(op, "packed scores without a causal mask")
                          : failure();
  if (!isScores(axes))
    return refuse(op, "the product is summed over the queries, so that a token "
                      "reads those after it");
  Einsum einsum = op.getSubscripts();
  char row = einsum.result[einsum.result.size() - 2].front(),
       col = einsum.result.back().front();
  SmallVector<char> summed = einsum.getRoles().contracted;
  AxisNames::Renaming renaming;
  renaming[summed.front()] = {kFeature};
  if (failed(names.match(einsum.result, axes, renaming)))
    return refuse(op, "its axes do not fit those of its user");
  bool swapped = hasAxis(einsum.rhs, row) && hasAxis(einsum.lhs, col);
  if (!swapped && !(hasAxis(einsum.lhs, row) && hasAxis(einsum.rhs, col)))
    return refuse(op, "rows and columns come from the same operand");
  NamedTensor lhs{op.getLhs(), names.rename(einsum.lhs, renaming)},
      rhs{op.getRhs(), names.rename(einsum.rhs, renaming)};
  if (classes.getAxisClass(op, row) != classes.getAxisClass(op, col) &&
      (ShapedType::isDynamic(
           classes.getStaticSize(classes.getAxisClass(op, row))) ||
       classes.getStaticSize(classes.getAxisClass(op, row)) !=
           classes.getStaticSize(classes.getAxisClass(op, col))))
    return refuse(op, "as many queries as keys are not known: give both the "
                      "same letter in 'attn.axes'");
  term.query.base = swapped ? rhs : lhs;
  term.key.base = swapped ? lhs : rhs;
  bool isStrict = strict || triangle == false;
  term.read = isStrict ? StateRead::Previous : StateRead::Current;
  return success();
}

FailureOr<ScoreTerm> ScoreReader::read(Value scores, const EinsumOperand &axes,
                                       bool strict) {
  term = ScoreTerm();
  refusal = Refusal();
  triangle = std::nullopt;
  EinsumOperand here = axes;
  while (true) {
    Operation *op = scores.getDefiningOp();
    if (!op)
      return refuse(nullptr, "");
    for (Operation *user : op->getUsers())
      if (!isa<MaskOp, NormalizeOp, ScaleOp, GateOp, SolveOp>(user) &&
          !isa<ContractionOpInterface>(user))
        return refuse(user, "the scores have another use");
    term.chain.push_back(op);
    bool inner = term.query.scale != 1 || !term.query.gates.empty() ||
                 !term.key.gates.empty() || triangle || term.cuSeqlens ||
                 term.normalize;
    if (auto scale = dyn_cast<ScaleOp>(op)) {
      term.query.scale *= scale.getFactor().convertToDouble();
      scores = scale.getInput();
    } else if (auto mask = dyn_cast<MaskOp>(op)) {
      if (failed(readMask(mask, here)))
        return failure();
      scores = mask.getScores();
    } else if (auto gate = dyn_cast<GateOp>(op)) {
      EinsumOperand next;
      if (failed(readGate(gate, here, scores, next)))
        return failure();
      here = next;
    } else if (auto normalize = dyn_cast<NormalizeOp>(op)) {
      if (inner)
        return refuse(op, "a mask, a factor or another normaliser follows the "
                          "normaliser");
      if (!isScores(here))
        return refuse(op, "the normaliser does not sum over the keys");
      term.normalize = normalize;
      scores = normalize.getScores();
    } else if (isa<SoftmaxOp>(op)) {
      return refuse(op, "the exponential of a softmax does not factor");
    } else if (auto score = dyn_cast<CausalScoreOp>(op)) {
      if (failed(readCausalScore(score, here, strict)))
        return failure();
      return std::move(term);
    } else if (auto product = dyn_cast<ContractionOpInterface>(op)) {
      if (!hasTwoTokenAxes(product))
        return refuse(op, "it is not a score of queries and keys");
      if (failed(readScore(product, here, strict)))
        return failure();
      return std::move(term);
    } else if (isa<FeatureMapOp>(op)) {
      return refuse(op, "a feature map of the scores is not linear in them");
    } else {
      return refuse(op, "'" + op->getName().getStringRef() +
                            "' is not linear in the scores");
    }
  }
}
