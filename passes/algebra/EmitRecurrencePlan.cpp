//===- EmitRecurrencePlan.cpp - A planned recurrence as operations --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/algebra/RecurrencePlan.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = AxisNames::kQuery, kKey = AxisNames::kKey,
                      kFeature = AxisNames::kFeature,
                      kValue = AxisNames::kValue;

namespace {
class PlanEmitter {
public:
  PlanEmitter(const RecurrencePlan &plan, AxisNames &names)
      : plan(plan), names(names), b(plan.root), loc(plan.root->getLoc()),
        type(cast<RankedTensorType>(plan.root->getResult(0).getType())),
        element(type.getElementType()), root(axesOf(plan.axes)) {}

  FailureOr<Value> emit();
  std::string reason;

private:
  /// Common names, with one token axis and the value axis.
  EinsumOperand axesOf(const EinsumOperand &axes) const;
  NamedTensor named(const NamedTensor &tensor) const {
    return {tensor.value, axesOf(tensor.axes)};
  }
  void chooseValueAxis();
  void addSizes(const NamedTensor &tensor);
  RankedTensorType getType(const EinsumOperand &axes) const;
  NamedTensor emitGate(const NamedTensor &x, const NamedTensor &factor);
  NamedTensor emitScale(const NamedTensor &x, double factor);
  NamedTensor emitTokens(const ScaledTokens &tokens);
  NamedTensor emitExp(const NamedTensor &log);
  NamedTensor emitSum(ArrayRef<Summand> summands);
  NamedTensor emitOne();
  void stabilize();
  Value emitFeatures(FeatureMapOp map, Value &scale);
  RecurrenceOp emitOp(ArrayRef<std::pair<NamedTensor, NamedTensor>> writes,
                      bool erases, const EinsumOperand &output,
                      RankedTensorType outputType);
  bool gateHasValueAxis() const;

  const RecurrencePlan &plan;
  AxisNames &names;
  OpBuilder b;
  Location loc;
  RankedTensorType type;
  Type element;
  /// The batch axis that is the value axis of an element-wise recurrence.
  /// Before `root`, which is made with it.
  char valueAxis = 0;
  EinsumOperand root;
  llvm::SmallDenseMap<char, int64_t> sizes;
  NamedTensor query, logGate;
  bool stabilized = false, wantsLogScale = false;
};
} // namespace

EinsumOperand PlanEmitter::axesOf(const EinsumOperand &axes) const {
  EinsumOperand result = names.resolve(axes);
  for (EinsumDim &dim : result)
    for (char &axis : dim)
      axis = axis == kKey                     ? kToken
             : valueAxis && axis == valueAxis ? kValue
                                              : axis;
  return result;
}

/// Values without an axis of their own: the last batch axis that scores have
/// from decays, gates and bonus alone is the value axis. The recurrence is then
/// one for each element of the state.
void PlanEmitter::chooseValueAxis() {
  if (hasAxis(root, kValue))
    return;
  const ScoreTerm &score = plan.score;
  auto isOwn = [&](char axis) {
    auto has = [&](const NamedTensor &tensor) {
      return tensor && hasAxis(axesOf(tensor.axes), axis);
    };
    if (has(score.query.base) || llvm::any_of(score.query.gates, has) ||
        plan.solve)
      return false;
    for (const Summand &write : plan.writes)
      if (has(write.score.key.base) || llvm::any_of(write.score.key.gates, has))
        return false;
    return has(score.decay) || has(score.logGate) || has(score.bonus);
  };
  char found = 0;
  for (const EinsumDim &dim : root)
    if (dim.size() == 1 && dim[0] != kToken && isOwn(dim[0]))
      found = dim[0];
  valueAxis = found;
  root = axesOf(plan.axes);
}

void PlanEmitter::addSizes(const NamedTensor &tensor) {
  if (!tensor)
    return;
  auto shape = cast<RankedTensorType>(tensor.value.getType()).getShape();
  for (auto [dim, size] : llvm::zip_equal(tensor.axes, shape))
    if (dim.size() == 1 && ShapedType::isStatic(size))
      sizes[dim[0]] = size;
}

RankedTensorType PlanEmitter::getType(const EinsumOperand &axes) const {
  SmallVector<int64_t> shape;
  for (const EinsumDim &dim : axes) {
    int64_t size = 1;
    for (char axis : dim) {
      auto it = sizes.find(axis);
      if (it == sizes.end() || ShapedType::isDynamic(size))
        size = ShapedType::kDynamic;
      else
        size *= it->second;
    }
    shape.push_back(size);
  }
  return RankedTensorType::get(shape, element);
}

NamedTensor PlanEmitter::emitGate(const NamedTensor &x,
                                  const NamedTensor &factor) {
  EinsumOperand axes = x.axes;
  for (const EinsumDim &dim : factor.axes)
    for (char axis : dim)
      if (!hasAxis(axes, axis))
        axes.push_back({axis});
  // The shape of x where nothing is added: groups keep their size.
  RankedTensorType result = getType(axes);
  if (axes == x.axes)
    result = cast<RankedTensorType>(x.value.getType()).clone(element);
  std::string text =
      toString(x.axes) + "," + toString(factor.axes) + "->" + toString(axes);
  return {GateOp::create(b, loc, result, x.value, factor.value,
                         b.getStringAttr(text), FloatAttr(), FloatAttr()),
          axes};
}

NamedTensor PlanEmitter::emitScale(const NamedTensor &x, double factor) {
  if (factor == 1)
    return x;
  return {ScaleOp::create(
              b, loc, cast<RankedTensorType>(x.value.getType()).clone(element),
              x.value, APFloat(factor)),
          x.axes};
}

NamedTensor PlanEmitter::emitTokens(const ScaledTokens &tokens) {
  NamedTensor result = named(tokens.base);
  for (const NamedTensor &gate : tokens.gates)
    result = emitGate(result, named(gate));
  return emitScale(result, tokens.scale);
}

NamedTensor PlanEmitter::emitExp(const NamedTensor &log) {
  Value wide = log.value;
  auto logType = cast<RankedTensorType>(wide.getType());
  if (logType.getElementType() != element)
    wide = arith::ExtFOp::create(b, loc, logType.clone(element), wide);
  return {math::ExpOp::create(b, loc, wide), log.axes};
}

NamedTensor PlanEmitter::emitOne() {
  auto scalar = RankedTensorType::get({}, element);
  return {
      arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(scalar, b.getFloatAttr(element, 1))),
      {}};
}

/// The summands without scores of an erasure's input.
NamedTensor PlanEmitter::emitSum(ArrayRef<Summand> summands) {
  NamedTensor sum;
  for (const Summand &summand : summands) {
    NamedTensor next = emitScale(named(summand.local), summand.sign);
    if (!sum) {
      sum = next;
      continue;
    }
    sum.value = arith::AddFOp::create(b, loc, sum.value, next.value);
  }
  if (sum)
    return sum;
  NamedTensor zero = emitOne();
  zero.value = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(RankedTensorType::get({}, element),
                             b.getFloatAttr(element, 0)));
  return zero;
}

/// phi = exp(psi) as exp(psi - max psi) and the exponent that is missing.
Value PlanEmitter::emitFeatures(FeatureMapOp map, Value &scale) {
  RankedTensorType features = map.getType();
  SmallVector<int64_t> shape(features.getShape());
  shape.erase(shape.begin() + map.getFeatureDimension());
  scale = FeatureScaleOp::create(
      b, loc, RankedTensorType::get(shape, features.getElementType()),
      map.getInput(), map.getMapOperands(), *map.getMap(),
      map.getTokenDimAttr(), map.getFeatureDimAttr());
  auto copy = cast<FeatureMapOp>(b.clone(*map));
  copy.setStabilize(Stabilize::Token);
  return copy.getResult();
}

/// Factors of a key that are exponentials become the gate of a running maximum
/// where a normaliser divides by the same factors: N and D in N / D may both be
/// divided by e^m. A floor f of the divisor becomes f e^-m.
void PlanEmitter::stabilize() {
  const ScoreTerm &score = plan.score;
  query = emitTokens(score.query);
  logGate = score.logGate ? named(score.logGate) : NamedTensor();
  NormalizeOp normalize = score.normalize;
  if (!normalize || normalize.getEps().isNonZero() || plan.solve ||
      score.read == StateRead::Decayed)
    return;
  if (logGate) {
    stabilized = true;
    wantsLogScale = normalize.getFloor().has_value();
    return;
  }
  if (normalize.getFloor())
    return;
  auto isExponential = [](Value value) {
    auto map = value.getDefiningOp<FeatureMapOp>();
    return map && map.getMap() && map.getMap()->isExponential();
  };
  if (isExponential(score.query.base.value)) {
    // A factor of a row of scores: the normaliser cancels it.
    ScaledTokens tokens = score.query;
    Value unused;
    tokens.base.value =
        emitFeatures(tokens.base.value.getDefiningOp<FeatureMapOp>(), unused);
    unused.getDefiningOp()->erase();
    query = emitTokens(tokens);
  }
}

bool PlanEmitter::gateHasValueAxis() const {
  return logGate && hasAxis(logGate.axes, kValue);
}

RecurrenceOp
PlanEmitter::emitOp(ArrayRef<std::pair<NamedTensor, NamedTensor>> writes,
                    bool erases, const EinsumOperand &output,
                    RankedTensorType outputType) {
  const ScoreTerm &score = plan.score;
  NamedTensor decay = score.decay ? named(score.decay) : NamedTensor();
  NamedTensor bonus = score.bonus ? named(score.bonus) : NamedTensor();
  if (score.hasOwnPair && !bonus)
    bonus = emitOne();
  bool elementwise = (decay && hasAxis(decay.axes, kValue)) ||
                     gateHasValueAxis() ||
                     (bonus && hasAxis(bonus.axes, kValue));
  MLIRContext *context = b.getContext();
  TransitionAttrInterface transition;
  if (elementwise) {
    if (!decay)
      decay = emitSum({});
    transition = ElementwiseDecayAttr::get(context);
  } else if (!decay) {
    transition = NoDecayAttr::get(context);
  } else if (hasAxis(decay.axes, kFeature)) {
    transition = DiagonalDecayAttr::get(context);
  } else {
    transition = ScalarDecayAttr::get(context);
  }

  SmallVector<Value> keys, values;
  SmallVector<Attribute> axes;
  // An operand has one set of axes: a second one is of a value of its own.
  llvm::SmallDenseMap<Value, Attribute> known;
  auto add = [&](const NamedTensor &tensor) -> Value {
    if (!tensor)
      return nullptr;
    axes.push_back(b.getStringAttr(toString(tensor.axes)));
    Value value = tensor.value;
    if (known.try_emplace(value, axes.back()).first->second == axes.back())
      return value;
    auto type = cast<RankedTensorType>(value.getType());
    return FeatureMapOp::create(b, loc, type.clone(element), value,
                                IdentityAttr::get(b.getContext()),
                                ValueRange());
  };
  Value by = add(decay), q = add(query);
  for (const auto &[key, value] : writes)
    keys.push_back(add(key));
  for (const auto &[key, value] : writes)
    values.push_back(add(value));
  Value w = add(bonus), gate = add(logGate);
  Value p, k, r;
  if (erases) {
    p = add(emitTokens(plan.erasure.query));
    k = add(emitTokens(plan.erasure.key));
    r = add(emitSum(plan.inputs));
  }
  SmallVector<Attribute> resultAxes{b.getStringAttr(toString(output))};
  Type scaleType;
  if (wantsLogScale) {
    EinsumOperand scaleAxes;
    SmallVector<int64_t> shape;
    for (auto [dim, size] : llvm::zip_equal(output, outputType.getShape()))
      if (dim != EinsumDim{kValue} || elementwise) {
        scaleAxes.push_back(dim);
        shape.push_back(size);
      }
    scaleType = RankedTensorType::get(shape, element);
    resultAxes.push_back(b.getStringAttr(toString(scaleAxes)));
  }
  return RecurrenceOp::create(
      b, loc, outputType, scaleType, Type(), Type(), transition, by, q, keys,
      values, w, gate, p, k, r, Value(), Value(), score.cuSeqlens,
      StateReadAttr::get(context, score.read),
      erases ? StateReadAttr::get(context, plan.erasure.read) : StateReadAttr(),
      b.getArrayAttr(axes), b.getArrayAttr(resultAxes),
      RecurrenceFormAttr::get(context, RecurrenceForm::Auto), IntegerAttr());
}

FailureOr<Value> PlanEmitter::emit() {
  const ScoreTerm &score = plan.score;
  chooseValueAxis();
  addSizes({plan.root->getResult(0), root});
  auto addAll = [&](const ScaledTokens &tokens) {
    addSizes(named(tokens.base));
    for (const NamedTensor &gate : tokens.gates)
      addSizes(named(gate));
  };
  addAll(score.query);
  for (const Summand &write : plan.writes) {
    addAll(write.score.key);
    addSizes(named(write.values));
  }
  if (plan.solve)
    addAll(plan.erasure.query);
  for (const NamedTensor &tensor : {score.decay, score.bonus, score.logGate})
    if (tensor)
      addSizes(named(tensor));
  if (!sizes.count(kFeature)) {
    reason = "the number of key channels is not static";
    return failure();
  }
  if (hasAxis(root, kValue) && !sizes.count(kValue)) {
    reason = "the number of value channels is not static";
    return failure();
  }

  stabilize();
  bool foldsGate = logGate && !stabilized;
  std::vector<std::pair<NamedTensor, NamedTensor>> writes;
  for (const Summand &write : plan.writes) {
    if (write.solve)
      continue;
    ScaledTokens tokens = write.score.key;
    NormalizeOp normalize = score.normalize;
    // Keys of exponential features: see stabilize().
    auto map = tokens.base.value.getDefiningOp<FeatureMapOp>();
    if (normalize && !plan.solve && !logGate &&
        score.read != StateRead::Decayed && !normalize.getEps().isNonZero() &&
        !normalize.getFloor() && map && map.getMap() &&
        map.getMap()->isExponential()) {
      Value scale;
      tokens.base.value = emitFeatures(map, scale);
      EinsumOperand axes = axesOf(tokens.base.axes);
      axes.erase(axes.begin() + map.getFeatureDimension());
      logGate = {scale, axes};
      stabilized = true;
    }
    NamedTensor key = emitTokens(tokens);
    if (foldsGate)
      key = emitGate(key, emitExp(named(score.logGate)));
    writes.push_back({key, emitScale(named(write.values), write.sign)});
  }
  if (foldsGate && plan.solve) {
    reason = "a gate on the keys of an erasure";
    return failure();
  }
  if (foldsGate)
    logGate = NamedTensor();

  if (!score.normalize)
    return emitOp(writes, plan.solve != nullptr, root, type).getOutput();
  NormalizeOp normalize = score.normalize;
  int64_t dim = Einsum::find(root, kValue);
  bool isColumn = dim >= 0 && root[dim].size() == 1 && !plan.solve &&
                  !valueAxis && !gateHasValueAxis() &&
                  !(score.decay && hasAxis(axesOf(score.decay.axes), kValue));
  if (isColumn) {
    // normalize(A) V = divide_by_last(A [V 1])
    NamedTensor &values = writes.front().second;
    auto valueType = cast<RankedTensorType>(values.value.getType());
    SmallVector<int64_t> shape(valueType.getShape());
    int64_t column = Einsum::find(values.axes, kValue);
    ++shape[column];
    values.value = AppendOnesOp::create(
        b, loc, RankedTensorType::get(shape, element), values.value,
        column == valueType.getRank() - 1 ? IntegerAttr()
                                          : b.getI64IntegerAttr(column));
    SmallVector<int64_t> wide(type.getShape());
    ++wide[dim];
    RecurrenceOp op =
        emitOp(writes, false, root, RankedTensorType::get(wide, element));
    return DivideByLastOp::create(
               b, loc, type, op.getOutput(), op.getLogScale(),
               dim == type.getRank() - 1 ? IntegerAttr()
                                         : b.getI64IntegerAttr(dim),
               normalize.getFloorAttr(), normalize.getEpsAttr())
        .getResult();
  }
  // The sums of rows are a recurrence of ones with the same keys.
  RecurrenceOp sums = emitOp(writes, plan.solve != nullptr, root, type);
  NamedTensor key =
      plan.solve ? emitTokens(plan.erasure.key) : writes.front().first;
  bool wanted = wantsLogScale;
  wantsLogScale = false;
  RecurrenceOp ones = emitOp({{key, emitOne()}}, false, root, type);
  wantsLogScale = wanted;
  return DivideOp::create(b, loc, type, sums.getOutput(), ones.getOutput(),
                          sums.getLogScale(), normalize.getFloorAttr(),
                          normalize.getEpsAttr())
      .getResult();
}

FailureOr<Value> attn::emitRecurrencePlan(const RecurrencePlan &plan,
                                          AxisNames &names,
                                          std::string &reason) {
  PlanEmitter emitter(plan, names);
  FailureOr<Value> value = emitter.emit();
  reason = emitter.reason;
  return value;
}
