//===- RecurrenceTranslator.cpp - A recurrence for Halide -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/RecurrenceTranslator.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceTranslator::collect(Operand &operand, Value value,
                                            bool inMemory) {
  if (!value)
    return success();
  auto tensor = t.getTensor(value);
  if (failed(tensor))
    return failure();
  operand.isThere = true;
  operand.axes = op.getAxes(value);
  operand.tensor = inMemory ? t.materialize(*tensor, kind) : *tensor;
  if (operand.has(kValue))
    t.moveInnermost(operand.tensor, operand.axes, kValue);
  return success();
}

LogicalResult RecurrenceTranslator::collect() {
  auto tileAxes = op.getTransition().getTileAxes();
  isDense = tileAxes && !op.getTransition().isLogDecay();
  if (isDense && *tileAxes != "ed")
    return op.emitOpError("has a transition without a form in Halide");
  // A decay of each element of the state is made where it is used.
  bool isLarge = op.hasAxis(op.getTransitionOperand(), kKey) &&
                 op.hasAxis(op.getTransitionOperand(), kValue);
  if (failed(collect(transition, op.getTransitionOperand(), !isLarge)) ||
      failed(collect(query, op.getQuery())) ||
      failed(collect(bonus, op.getBonus())) ||
      failed(collect(gate, op.getLogGate())) ||
      failed(collect(eraseQuery, op.getEraseQuery())) ||
      failed(collect(eraseKey, op.getEraseKey())) ||
      failed(collect(eraseInput, op.getEraseInput())) ||
      failed(collect(initialState, op.getInitialState())) ||
      failed(collect(initialMax, op.getInitialMax())))
    return failure();
  for (Value value : op.getKeys())
    if (failed(collect(writeKeys.emplace_back(), value)))
      return failure();
  for (Value value : op.getValues())
    if (failed(collect(writeValues.emplace_back(), value)))
      return failure();
  if (Value cuSeqlens = op.getCuSeqlens()) {
    auto tensor = t.getTensor(cuSeqlens);
    if (failed(tensor))
      return failure();
    boundaries.isThere = true;
    boundaries.tensor = *tensor;
    sizes.set(kSegment, program.sub(tensor->sizes.front(), program.integer(1)));
  }
  for (int pass = 0; pass < 2; ++pass)
    for (Value operand : op->getOperands()) {
      if (operand == op.getCuSeqlens())
        continue;
      auto tensor = t.getTensor(operand);
      if (failed(tensor) ||
          failed(t.addSizes(op, sizes, op.getAxes(operand), tensor->sizes)))
        return failure();
    }
  for (char axis : op.getStateAxes())
    batch += axis;
  for (char axis : op.getReadAxes())
    queries += axis;
  for (char axis : {kToken, kKey, kValue, 'e'})
    if (!sizes.has(axis))
      sizes.set(axis, program.integer(1));
  for (char axis : batch + queries)
    if (!sizes.has(axis))
      return op.emitOpError("has an axis without a size");
  tokens = sizes.get(kToken);
  keys = sizes.get(kKey);
  values = sizes.get(kValue);
  numQueries = program.integer(1);
  for (char axis : queries)
    numQueries = program.mul(numQueries, sizes.get(axis));
  if (!program.getInteger(keys) || !program.getInteger(values))
    return op.emitOpError("has no form in Halide: channels have dynamic sizes");
  return success();
}

RecurrenceTranslator::Operand
RecurrenceTranslator::make(StringRef letters,
                           llvm::function_ref<Term(AxisTerms)> element,
                           StringRef hints) {
  Operand result;
  result.isThere = true;
  for (char letter : letters)
    result.axes.push_back({letter});
  result.tensor = t.makeFunc(
      t.getShape(result.axes, sizes),
      [&](ArrayRef<Term> index) {
        AxisTerms at;
        t.unpack(result.axes, index, sizes, at);
        return element(at);
      },
      hints);
  return result;
}

Term RecurrenceTranslator::expDifference(Term x, Term max) {
  return program.select(program.eq(x, constant(-kInfinity)), constant(0),
                        program.exp(program.sub(x, max)));
}

//===----------------------------------------------------------------------===//
// Segments
//===----------------------------------------------------------------------===//

AxisTerms RecurrenceTranslator::inSegment(const AxisTerms &at) {
  AxisTerms there = at;
  there.set(kSegment, segment.isThere
                          ? t.read(segment.tensor, at.get(kToken), Kind::I32)
                          : program.integer(0));
  return there;
}

Term RecurrenceTranslator::isFirst(const AxisTerms &at) {
  Term begin =
      t.read(boundaries.tensor, inSegment(at).get(kSegment), Kind::I32);
  return program.eq(begin, at.get(kToken));
}

Term RecurrenceTranslator::isLast(const AxisTerms &at) {
  Term one = program.integer(1);
  Term end = t.read(boundaries.tensor,
                    program.add(inSegment(at).get(kSegment), one), Kind::I32);
  return program.eq(end, program.add(at.get(kToken), one));
}

Term RecurrenceTranslator::getInitialState(const AxisTerms &at) {
  return initialState.isThere ? get(initialState, at) : constant(0);
}

Term RecurrenceTranslator::getInitialMax(const AxisTerms &at) {
  // Without anything in the state no weight is there to exceed.
  return initialMax.isThere ? get(initialMax, at)
                            : constant(initialState.isThere ? 0 : -kInfinity);
}

//===----------------------------------------------------------------------===//
// What is made once for a token
//===----------------------------------------------------------------------===//

Term RecurrenceTranslator::getMaxBefore(const AxisTerms &at) {
  Term before = get(maxima, at);
  if (!segment.isThere)
    return before;
  return program.select(isFirst(at), getInitialMax(inSegment(at)), before);
}

/// m' = max(m + max g, i), kept for all tokens.
void RecurrenceTranslator::makeMaxima() {
  if (!gate.isThere)
    return;
  bool perValue = gate.has(kValue);
  std::string letters = batch + kToken + (perValue ? "v" : "");
  if (op.getTransition().isLogDecay()) {
    SmallVector<char> over;
    for (char axis : {kKey, kValue})
      if (transition.has(axis) && !(axis == kValue && perValue))
        over.push_back(axis);
    bound = make(letters, [&](AxisTerms at) {
      return over.empty() ? get(transition, at) : constant(-kInfinity);
    });
    if (!over.empty()) {
      SmallVector<Term> extents, index(program.getVars(bound.tensor.source));
      for (char axis : over)
        extents.push_back(sizes.get(axis));
      int domain = program.makeDomain(extents);
      AxisTerms at;
      t.unpack(bound.axes, index, sizes, at);
      for (auto [i, axis] : llvm::enumerate(over))
        at.set(axis, program.makeLoop(domain, i));
      Term most = program.load(bound.tensor.source, kind, index);
      program.update(bound.tensor.source, index,
                     program.max(most, get(transition, at)));
    }
  }
  AxisTerms before = sizes;
  sizes.set(kToken, program.add(tokens, program.integer(1)));
  maxima = make(letters, [&](AxisTerms at) {
    at.set(kSegment, program.integer(0));
    return segment.isThere ? constant(-kInfinity) : getInitialMax(at);
  });
  sizes = before;
  SmallVector<Term> index(program.getVars(maxima.tensor.source));
  AxisTerms at;
  index[batch.size()] = program.makeLoop(program.makeDomain(tokens), 0);
  for (auto [letter, term] : llvm::zip(letters, index))
    at.set(letter, term);
  index[batch.size()] = program.add(at.get(kToken), program.integer(1));
  Term grown = getMaxBefore(at);
  if (bound.isThere)
    grown = program.add(grown, get(bound, at));
  program.update(maxima.tensor.source, index,
                 program.max(grown, get(gate, at)));
}

/// Factors of S and of what is written, and of reads of the state before.
void RecurrenceTranslator::makeFactors() {
  bool perValue = gate.has(kValue);
  auto getMax = [&](AxisTerms at) {
    at.set(kToken, program.add(at.get(kToken), program.integer(1)));
    return get(maxima, at);
  };
  bool decays = op.getTransition().isLogDecay();
  bool hasKey = decays && transition.has(kKey),
       hasValue = decays && transition.has(kValue);
  std::string letters;
  for (char axis : batch + kToken)
    if (gate.isThere || (decays && transition.has(axis)))
      letters += axis;
  std::string state =
      letters + (hasKey ? "d" : "") + (hasValue || perValue ? "v" : "");
  // As large as the state: made where it is used.
  StringRef hints = hasKey && (hasValue || perValue) ? "" : "root";
  if (decays || gate.isThere)
    factor = make(
        state,
        [&](AxisTerms at) {
          if (!gate.isThere)
            return program.exp(get(transition, at));
          // e^(g + m - m'), whose exponent is never positive.
          Term before = getMaxBefore(at),
               change = program.sub(before, getMax(at));
          if (decays)
            change = program.add(get(transition, at), change);
          return program.select(program.eq(before, constant(-kInfinity)),
                                constant(0), program.exp(change));
        },
        hints);
  if (!gate.isThere) {
    if (op.getRead() == StateRead::Decayed)
      readFactor = factor;
    return;
  }
  std::string row = letters + (perValue ? "v" : "");
  weight = make(row, [&](AxisTerms at) {
    return expDifference(get(gate, at), getMax(at));
  });
  // S~ lacks e^(m + max g).
  if (op.getRead() == StateRead::Decayed && decays)
    readFactor = make(
        state,
        [&](AxisTerms at) {
          return expDifference(get(transition, at), get(bound, at));
        },
        hints);
  auto getFrom = [&](AxisTerms at) {
    if (op.getRead() == StateRead::Current)
      return getMax(at);
    Term before = getMaxBefore(at);
    return op.getRead() == StateRead::Decayed && bound.isThere
               ? program.add(before, get(bound, at))
               : before;
  };
  scale = make(row, [&](AxisTerms at) {
    Term from = getFrom(at);
    return bonus.isThere ? program.max(from, get(gate, at)) : from;
  });
  if (bonus.isThere)
    scaleFactor = make(row, [&](AxisTerms at) {
      return expDifference(getFrom(at), get(scale, at));
    });
}

/// sum_d q[d] k[d] w[d], times the pair's weight.
void RecurrenceTranslator::makeBonus() {
  if (!bonus.isThere)
    return;
  bool perValue = gate.has(kValue) || bonus.has(kValue);
  std::string letters = batch + queries + kToken + (perValue ? "v" : "");
  SmallVector<Term> outer;
  for (char axis : letters)
    outer.push_back(sizes.get(axis));
  for (const Operand &key : writeKeys) {
    auto product = [&](ArrayRef<Term> index) {
      AxisTerms at;
      for (auto [axis, term] : llvm::zip(letters, index))
        at.set(axis, term);
      at.set(kKey, index.back());
      return program.mul(program.mul(get(query, at), get(key, at)),
                         get(bonus, at));
    };
    Operand sum;
    sum.isThere = true;
    for (char axis : letters)
      sum.axes.push_back({axis});
    sum.tensor = t.reduce(/*isSum=*/true, kind, outer, keys, product, "root");
    own.push_back(sum);
    if (gate.isThere)
      own.back() = make(letters, [&](AxisTerms at) {
        return program.mul(get(sum, at),
                           expDifference(get(gate, at), get(scale, at)));
      });
  }
}

LogicalResult RecurrenceTranslator::run() {
  if (failed(collect()))
    return failure();
  if (boundaries.isThere) {
    segment.isThere = true;
    segment.axes = {{kToken}};
    segment.tensor = t.getSegments(boundaries.tensor, tokens);
  }
  makeMaxima();
  makeFactors();
  makeBonus();
  makeRows();
  makeUpdate();
  makeResults();
  return success();
}

} // namespace attn::halide
