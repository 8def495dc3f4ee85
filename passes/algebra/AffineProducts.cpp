//===- AffineProducts.cpp - Products of affine values -------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/AffineState.h"

using namespace mlir;
using namespace mlir::attn;

using StatePtr = std::shared_ptr<const StateValue>;
static constexpr Axis kKey = SequenceBuilder::kKey;
static constexpr Axis kValue = SequenceBuilder::kValue;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

FailureOr<AffineValue> AffineAlgebra::scale(const AffineValue &a,
                                            double factor) {
  if (auto *local = std::get_if<LocalValue>(&a))
    return AffineValue(scaleLocal(*local, factor));
  if (auto *vector = std::get_if<VectorValue>(&a)) {
    VectorValue result = *vector;
    for (StateReadTerm &read : result.reads)
      read.factor *= factor;
    result.local = scaleLocal(result.local, factor);
    return AffineValue(result);
  }
  if (factor == 1)
    return a;
  StateValue result = *std::get<StatePtr>(a);
  if (result.transition) {
    if (result.transition->matrix)
      return refuse("a factor of the state times a matrix: multiply the matrix "
                    "by it");
    result.transition->factors.push_back(sequences.createConstant(factor, {}));
    result.transition->op = op;
  }
  for (OuterProduct &term : result.writes)
    term.y = sequences.createScale(term.y, factor);
  for (StateCorrection &term : result.corrections) {
    for (StateReadTerm &read : term.vector.reads)
      read.factor *= factor;
    term.vector.local = scaleLocal(term.vector.local, factor);
  }
  return AffineValue(std::make_shared<const StateValue>(result));
}

FailureOr<VectorValue> AffineAlgebra::scale(VectorValue a,
                                            const LocalValue &factor) {
  FailureOr<SequenceValue> value = getSequence(factor);
  if (failed(value))
    return failure();
  for (StateReadTerm &read : a.reads) {
    if (hasAxis(factor.tile, kValue))
      read.valueFactors.push_back(*value);
    else
      read.query = sequences.createGate(read.query, *value);
  }
  if (a.local.value || !a.local.outer.empty()) {
    FailureOr<LocalValue> local = multiplyLocals(a.local, factor, a.tile);
    if (failed(local))
      return failure();
    a.local = *local;
  }
  return a;
}

FailureOr<StatePtr> AffineAlgebra::scale(StateValue a,
                                         const LocalValue &factor) {
  FailureOr<SequenceValue> value = getSequence(factor);
  if (failed(value))
    return failure();
  bool hasKey = hasAxis(factor.tile, kKey);
  bool hasValue = hasAxis(factor.tile, kValue);
  if (a.transition) {
    if (a.transition->matrix)
      return refuse("a factor of the state times a matrix: multiply the matrix "
                    "by it");
    a.transition->factors.push_back(*value);
    a.transition->op = op;
  }
  if (hasKey && hasValue && (!a.writes.empty() || !a.corrections.empty()))
    return refuse("a factor for each element of a sum: multiply the state by "
                  "it first");
  // c (k v^T) = (c k) v^T = k (c v)^T
  for (OuterProduct &term : a.writes) {
    SequenceValue &side = hasKey ? term.x : term.y;
    side = sequences.createGate(side, *value);
  }
  for (StateCorrection &term : a.corrections) {
    if (hasKey) {
      term.key = sequences.createGate(term.key, *value);
      continue;
    }
    FailureOr<VectorValue> vector = scale(term.vector, factor);
    if (failed(vector))
      return failure();
    term.vector = *vector;
  }
  return std::make_shared<const StateValue>(a);
}

FailureOr<StatePtr> AffineAlgebra::makeCorrection(const VectorValue &vector,
                                                  const LocalValue &key,
                                                  ArrayRef<Axis> tile) {
  if (vector.tile != Axes{kValue} || key.tile.size() != 1 || tile.size() != 2)
    return refuse("an outer product with more than one read of the state");
  FailureOr<SequenceValue> value = getSequence(key);
  if (failed(value))
    return failure();
  StateCorrection correction;
  correction.op = op;
  correction.key = value->rename(key.tile, {kKey});
  correction.vector = VectorValue{{}, vector.local, vector.tile};
  for (const StateReadTerm &read : vector.reads) {
    FailureOr<VectorValue> expanded = expand(read);
    if (failed(expanded))
      return failure();
    FailureOr<VectorValue> sum = add(correction.vector, *expanded, 1);
    if (failed(sum))
      return failure();
    correction.vector = *sum;
  }
  StateValue result;
  for (Axis axis : tile)
    result.tile.push_back(axis == key.tile.front() ? kKey : axis);
  result.corrections.push_back(correction);
  return std::make_shared<const StateValue>(result);
}

FailureOr<AffineValue> AffineAlgebra::multiply(AffineValue a, AffineValue b,
                                               const Einsum *einsum,
                                               FloatAttr lo, FloatAttr hi) {
  if (!isLocal(a) && !isLocal(b))
    return refuse("the update is not linear in the state: the product of two "
                  "values that depend on it");
  if ((lo || hi) && !isLocal(b))
    return refuse("a range is declared of a value that depends on the state");
  Axes tile;
  if (einsum) {
    FailureOr<Axes> bound = bind(a, b, *einsum);
    if (failed(bound))
      return failure();
    tile = *bound;
  } else {
    if (failed(unify(a, b)))
      return failure();
    tile = Axes(getTile(a));
  }
  if (isLocal(a) && isLocal(b)) {
    FailureOr<LocalValue> product = multiplyLocals(
        std::get<LocalValue>(a), std::get<LocalValue>(b), tile, lo, hi);
    if (failed(product))
      return failure();
    return AffineValue(*product);
  }
  // The check of a declared range stays in the graph.
  if (lo || hi) {
    auto &gate = std::get<LocalValue>(b);
    if (!gate.value)
      return refuse("a range is declared of a sum of outer products");
    gate.value = sequences.createGate(sequences.createConstant(1, {}),
                                      gate.value, lo, hi);
    gate.outer.clear();
  }
  const LocalValue &factor = std::get<LocalValue>(isLocal(a) ? a : b);
  const AffineValue &other = isLocal(a) ? b : a;
  if (auto *vector = std::get_if<VectorValue>(&other)) {
    if (!isSubset(factor.tile, vector->tile)) {
      FailureOr<StatePtr> outer = makeCorrection(*vector, factor, tile);
      if (failed(outer))
        return failure();
      return AffineValue(*outer);
    }
    FailureOr<VectorValue> scaled = scale(*vector, factor);
    if (failed(scaled))
      return failure();
    scaled->tile = tile;
    scaled->local.tile = tile;
    return AffineValue(*scaled);
  }
  StateValue state = *std::get<StatePtr>(other);
  if (!isSubset(factor.tile, state.tile))
    return refuse("a factor of the state has an axis that the state has not");
  state.tile = tile;
  FailureOr<StatePtr> scaled = scale(state, factor);
  if (failed(scaled))
    return failure();
  return AffineValue(*scaled);
}

FailureOr<AffineValue> AffineAlgebra::contract(AffineValue a, AffineValue b,
                                               const Einsum &einsum) {
  if (!isLocal(a) && !isLocal(b))
    return refuse("the update is not linear in the state: the product of two "
                  "values that depend on it");
  FailureOr<Axes> tile = bind(a, b, einsum);
  if (failed(tile))
    return failure();
  Axis summed = 0;
  for (Axis axis : getTile(a))
    if (hasAxis(getTile(b), axis) && !hasAxis(*tile, axis))
      summed = axis;
  if (isLocal(a) && isLocal(b)) {
    FailureOr<SequenceValue> x = getSequence(std::get<LocalValue>(a)),
                             y = getSequence(std::get<LocalValue>(b));
    if (failed(x) || failed(y))
      return failure();
    return AffineValue(
        LocalValue{sequences.createContraction(*x, *y, summed), *tile, {}});
  }
  const LocalValue &query = std::get<LocalValue>(isLocal(a) ? a : b);
  const AffineValue &other = isLocal(a) ? b : a;
  auto *state = std::get_if<StatePtr>(&other);
  if (!state)
    return refuse("a sum over the channels of a read of the state");
  if (summed != kKey || hasAxis(query.tile, kValue))
    return refuse(
        "the state is read over other channels than the axis d alone");
  FailureOr<SequenceValue> value = getSequence(query);
  if (failed(value))
    return failure();
  StateReadTerm read{*value, 1, {}, *state};
  return AffineValue(VectorValue{{read}, LocalValue{{}, *tile, {}}, *tile});
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

// q^T (T(S) + sum k v^T + sum b u^T) = q^T T(S) + sum (q.k) v + sum (q.b) u
FailureOr<VectorValue> AffineAlgebra::expand(const StateReadTerm &read) {
  VectorValue result;
  for (Axis axis : read.query.axes)
    if (!sequences.isBatch(axis) && axis != kKey)
      result.tile.push_back(axis);
  result.tile.push_back(kValue);
  result.local.tile = result.tile;
  const StateValue &state = *read.state;
  auto getFactor = [&](const SequenceValue &key) {
    SequenceValue dot = sequences.createContraction(read.query, key, kKey);
    dot = sequences.createScale(dot, read.factor);
    for (const SequenceValue &factor : read.valueFactors)
      dot = sequences.createGate(dot, factor);
    LocalValue local{dot, {}, {}};
    for (Axis axis : dot.axes)
      if (!sequences.isBatch(axis))
        local.tile.push_back(axis);
    return local;
  };
  if (state.transition) {
    StateValue pure;
    pure.transition = state.transition;
    pure.tile = state.tile;
    result.reads.push_back(read);
    result.reads.back().state = std::make_shared<const StateValue>(pure);
  }
  auto addTerm = [&](const VectorValue &term) -> LogicalResult {
    FailureOr<VectorValue> sum = add(result, term, 1);
    if (failed(sum))
      return failure();
    result = *sum;
    return success();
  };
  for (const OuterProduct &term : state.writes) {
    SequenceValue value = sequences.createGate(term.y, getFactor(term.x).value);
    if (failed(addTerm({{}, LocalValue{value, result.tile, {}}, result.tile})))
      return failure();
  }
  for (const StateCorrection &term : state.corrections) {
    FailureOr<VectorValue> scaled = scale(term.vector, getFactor(term.key));
    if (failed(scaled) || failed(addTerm(*scaled)))
      return failure();
  }
  return result;
}
