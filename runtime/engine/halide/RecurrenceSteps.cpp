//===- RecurrenceSteps.cpp - The steps of a recurrence for Halide ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/RecurrenceTranslator.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue,
                      kSegment = RecurrenceOp::kSegment;

Term RecurrenceTranslator::getRow(const AxisTerms &at, Term row) {
  SmallVector<Term> index;
  for (char axis : batch)
    index.push_back(at.get(axis));
  index.push_back(row);
  index.push_back(at.get(kValue));
  return program.load(rows.source, kind, index);
}

Term RecurrenceTranslator::getBefore(const AxisTerms &at, Term channel) {
  Term before = getRow(at, channel);
  if (!segment.isThere)
    return before;
  AxisTerms there = inSegment(at);
  there.set(kKey, channel);
  return program.select(isFirst(at), getInitialState(there), before);
}

Term RecurrenceTranslator::getOutputRow(const AxisTerms &at, Term number) {
  return program.add(
      outputRow, program.add(program.mul(at.get(kToken), numQueries), number));
}

void RecurrenceTranslator::unpackQuery(AxisTerms &at, Term number) {
  for (char axis : llvm::reverse(queries)) {
    at.set(axis, program.mod(number, sizes.get(axis)));
    number = program.div(number, sizes.get(axis));
  }
}

/// The rows before the first token.
void RecurrenceTranslator::makeRows() {
  Term end = keys;
  if (isDense)
    end = program.add(end, keys);
  erasedRow = end;
  if (op.erases())
    end = program.add(end, tokens);
  outputRow = end;
  end = program.add(end, program.mul(tokens, numQueries));
  segmentRow = end;
  bool keepsSegments = segment.isThere && op.getFinalState();
  if (keepsSegments)
    end = program.add(end, program.mul(sizes.get(kSegment), keys));

  SmallVector<Term> shape;
  for (char axis : batch)
    shape.push_back(sizes.get(axis));
  shape.push_back(end);
  shape.push_back(values);
  Tensor made = t.makeFunc(shape, [&](ArrayRef<Term> index) {
    AxisTerms at;
    for (auto [axis, term] : llvm::zip(batch, index))
      at.set(axis, term);
    at.set(kValue, index.back());
    Term row = index[batch.size()], value = constant(0);
    if (keepsSegments && initialState.isThere) {
      AxisTerms there = at;
      Term place = program.sub(row, segmentRow);
      Term number = program.max(program.div(place, keys), program.integer(0));
      there.set(kSegment, program.clamp(number, sizes.get(kSegment)));
      there.set(kKey, program.mod(place, keys));
      value = program.select(program.lt(row, segmentRow), value,
                             getInitialState(there));
    }
    if (bonus.isThere) {
      AxisTerms there = at;
      Term place = program.clamp(program.sub(row, outputRow),
                                 program.mul(tokens, numQueries));
      there.set(kToken, program.div(place, numQueries));
      unpackQuery(there, program.mod(place, numQueries));
      Term sum = constant(0);
      for (auto [product, x] : llvm::zip_equal(own, writeValues))
        sum = program.muladd(get(product, there), get(x, there), sum);
      Term isOutput =
          program.both(program.le(outputRow, row), program.lt(row, segmentRow));
      value = program.select(isOutput, sum, value);
    }
    if (op.erases()) {
      AxisTerms there = at;
      there.set(kToken, program.clamp(program.sub(row, erasedRow), tokens));
      Term isErased =
          program.both(program.le(erasedRow, row), program.lt(row, outputRow));
      value = program.select(isErased, get(eraseInput, there), value);
    }
    if (initialState.isThere && !segment.isThere) {
      AxisTerms there = at;
      there.set(kKey, program.clamp(row, keys));
      value =
          program.select(program.lt(row, keys), getInitialState(there), value);
    }
    return value;
  });
  rows = made;
}

/// The tokens, in order.
void RecurrenceTranslator::makeUpdate() {
  int64_t numKeys = *program.getInteger(keys);
  int64_t blockSize = 8;
  while (numKeys % blockSize != 0)
    blockSize /= 2;
  bool readsBefore = op.getRead() != StateRead::Current;
  bool keepsSegments = segment.isThere && op.getFinalState();

  // 1. The loops: phases of a block of channels, (columns of M,) blocks, passes
  //    and tokens.
  Term block = program.integer(blockSize);
  Term numPhases = program.add(program.integer(blockSize), numQueries);
  if (keepsSegments)
    numPhases = program.add(numPhases, block);
  int64_t numPasses = 1 + op.erases() + isDense;
  int domain = program.makeDomain(
      {numPhases, isDense ? keys : program.integer(1), program.div(keys, block),
       program.integer(numPasses), tokens});
  Term phase = program.makeLoop(domain, 0),
       column = program.makeLoop(domain, 1),
       channels = program.makeLoop(domain, 2),
       pass = program.makeLoop(domain, 3), token = program.makeLoop(domain, 4);
  auto isPass = [&](int64_t number) {
    return program.eq(pass, program.integer(number));
  };
  int64_t erasePass = isDense, mainPass = numPasses - 1;

  // 2. Phases: reads of the state before the token come first.
  Term zero = program.integer(0);
  Term firstRead = readsBefore ? zero : block,
       firstWrite = readsBefore ? numQueries : zero,
       firstKept = program.add(block, numQueries);
  auto isIn = [&](Term first, Term count) {
    return program.both(program.le(first, phase),
                        program.lt(phase, program.add(first, count)));
  };
  Term isRead = isIn(firstRead, numQueries), isWrite = isIn(firstWrite, block);
  Term channel =
      program.add(program.mul(channels, block),
                  program.clamp(program.sub(phase, firstWrite), block));
  Term queryNumber = program.clamp(program.sub(phase, firstRead), numQueries);

  AxisTerms at;
  SmallVector<Term> index(program.getVars(rows.source));
  for (auto [axis, term] : llvm::zip(batch, index))
    at.set(axis, term);
  at.set(kValue, index.back());
  at.set(kToken, token);
  auto atChannel = [&](Term d) {
    AxisTerms there = at;
    there.set(kKey, d);
    return there;
  };
  /// S~ of a channel, after the pass that makes it.
  auto getDecayed = [&](Term d) {
    if (isDense)
      return getRow(at, program.add(keys, d));
    Term state = getBefore(at, d);
    return factor.isThere ? program.mul(get(factor, atChannel(d)), state)
                          : state;
  };

  // 3. S' = S~ + sum_i e^i k v^T + b u^T
  AxisTerms here = atChannel(channel);
  Term written = constant(0);
  bool isFirstTerm = true;
  auto addTerm = [&](Term a, Term b) {
    written = isFirstTerm ? program.make("fastmul", kind, {a, b})
                          : program.muladd(a, b, written);
    isFirstTerm = false;
  };
  for (auto [key, x] : llvm::zip_equal(writeKeys, writeValues)) {
    Term k = get(key, here);
    if (weight.isThere)
      k = program.mul(get(weight, at), k);
    addTerm(k, get(x, at));
  }
  Term erased = op.erases() ? program.add(erasedRow, token) : Term();
  if (op.erases())
    addTerm(get(eraseKey, here), getRow(at, erased));
  Term state =
      isDense || !factor.isThere
          ? program.make("fastadd", kind, {getDecayed(channel), written})
          : program.muladd(get(factor, here), getBefore(at, channel), written);

  // 4. o += sum_d q S', q S~ or q S of a block
  AxisTerms read = at;
  unpackQuery(read, queryNumber);
  Term place = getOutputRow(at, queryNumber), sum;
  for (int64_t j = 0; j < blockSize; ++j) {
    Term d = program.add(program.mul(channels, block), program.integer(j));
    AxisTerms there = read;
    there.set(kKey, d);
    Term q = get(query, there), s;
    if (!readsBefore)
      s = getRow(at, d);
    else if (op.getRead() == StateRead::Decayed && isDense)
      s = getDecayed(d);
    else
      s = getBefore(at, d);
    if (readFactor.isThere)
      q = program.mul(q, get(readFactor, there));
    sum = j == 0 ? program.make("fastmul", kind, {q, s})
                 : program.muladd(q, s, sum);
  }
  if (scaleFactor.isThere)
    sum = program.mul(get(scaleFactor, at), sum);
  Term output = program.make("fastadd", kind, {getRow(at, place), sum});

  // 5. What each phase of each pass assigns.
  Term row = program.select(isRead, place, channel),
       value = program.select(isRead, output, state);
  if (keepsSegments) {
    Term isKept = program.le(firstKept, phase);
    Term d = program.add(program.mul(channels, block),
                         program.clamp(program.sub(phase, firstKept), block));
    Term kept = program.add(
        segmentRow,
        program.add(program.mul(inSegment(at).get(kSegment), keys), d));
    row = program.select(isKept, kept, row);
    value = program.select(
        isKept, program.select(isLast(at), getRow(at, d), getRow(at, kept)),
        value);
  }
  Term isMain = isPass(mainPass);
  if (op.erases()) {
    // u -= sum_d p S~, or p S
    Term sum;
    for (int64_t j = 0; j < blockSize; ++j) {
      Term d = program.add(program.mul(channels, block), program.integer(j));
      Term p = get(eraseQuery, atChannel(d)), s = getBefore(at, d);
      if (*op.getEraseRead() == StateRead::Decayed) {
        if (isDense)
          s = getDecayed(d);
        else if (factor.isThere)
          p = program.mul(p, get(factor, atChannel(d)));
      }
      sum = j == 0 ? program.make("fastmul", kind, {p, s})
                   : program.muladd(p, s, sum);
    }
    Term isErase = isPass(erasePass);
    row = program.select(isErase, erased, row);
    value = program.select(
        isErase, program.make("fastsub", kind, {getRow(at, erased), sum}),
        value);
  }
  Term inPass = isMain;
  if (op.erases())
    inPass = program.make(
        "or", Kind::B1,
        {inPass, program.both(isPass(erasePass), program.eq(phase, zero))});
  if (isDense) {
    // M S, a column at a time
    AxisTerms there = at;
    there.set('e', channel);
    there.set(kKey, column);
    Term product = program.mul(get(transition, there), getBefore(at, column));
    Term place = program.add(keys, channel);
    Term sum = program.select(program.eq(column, zero), product,
                              program.add(getRow(at, place), product));
    Term isProduct = program.both(isPass(0), isWrite);
    row = program.select(isPass(0), place, row);
    value = program.select(isPass(0), sum, value);
    inPass = program.make(
        "or", Kind::B1,
        {isProduct, program.both(inPass, program.eq(column, zero))});
  }
  program.where(domain, inPass);
  index[batch.size()] = row;
  program.update(rows.source, index, value);
  std::string hints = "steps";
  for (Term loop : {phase, pass})
    if (loop.id != phase.id ||
        program.getInteger(numPhases).value_or(INT64_MAX) <= 64)
      hints += " " + std::to_string(loop.id);
  program.schedule(rows.source, hints);
}

void RecurrenceTranslator::makeResults() {
  auto set = [&](Value result, llvm::function_ref<Term(AxisTerms)> element) {
    if (!result)
      return;
    EinsumOperand axes = op.getAxes(result);
    t.setTensor(result,
                t.makeFunc(t.getShape(axes, sizes), [&](ArrayRef<Term> index) {
                  AxisTerms at;
                  t.unpack(axes, index, sizes, at);
                  if (!at.has(kValue))
                    at.set(kValue, program.integer(0));
                  if (!at.has(kKey))
                    at.set(kKey, program.integer(0));
                  return element(at);
                }));
  };
  set(op.getOutput(), [&](AxisTerms at) {
    Term number = program.integer(0);
    for (char axis : queries)
      number = program.add(program.mul(number, sizes.get(axis)), at.get(axis));
    return getRow(at, getOutputRow(at, number));
  });
  set(op.getLogScale(), [&](AxisTerms at) { return get(scale, at); });
  set(op.getFinalState(), [&](AxisTerms at) {
    if (!segment.isThere)
      return getRow(at, at.get(kKey));
    Term row = program.add(program.mul(at.get(kSegment), keys), at.get(kKey));
    return getRow(at, program.add(segmentRow, row));
  });
  set(op.getFinalMax(), [&](AxisTerms at) {
    AxisTerms end = at;
    end.set(kToken, tokens);
    if (!segment.isThere)
      return get(maxima, end);
    Term one = program.integer(1), number = at.get(kSegment);
    Term first = t.read(boundaries.tensor, number, Kind::I32),
         last = t.read(boundaries.tensor, program.add(number, one), Kind::I32);
    // The maximum after the last token, which lies one further.
    end.set(kToken, program.clamp(last, program.add(tokens, one)));
    return program.select(program.eq(first, last), getInitialMax(at),
                          get(maxima, end));
  });
}

} // namespace attn::halide
