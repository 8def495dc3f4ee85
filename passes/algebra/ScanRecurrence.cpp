//===- ScanRecurrence.cpp - The recurrence of a scan --------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ScanRecurrence.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/algebra/LogFactors.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr Axis kKey = SequenceBuilder::kKey;
static constexpr Axis kValue = SequenceBuilder::kValue;

std::string ScanRecurrence::getStructure() const {
  std::optional<StringRef> tile = transition.getTileAxes();
  std::string text = !tile                      ? "no decay"
                     : !transition.isLogDecay() ? "a dense transition"
                     : tile->empty()            ? "a scalar decay"
                     : *tile == "d"             ? "a diagonal decay"
                                                : "an element-wise decay";
  if (eraseQuery)
    text += ", one low-rank correction";
  if (writes.size() > 1)
    text += ", writes " + std::to_string(writes.size()) + " pairs a token";
  text += " and reads the " + stringifyStateRead(read).str() + " state";
  if (bonus)
    text += " with a bonus";
  return text;
}

namespace {
/// Finds the parts one after the other.
class Finder {
public:
  Finder(ScanOp scan, const ScanMeaning &meaning, SequenceBuilder &sequences,
         AffineAlgebra &algebra, ScanRefusal &refusal)
      : scan(scan), state(*meaning.state), meaning(meaning),
        sequences(sequences), algebra(algebra), refusal(refusal),
        yield(scan.getBody().front().getTerminator()) {}

  FailureOr<ScanRecurrence> find() {
    if (failed(findTransition()) || failed(findCorrection()) ||
        failed(findOutput()))
      return failure();
    return std::move(result);
  }

private:
  /// q^T of one state, once all terms read the same.
  struct Read {
    SequenceValue query;
    StateRead kind;
    SmallVector<SequenceValue> factors;
  };

  LogicalResult findTransition();
  LogicalResult findCorrection();
  LogicalResult findOutput();
  bool findBonus(const StateReadTerm &read);
  /// Terms that read transitions of the state, as one read.
  FailureOr<Read> merge(SmallVector<StateReadTerm> reads, Operation *op);
  /// q^T (c S) = (q c)^T S
  LogicalResult makePrevious(StateReadTerm &read, Operation *op);

  LogicalResult refuse(Operation *op, const Twine &reason) {
    refusal = {op, reason.str()};
    return failure();
  }

  ScanOp scan;
  const StateValue &state;
  const ScanMeaning &meaning;
  SequenceBuilder &sequences;
  AffineAlgebra &algebra;
  ScanRefusal &refusal;
  Operation *yield;
  ScanRecurrence result;
};
} // namespace

LogicalResult Finder::findTransition() {
  MLIRContext *context = scan.getContext();
  const StateTransition &transition = *state.transition;
  if (transition.matrix) {
    result.transition = DenseTransitionAttr::get(context);
    result.operand = transition.matrix;
    return success();
  }
  for (const SequenceValue &factor : transition.factors) {
    FailureOr<SequenceValue> log = getLogFactor(sequences, factor);
    if (failed(log))
      return refuse(transition.op,
                    "the factor of the state is not known to be between 0 and "
                    "1: write it as exp(g), or declare its range");
    FailureOr<SequenceValue> sum = sequences.createSum(result.operand, *log);
    if (failed(sum))
      return refuse(yield, sequences.getReason());
    result.operand = *sum;
  }
  if (!result.operand)
    result.transition = NoDecayAttr::get(context);
  else if (hasAxis(result.operand.axes, kValue))
    result.transition = ElementwiseDecayAttr::get(context);
  else if (hasAxis(result.operand.axes, kKey))
    result.transition = DiagonalDecayAttr::get(context);
  else
    result.transition = ScalarDecayAttr::get(context);
  return success();
}

LogicalResult Finder::makePrevious(StateReadTerm &read, Operation *op) {
  const StateTransition &transition = *read.state->transition;
  if (transition.matrix)
    return refuse(op, "the state is read after a matrix that the update has "
                      "not");
  for (const SequenceValue &factor : transition.factors) {
    if (!hasAxis(factor.axes, kValue))
      read.query = sequences.createGate(read.query, factor);
    else if (!hasAxis(factor.axes, kKey))
      read.valueFactors.push_back(factor);
    else
      return refuse(op, "the state is read with a factor for each element that "
                        "the update has not");
  }
  read.state = nullptr;
  return success();
}

FailureOr<Finder::Read> Finder::merge(SmallVector<StateReadTerm> reads,
                                      Operation *op) {
  auto isDecayed = [&](const StateReadTerm &read) {
    return *read.state->transition == *state.transition;
  };
  Read merged;
  merged.kind =
      llvm::all_of(reads, isDecayed) ? StateRead::Decayed : StateRead::Previous;
  for (StateReadTerm &read : reads) {
    if (merged.kind == StateRead::Previous && failed(makePrevious(read, op)))
      return failure();
    if (!merged.query)
      merged.factors = read.valueFactors;
    else if (merged.factors != read.valueFactors)
      return refuse(op, "two reads of the state have different factors of the "
                        "value channels");
    FailureOr<SequenceValue> sum =
        sequences.createSum(merged.query, read.query, read.factor);
    if (failed(sum))
      return refuse(op, sequences.getReason());
    merged.query = *sum;
  }
  return merged;
}

// b u^T with u = x + sum q^T T(S): p = -q, r = x, or the value that is written
// under the same key.
LogicalResult Finder::findCorrection() {
  result.writes = state.writes;
  std::vector<StateCorrection> corrections;
  for (const StateCorrection &term : state.corrections) {
    auto same = llvm::find_if(corrections, [&](const StateCorrection &other) {
      return other.key == term.key;
    });
    if (same == corrections.end()) {
      corrections.push_back(term);
      continue;
    }
    FailureOr<VectorValue> sum = algebra.add(same->vector, term.vector, 1);
    if (failed(sum))
      return refuse(term.op, algebra.getReason());
    same->vector = *sum;
  }
  if (corrections.empty())
    return success();
  if (corrections.size() > 1)
    return refuse(corrections[1].op,
                  "more than one low-rank correction of the state a token");
  StateCorrection &term = corrections.front();
  if (state.transition->matrix)
    return refuse(term.op, "a low-rank correction of a state with a dense "
                           "transition: add it to the matrix");
  if (state.transition->hasAxis(kValue))
    return refuse(term.op, "a low-rank correction of a state whose factors "
                           "differ along the value channels");
  // -p^T T(S)
  SmallVector<StateReadTerm> reads = term.vector.reads;
  for (StateReadTerm &read : reads)
    read.factor = -read.factor;
  FailureOr<Read> read = merge(reads, term.op);
  if (failed(read))
    return failure();
  if (!read->factors.empty())
    return refuse(term.op, "a low-rank correction with a factor for each value "
                           "channel");
  result.eraseQuery = read->query;
  result.eraseRead = read->kind;
  result.eraseKey = term.key;
  result.eraseInput = term.vector.local.value;
  if (!result.eraseInput)
    for (OuterProduct *write = result.writes.begin();
         write != result.writes.end(); ++write)
      if (write->x == term.key) {
        result.eraseInput = write->y;
        result.writes.erase(write);
        break;
      }
  if (!result.eraseInput)
    result.eraseInput = sequences.createConstant(0, {kValue});
  return success();
}

// q^T (S + sum (w k) v^T), for the pairs k, v that the token writes.
bool Finder::findBonus(const StateReadTerm &read) {
  const StateValue &seen = *read.state;
  if (!seen.transition || !seen.transition->isIdentity() ||
      !seen.corrections.empty() || seen.writes.empty() ||
      seen.writes.size() != result.writes.size())
    return false;
  SequenceValue bonus;
  for (auto [term, write] : llvm::zip_equal(seen.writes, result.writes)) {
    if (!(term.y == write.y))
      return false;
    SequenceValue factor;
    if (term.x == write.x)
      factor = sequences.createConstant(1, {kKey});
    else if (auto factors = sequences.getFactors(term.x))
      factor = factors->first == write.x    ? factors->second
               : factors->second == write.x ? factors->first
                                            : SequenceValue{};
    if (!factor || (bonus && !(bonus == factor)))
      return false;
    bonus = factor;
  }
  result.bonus = bonus;
  return true;
}

LogicalResult Finder::findOutput() {
  const VectorValue &output = meaning.output;
  result.outputTile = output.tile;
  result.addend = output.local.value;
  if (output.reads.empty())
    return refuse(yield, "the output does not depend on the state");
  if (!output.local.value && !output.local.outer.empty())
    return refuse(yield, "a sum of outer products is added to the output");
  Read read;
  bool isCurrent = llvm::all_of(output.reads, [&](const StateReadTerm &term) {
    return term.state == meaning.state;
  });
  if (isCurrent ||
      (output.reads.size() == 1 && findBonus(output.reads.front()))) {
    for (const StateReadTerm &term : output.reads) {
      if (read.query && read.factors != term.valueFactors)
        return refuse(yield, "two reads of the state have different factors of "
                             "the value channels");
      read.factors = term.valueFactors;
      FailureOr<SequenceValue> sum =
          sequences.createSum(read.query, term.query, term.factor);
      if (failed(sum))
        return refuse(yield, sequences.getReason());
      read.query = *sum;
    }
    read.kind = isCurrent ? StateRead::Current : StateRead::Previous;
  } else {
    SmallVector<StateReadTerm> reads;
    VectorValue sum{{}, output.local, output.tile};
    for (const StateReadTerm &term : output.reads) {
      FailureOr<VectorValue> expanded = algebra.expand(term);
      if (failed(expanded))
        return refuse(yield, algebra.getReason());
      FailureOr<VectorValue> next = algebra.add(sum, *expanded, 1);
      if (failed(next))
        return refuse(yield, algebra.getReason());
      sum = *next;
    }
    if (sum.reads.empty())
      return refuse(yield, "the output does not depend on the state");
    FailureOr<Read> merged = merge(sum.reads, yield);
    if (failed(merged))
      return failure();
    read = *merged;
    result.addend = sum.local.value;
    // Without a decay the two are one.
    if (state.transition->isIdentity())
      read.kind = StateRead::Previous;
  }
  result.query = read.query;
  result.read = read.kind;
  result.factors = read.factors;
  if (result.writes.empty() && !result.eraseQuery)
    return refuse(yield, "nothing is written to the state");
  return success();
}

FailureOr<ScanRecurrence> attn::findRecurrence(ScanOp scan,
                                               const ScanMeaning &meaning,
                                               SequenceBuilder &sequences,
                                               AffineAlgebra &algebra,
                                               ScanRefusal &refusal) {
  return Finder(scan, meaning, sequences, algebra, refusal).find();
}

//===----------------------------------------------------------------------===//
// The operation
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>>
attn::emitRecurrence(ScanOp scan, const ScanRecurrence &recurrence,
                     SequenceBuilder &sequences, ScanRefusal &refusal) {
  auto refuse = [&](const Twine &reason) -> LogicalResult {
    refusal = {scan, reason.str()};
    return failure();
  };
  OpBuilder &builder = sequences.getBuilder();
  sequences.setLoc(scan.getLoc());
  Axes stateAxes = sequences.getAxes(scan.getAxesOfState());
  // The dimensions of the region's output have the names that it gave them.
  Axes outputAxes = sequences.getAxes(scan.getAxesOfOutput());
  size_t next = 0;
  for (Axis &axis : outputAxes)
    if (!sequences.isBatch(axis))
      axis = recurrence.outputTile[next++];
  for (Axis axis : sequences.getBatchAxes())
    if (!hasAxis(outputAxes, axis))
      return refuse("the output has not all batch axes of the state");
  for (Axis axis : recurrence.query.axes)
    if (axis != kKey && !hasAxis(outputAxes, axis))
      return refuse("the output has not all axes of what reads the state");

  // 1. The operands in the order of the operation. One that stands twice under
  // different names is copied: its axes are found by the value.
  SmallVector<SequenceValue> operands;
  auto add = [&](SequenceValue value) -> Value {
    if (!value)
      return nullptr;
    if (llvm::any_of(operands, [&](const SequenceValue &other) {
          return other.value == value.value && other.axes != value.axes;
        }))
      value = sequences.createCopy(value);
    operands.push_back(value);
    return value.value;
  };
  Value operand = add(recurrence.operand);
  Value query = add(recurrence.query);
  SmallVector<Value> keys, values;
  for (const OuterProduct &pair : recurrence.writes)
    keys.push_back(add(pair.x));
  for (const OuterProduct &pair : recurrence.writes)
    values.push_back(add(pair.y));
  Value bonus = add(recurrence.bonus);
  Value eraseQuery = add(recurrence.eraseQuery);
  Value eraseKey = add(recurrence.eraseKey);
  Value eraseInput = add(recurrence.eraseInput);
  if (scan.getFinalState())
    for (Axis axis : stateAxes)
      if (!scan.getInitialState() &&
          llvm::none_of(operands, [&](const SequenceValue &value) {
            return value.value != query && hasAxis(value.axes, axis);
          }))
        return refuse("the final state has an axis that nothing written to it "
                      "has");
  Value initial = add({scan.getInitialState(), stateAxes});

  // 2. The names of all axes, the same in all operands and results.
  SmallVector<Axes> named;
  for (const SequenceValue &value : operands)
    named.push_back(value.axes);
  named.push_back(outputAxes);
  if (scan.getFinalState())
    named.push_back(stateAxes);
  SmallVector<std::string> texts = sequences.getText(named);
  SmallVector<StringRef> names(texts.begin(), texts.end());
  ArrayRef<StringRef> all(names);

  MLIRContext *context = scan.getContext();
  auto result = RecurrenceOp::create(
      builder, scan.getLoc(), scan.getOutput().getType(), Type(),
      scan.getFinalState() ? Type(scan.getFinalState().getType()) : Type(),
      Type(), recurrence.transition, operand, query, keys, values, bonus,
      Value(), eraseQuery, eraseKey, eraseInput, initial, Value(), Value(),
      StateReadAttr::get(context, recurrence.read),
      eraseQuery ? StateReadAttr::get(context, recurrence.eraseRead)
                 : StateReadAttr(),
      builder.getStrArrayAttr(all.take_front(operands.size())),
      builder.getStrArrayAttr(all.drop_front(operands.size())),
      RecurrenceFormAttr::get(context, RecurrenceForm::Auto), IntegerAttr());

  // 3. What is done to the output.
  SequenceValue output{result.getOutput(), outputAxes};
  for (const SequenceValue &factor : recurrence.factors)
    output = sequences.createGate(output, factor);
  if (recurrence.addend) {
    FailureOr<SequenceValue> sum =
        sequences.createSum(output, recurrence.addend);
    if (failed(sum))
      return refuse(sequences.getReason());
    output = *sum;
  }
  FailureOr<SequenceValue> arranged =
      sequences.arrange(output, outputAxes, {output});
  if (failed(arranged))
    return refuse(sequences.getReason());
  SmallVector<Value> results{arranged->value};
  if (scan.getFinalState())
    results.push_back(result.getFinalState());
  return results;
}
