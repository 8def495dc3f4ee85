//===- Recurrence.cpp - recurrence, token by token -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"
#include "runtime/reference/Contents.h"
#include <cmath>

using namespace mlir;
using mlir::attn::EinsumOperand;
using mlir::attn::RecurrenceOp;
using mlir::attn::StateRead;
using mlir::attn::TransitionAttrInterface;

namespace attn {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An operand or result; where it is not there, `data` is null.
struct Tensor {
  double *data = nullptr;
  /// Where the indices of the state's and of the query's batch axes start.
  std::vector<int64_t> state, read;
  PerAxis strides{0};

  explicit operator bool() const { return data; }
  double *at(int64_t batch, int64_t token) const {
    return data + state[batch] + token * strides[RecurrenceOp::kToken];
  }
};

/// e^(x - max), where x = -inf stands for nothing at all.
double expDifference(double x, double max) {
  return x == -kInfinity ? 0 : std::exp(x - max);
}

/// The state of one batch index.
struct State {
  std::vector<double> now;      // S, [keys, values]
  std::vector<double> previous; // before the token
  std::vector<double> decayed;  // S~
  /// What each of them is divided by the exponential of: [values], all equal
  /// where the gate has no value channels.
  std::vector<double> max, previousMax, decayedMax;
};

class Recurrence {
public:
  Recurrence(RecurrenceOp op, const PerAxis &sizes)
      : op(op), sizes(sizes), stateAxes(op.getStateAxes()),
        readAxes(op.getReadAxes()), keys(sizes[RecurrenceOp::kKey]),
        values(sizes[RecurrenceOp::kValue]) {}

  llvm::Expected<SmallVector<Array>> run(ArrayRef<Array> operands);

private:
  llvm::Error collect(ArrayRef<Array> operands, SmallVector<Array> &results);
  Tensor describe(const EinsumOperand &axes, const Array &array);
  void runSegment(int64_t batch, int64_t segment, int64_t begin, int64_t end);
  void update(State &state, int64_t batch, int64_t token);
  void readState(const State &state, int64_t batch, int64_t token);
  std::vector<double> getTile(int64_t batch, int64_t token);
  /// max g, for each value channel.
  void addLogBound(ArrayRef<double> tile, std::vector<double> &max);

  RecurrenceOp op;
  PerAxis sizes;
  SmallVector<char> stateAxes, readAxes;
  int64_t keys, values;
  Tensor transition, query, bonus, gate, eraseQuery, eraseKey, eraseInput,
      initialState, initialMax, output, logScale, finalState, finalMax;
  std::vector<Tensor> writeKeys, writeValues;
};

} // namespace

Tensor Recurrence::describe(const EinsumOperand &axes, const Array &array) {
  Tensor tensor;
  tensor.data = getDoubles(array);
  tensor.strides = getAxisStrides(axes, sizes);
  tensor.state = getOffsets(stateAxes, sizes, tensor.strides);
  tensor.read = getOffsets(readAxes, sizes, tensor.strides);
  return tensor;
}

llvm::Error Recurrence::collect(ArrayRef<Array> operands,
                                SmallVector<Array> &results) {
  SmallVector<EinsumOperand> axes = op.getAxesOfOperands();
  Tensor *single[] = {&transition, &query,        nullptr,     nullptr,
                      &bonus,      &gate,         &eraseQuery, &eraseKey,
                      &eraseInput, &initialState, &initialMax};
  for (auto [group, tensor] : llvm::enumerate(single)) {
    auto [first, count] = op.getODSOperandIndexAndLength(group);
    for (unsigned i = first; i < first + count; ++i) {
      Tensor described = describe(axes[i], operands[i]);
      if (tensor)
        *tensor = std::move(described);
      else
        (group == 2 ? writeKeys : writeValues).push_back(std::move(described));
    }
  }
  for (Value value : op.getResults()) {
    llvm::Expected<Array> array =
        createResult(op, getShape(op.getAxes(value), sizes));
    if (!array)
      return array.takeError();
    (value == op.getOutput()       ? output
     : value == op.getLogScale()   ? logScale
     : value == op.getFinalState() ? finalState
                                   : finalMax) =
        describe(op.getAxes(value), *array);
    results.push_back(std::move(*array));
  }
  return llvm::Error::success();
}

std::vector<double> Recurrence::getTile(int64_t batch, int64_t token) {
  if (!transition)
    return {};
  SmallVector<char> axes(op.getTransition().getTileAxes()->begin(),
                         op.getTransition().getTileAxes()->end());
  const double *data = transition.at(batch, token);
  std::vector<double> tile;
  for (int64_t offset : getOffsets(axes, sizes, transition.strides))
    tile.push_back(data[offset]);
  return tile;
}

void Recurrence::addLogBound(ArrayRef<double> tile, std::vector<double> &max) {
  if (!op.getTransition().isLogDecay())
    return;
  StringRef axes = *op.getTransition().getTileAxes();
  bool perValue = gate.strides[RecurrenceOp::kValue] != 0;
  for (int64_t v = 0; v < values; ++v) {
    double bound = -kInfinity;
    for (auto [i, log] : llvm::enumerate(tile))
      // v is the last axis of a tile that has it.
      if (!perValue || !axes.contains(RecurrenceOp::kValue) ||
          static_cast<int64_t>(i) % values == v)
        bound = std::fmax(bound, log);
    max[v] += bound;
  }
}

/// S' = T(S) + sum_i k v^T + b u^T
void Recurrence::update(State &state, int64_t batch, int64_t token) {
  constexpr char kKey = RecurrenceOp::kKey, kValue = RecurrenceOp::kValue;
  std::vector<double> tile = getTile(batch, token);
  // 1. S~ = T(S)
  state.previous = state.now;
  state.previousMax = state.max;
  op.getTransition().evaluateStep(tile, keys, values, state.now);
  state.decayed = state.now;
  // m' = max(m + max g, i), and S~ is divided by e^(m' - m).
  SmallVector<double> weights(values, 1.0); // e^(i - m')
  if (gate) {
    const double *i = gate.at(batch, token);
    addLogBound(tile, state.max);
    state.decayedMax = state.max;
    for (int64_t v = 0; v < values; ++v) {
      double log = i[v * gate.strides[kValue]];
      state.max[v] = std::isnan(log) ? log : std::fmax(state.max[v], log);
      weights[v] = expDifference(log, state.max[v]);
      for (int64_t d = 0; d < keys; ++d) {
        double previous = state.previousMax[v];
        state.now[d * values + v] *= expDifference(previous, state.max[v]);
        state.decayed[d * values + v] *=
            expDifference(previous, state.decayedMax[v]);
      }
    }
  }
  // 2. u = r - p^T S~ or r - p^T S
  if (eraseQuery) {
    const double *p = eraseQuery.at(batch, token),
                 *b = eraseKey.at(batch, token),
                 *r = eraseInput.at(batch, token);
    const std::vector<double> &read = *op.getEraseRead() == StateRead::Previous
                                          ? state.previous
                                          : state.decayed;
    for (int64_t v = 0; v < values; ++v) {
      double u = r[v * eraseInput.strides[kValue]];
      for (int64_t d = 0; d < keys; ++d)
        u -= p[d * eraseQuery.strides[kKey]] * read[d * values + v];
      for (int64_t d = 0; d < keys; ++d)
        state.now[d * values + v] += b[d * eraseKey.strides[kKey]] * u;
    }
  }
  // 3. S' = S~ + sum_i k v^T + b u^T
  for (auto [key, value] : llvm::zip_equal(writeKeys, writeValues)) {
    const double *k = key.at(batch, token), *x = value.at(batch, token);
    for (int64_t d = 0; d < keys; ++d)
      for (int64_t v = 0; v < values; ++v)
        state.now[d * values + v] += weights[v] * k[d * key.strides[kKey]] *
                                     x[v * value.strides[kValue]];
  }
}

/// o = q^T S', q^T S~, or q^T S + sum_i (q . (w k)) v
void Recurrence::readState(const State &state, int64_t batch, int64_t token) {
  constexpr char kKey = RecurrenceOp::kKey, kValue = RecurrenceOp::kValue;
  StateRead kind = op.getRead();
  const std::vector<double> &read = kind == StateRead::Current ? state.now
                                    : kind == StateRead::Decayed
                                        ? state.decayed
                                        : state.previous;
  for (size_t index = 0; index < query.read.size(); ++index) {
    const double *q = query.at(batch, token) + query.read[index];
    double *o = output.at(batch, token) + output.read[index];
    for (int64_t v = 0; v < values; ++v) {
      double sum = 0, scale = 0, pairWeight = 1;
      for (int64_t d = 0; d < keys; ++d)
        sum += q[d * query.strides[kKey]] * read[d * values + v];
      if (gate) {
        double log = gate.at(batch, token)[v * gate.strides[kValue]];
        double from = kind == StateRead::Current   ? state.max[v]
                      : kind == StateRead::Decayed ? state.decayedMax[v]
                                                   : state.previousMax[v];
        // The output is divided by e^scale.
        scale = bonus ? std::fmax(from, log) : from;
        if (scale != from)
          sum *= expDifference(from, scale);
        pairWeight = expDifference(log, scale);
      }
      if (bonus) {
        const double *w = bonus.at(batch, token) + bonus.read[index];
        for (auto [key, value] : llvm::zip_equal(writeKeys, writeValues)) {
          const double *k = key.at(batch, token), *x = value.at(batch, token);
          double product = 0;
          for (int64_t d = 0; d < keys; ++d)
            product += q[d * query.strides[kKey]] * k[d * key.strides[kKey]] *
                       w[d * bonus.strides[kKey] + v * bonus.strides[kValue]];
          sum += pairWeight * product * x[v * value.strides[kValue]];
        }
      }
      o[v * output.strides[kValue]] = sum;
      if (logScale)
        (logScale.at(batch, token) +
         logScale.read[index])[v * logScale.strides[kValue]] = scale;
    }
  }
}

void Recurrence::runSegment(int64_t batch, int64_t segment, int64_t begin,
                            int64_t end) {
  constexpr char kKey = RecurrenceOp::kKey, kValue = RecurrenceOp::kValue,
                 kSegment = RecurrenceOp::kSegment;
  auto at = [&](const Tensor &tensor, int64_t d, int64_t v) -> double & {
    return tensor
        .data[tensor.state[batch] + segment * tensor.strides[kSegment] +
              d * tensor.strides[kKey] + v * tensor.strides[kValue]];
  };
  State state;
  state.now.assign(keys * values, 0.0);
  // Without anything in the state no weight is there to exceed.
  state.max.assign(values, initialState ? 0.0 : -kInfinity);
  for (int64_t v = 0; v < values; ++v) {
    for (int64_t d = 0; initialState && d < keys; ++d)
      state.now[d * values + v] = at(initialState, d, v);
    if (initialMax)
      state.max[v] = at(initialMax, 0, v);
  }
  for (int64_t token = begin; token < end; ++token) {
    update(state, batch, token);
    readState(state, batch, token);
  }
  for (int64_t v = 0; v < values; ++v) {
    for (int64_t d = 0; finalState && d < keys; ++d)
      at(finalState, d, v) = state.now[d * values + v];
    if (finalMax)
      at(finalMax, 0, v) = state.max[v];
  }
}

llvm::Expected<SmallVector<Array>> Recurrence::run(ArrayRef<Array> operands) {
  SmallVector<Array> results;
  if (llvm::Error error = collect(operands, results))
    return std::move(error);
  int64_t tokens = sizes[RecurrenceOp::kToken];
  SmallVector<int64_t> boundaries{0, tokens};
  if (op.getCuSeqlens()) {
    const Array &segments = operands.back();
    boundaries.clear();
    for (int64_t i = 0; i < segments.getNumElements(); ++i)
      boundaries.push_back(segments.get(i));
  }
  int64_t segments = boundaries.size() - 1;
  forBlocks(countIndices(stateAxes, sizes) * segments, 1,
            [&](int64_t begin, int64_t end) {
              for (int64_t i = begin; i < end; ++i)
                runSegment(i / segments, i % segments, boundaries[i % segments],
                           boundaries[i % segments + 1]);
            });
  return results;
}

llvm::Expected<SmallVector<Array>>
evaluateRecurrence(RecurrenceOp op, ArrayRef<Array> operands) {
  // Packed states have one index a segment.
  SmallVector<int64_t> segments;
  SmallVector<NamedShape> more;
  EinsumOperand segmentAxes{{RecurrenceOp::kSegment}};
  if (op.getCuSeqlens()) {
    segments.push_back(
        std::max<int64_t>(operands.back().getNumElements() - 1, 0));
    more.push_back({segmentAxes, segments});
  }
  llvm::Expected<PerAxis> sizes = solveAxes(op, operands, more);
  if (!sizes)
    return sizes.takeError();
  if (op.getCuSeqlens())
    if (auto wrong = verifySegments(op.getContext(), operands.back(),
                                    (*sizes)[RecurrenceOp::kToken]))
      return createError(op, *wrong);
  if (op.getTransition().isLogDecay())
    if (auto wrong = findOutside("decay", operands.front(), -kInfinity, 0))
      return createError(op, *wrong);
  return Recurrence(op, *sizes).run(operands);
}

} // namespace attn
