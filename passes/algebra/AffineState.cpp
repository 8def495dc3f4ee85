//===- AffineState.cpp - Values that are affine in a state --*- C++ -*-===//
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
/// The rows of a matrix that acts on the state, as `#attn.dense_transition` has
/// it.
static constexpr Axis kRow = 'e';

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

ArrayRef<Axis> attn::getTile(const AffineValue &value) {
  if (auto *local = std::get_if<LocalValue>(&value))
    return local->tile;
  if (auto *vector = std::get_if<VectorValue>(&value))
    return vector->tile;
  return std::get<StatePtr>(value)->tile;
}

/// The axes `from` become the axes `to`, all at once.
static SequenceValue substitute(SequenceValue value, ArrayRef<Axis> from,
                                ArrayRef<Axis> to) {
  for (Axis &axis : value.axes)
    for (auto [old, renamed] : llvm::zip_equal(from, to))
      if (axis == old) {
        axis = renamed;
        break;
      }
  return value;
}

LocalValue AffineAlgebra::rename(const LocalValue &value, ArrayRef<Axis> tile) {
  LocalValue result{substitute(value.value, value.tile, tile), Axes(tile), {}};
  for (const OuterProduct &term : value.outer)
    result.outer.push_back({substitute(term.x, value.tile, tile),
                            substitute(term.y, value.tile, tile)});
  return result;
}

bool StateTransition::operator==(const StateTransition &other) const {
  return matrix == other.matrix && factors.size() == other.factors.size() &&
         std::is_permutation(factors.begin(), factors.end(),
                             other.factors.begin());
}

bool StateTransition::hasAxis(Axis axis) const {
  return llvm::any_of(factors, [&](const SequenceValue &factor) {
    return attn::hasAxis(factor.axes, axis);
  });
}

void AffineAlgebra::setOperation(Operation *newOp) {
  op = newOp;
  sequences.setLoc(op->getLoc());
}

LogicalResult AffineAlgebra::unify(AffineValue &a, AffineValue &b) {
  auto isAnonymous = [](ArrayRef<Axis> tile) {
    return llvm::all_of(tile, [](Axis axis) { return axis >= 256; });
  };
  Axes left(getTile(a)), right(getTile(b));
  if (left == right)
    return success();
  if (left.size() != right.size())
    return refuse("its operands have different ranks");
  if (auto *local = std::get_if<LocalValue>(&b);
      local && !(isLocal(a) && isAnonymous(left))) {
    b = rename(*local, left);
    return success();
  }
  if (auto *local = std::get_if<LocalValue>(&a)) {
    a = rename(*local, right);
    return success();
  }
  auto *vector = std::get_if<VectorValue>(&b);
  if (!vector || !std::holds_alternative<VectorValue>(a) ||
      llvm::any_of(llvm::zip_equal(left, right), [](auto pair) {
        return (std::get<0>(pair) == kValue) != (std::get<1>(pair) == kValue);
      }))
    return refuse("the channels of its operands are different ones");
  for (StateReadTerm &read : vector->reads) {
    read.query = substitute(read.query, right, left);
    for (SequenceValue &factor : read.valueFactors)
      factor = substitute(factor, right, left);
  }
  vector->local.tile = right;
  vector->local = rename(vector->local, left);
  vector->tile = left;
  return success();
}

FailureOr<Axes> AffineAlgebra::bind(AffineValue &a, AffineValue &b,
                                    const Einsum &einsum) {
  SmallVector<std::pair<char, Axis>> names;
  auto find = [&](char letter) {
    return llvm::find_if(names,
                         [&](auto &name) { return name.first == letter; });
  };
  auto bindOne = [&](AffineValue &value, const EinsumOperand &axes) {
    Axes tile;
    for (auto [dim, axis] : llvm::zip_equal(axes, getTile(value))) {
      char letter = dim.front();
      if (auto it = find(letter); it != names.end()) {
        tile.push_back(it->second);
        continue;
      }
      // Two letters are two axes, though both may have been called d before.
      bool isTaken =
          llvm::any_of(names, [&](auto &name) { return name.second == axis; });
      tile.push_back(isTaken ? sequences.createAxis(sequences.getSize(axis))
                             : axis);
      names.emplace_back(letter, tile.back());
    }
    if (auto *local = std::get_if<LocalValue>(&value))
      value = rename(*local, tile);
  };
  for (const EinsumOperand *operand :
       {&einsum.lhs, &einsum.rhs, &einsum.result})
    for (const EinsumDim &dim : *operand)
      if (dim.size() != 1)
        return refuse("its subscripts have a group");
  // What depends on the state keeps its names.
  if (isLocal(a)) {
    bindOne(b, einsum.rhs);
    bindOne(a, einsum.lhs);
  } else {
    bindOne(a, einsum.lhs);
    bindOne(b, einsum.rhs);
  }
  Axes result;
  for (const EinsumDim &dim : einsum.result)
    result.push_back(find(dim.front())->second);
  return result;
}

//===----------------------------------------------------------------------===//
// Local values
//===----------------------------------------------------------------------===//

FailureOr<SequenceValue> AffineAlgebra::getSequence(const LocalValue &value) {
  if (!value.value)
    return refuse("a sum of outer products stands where one tensor is needed");
  return value.value;
}

LocalValue AffineAlgebra::scaleLocal(const LocalValue &a, double factor) {
  LocalValue result = a;
  if (a.value)
    result.value = sequences.createScale(a.value, factor);
  for (OuterProduct &term : result.outer)
    term.y = sequences.createScale(term.y, factor);
  return result;
}

FailureOr<LocalValue> AffineAlgebra::addLocals(const LocalValue &a,
                                               const LocalValue &b,
                                               double factorOfB) {
  if (!b.value && b.outer.empty())
    return a;
  if (!a.value && a.outer.empty())
    return scaleLocal(b, factorOfB);
  LocalValue result{{}, a.tile, {}};
  if (!a.outer.empty() && !b.outer.empty()) {
    result.outer = a.outer;
    llvm::append_range(result.outer, scaleLocal(b, factorOfB).outer);
  }
  if (a.value && b.value) {
    auto sum = sequences.createSum(a.value, b.value, factorOfB);
    if (succeeded(sum))
      result.value = *sum;
    else if (result.outer.empty())
      return refuse(sequences.getReason());
  } else if (result.outer.empty()) {
    return refuse("a sum of outer products stands where one tensor is needed");
  }
  return result;
}

FailureOr<LocalValue>
AffineAlgebra::multiplyLocals(const LocalValue &a, const LocalValue &b,
                              ArrayRef<Axis> tile, FloatAttr lo, FloatAttr hi) {
  LocalValue result{{}, Axes(tile), {}};
  if (a.value && b.value)
    result.value = sequences.createGate(a.value, b.value, lo, hi);
  bool isDisjoint = a.tile.size() == 1 && b.tile.size() == 1 &&
                    a.tile.front() != b.tile.front();
  if (isDisjoint && !lo && !hi) {
    result.outer.push_back({a.value, b.value});
  } else if (a.outer.empty() != b.outer.empty() && !lo && !hi) {
    const LocalValue &sum = a.outer.empty() ? b : a;
    const LocalValue &factor = a.outer.empty() ? a : b;
    for (OuterProduct term : sum.outer) {
      if (isSubset(factor.tile, term.y.axes))
        term.y = sequences.createGate(term.y, factor.value);
      else if (isSubset(factor.tile, term.x.axes))
        term.x = sequences.createGate(term.x, factor.value);
      else if (result.value)
        return LocalValue{result.value, Axes(tile), {}};
      else
        return refuse("an element-wise factor of a sum of outer products");
      result.outer.push_back(term);
    }
  }
  if (!result.value && result.outer.empty())
    return refuse("a sum of outer products stands where one tensor is needed");
  return result;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

FailureOr<VectorValue> AffineAlgebra::add(VectorValue a, const VectorValue &b,
                                          double factorOfB) {
  for (StateReadTerm read : b.reads) {
    read.factor *= factorOfB;
    a.reads.push_back(read);
  }
  FailureOr<LocalValue> local = addLocals(a.local, b.local, factorOfB);
  if (failed(local))
    return failure();
  a.local = *local;
  return a;
}

FailureOr<StatePtr> AffineAlgebra::getState(AffineValue value) {
  if (auto *state = std::get_if<StatePtr>(&value))
    return *state;
  StateValue result;
  result.tile = Axes(getTile(value));
  const LocalValue *local = std::get_if<LocalValue>(&value);
  if (auto *vector = std::get_if<VectorValue>(&value)) {
    // M S, with the rows of M the key channels of the result.
    if (vector->tile.size() != 2 || vector->reads.size() != 1)
      return refuse("a read of the state stands where a state is needed");
    StateReadTerm &read = vector->reads.front();
    if (!read.state->transition || !read.state->transition->isIdentity() ||
        !read.state->writes.empty() || !read.state->corrections.empty() ||
        !read.valueFactors.empty())
      return refuse("a matrix times anything but the state before the token");
    Axis row = vector->tile[vector->tile[0] == kValue ? 1 : 0];
    sequences.setSize(kRow, sequences.getSize(row));
    result.transition = StateTransition{
        {},
        substitute(sequences.createScale(read.query, read.factor), {row},
                   {kRow})};
    Axes tile = result.tile;
    for (Axis &axis : tile)
      axis = axis == row ? kKey : axis;
    vector->local.tile = result.tile;
    vector->local = rename(vector->local, tile);
    result.tile = tile;
    local = &vector->local;
    if (!local->value && local->outer.empty())
      return std::make_shared<const StateValue>(result);
  }
  if (local->outer.empty())
    return refuse("what is added to the state is not an outer product of a key "
                  "and a value");
  for (const OuterProduct &term : local->outer) {
    auto isPair = [](const SequenceValue &key, const SequenceValue &value) {
      return hasAxis(key.axes, kKey) && !hasAxis(key.axes, kValue) &&
             hasAxis(value.axes, kValue) && !hasAxis(value.axes, kKey);
    };
    if (isPair(term.x, term.y))
      result.writes.push_back(term);
    else if (isPair(term.y, term.x))
      result.writes.push_back({term.y, term.x});
    else
      return refuse("what is added to the state is not an outer product of a "
                    "key and a value");
  }
  return std::make_shared<const StateValue>(result);
}

FailureOr<AffineValue> AffineAlgebra::add(AffineValue a, AffineValue b,
                                          double factorOfB) {
  if (failed(unify(a, b)))
    return failure();
  auto *x = std::get_if<LocalValue>(&a), *y = std::get_if<LocalValue>(&b);
  if (x && y) {
    FailureOr<LocalValue> sum = addLocals(*x, *y, factorOfB);
    if (failed(sum))
      return failure();
    return AffineValue(*sum);
  }
  if (!std::holds_alternative<StatePtr>(a) &&
      !std::holds_alternative<StatePtr>(b)) {
    auto getVector = [](const AffineValue &value) {
      if (auto *local = std::get_if<LocalValue>(&value))
        return VectorValue{{}, *local, local->tile};
      return std::get<VectorValue>(value);
    };
    FailureOr<VectorValue> sum = add(getVector(a), getVector(b), factorOfB);
    if (failed(sum))
      return failure();
    return AffineValue(*sum);
  }
  FailureOr<StatePtr> left = getState(a), right = failure();
  FailureOr<AffineValue> scaled = scale(b, factorOfB);
  if (failed(left) || failed(scaled))
    return failure();
  right = getState(*scaled);
  if (failed(right))
    return failure();
  if ((*left)->transition && (*right)->transition)
    return refuse("the state stands in the sum twice: write it once, with one "
                  "factor");
  StateValue sum = **left;
  if (!sum.transition)
    sum.transition = (*right)->transition;
  llvm::append_range(sum.writes, (*right)->writes);
  llvm::append_range(sum.corrections, (*right)->corrections);
  return AffineValue(std::make_shared<const StateValue>(sum));
}

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
  correction.key = substitute(*value, key.tile, {kKey});
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
