//===- RecurrenceChunk.cpp - Tokens of a recurrence on tiles --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/lower/RecurrenceChunk.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/lower/TriangularSolve.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kToken = RecurrenceOp::kToken, kKey = RecurrenceOp::kKey,
                      kValue = RecurrenceOp::kValue;

static int64_t rankOf(Value tile) {
  return cast<RankedTensorType>(tile.getType()).getRank();
}

/// The dimensions of a tile of a vector of value channels: rank 0 or [V].
static StringRef valueDims(Value tile) { return rankOf(tile) == 0 ? "" : "i"; }

RecurrenceChunk::RecurrenceChunk(OpBuilder &b, TileEmitter &emitter,
                                 RecurrenceOp op, AxisPlaces places,
                                 int64_t tokens)
    : b(b), emitter(emitter), op(op), places(std::move(places)), tokens(tokens),
      keys(op.getAxisSize(kKey)), values(op.getAxisSize(kValue)),
      loc(op.getLoc()), element(op.getElementType()), isToken(tokens == 1) {}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

FailureOr<Value> RecurrenceChunk::load(Value value, const AxisPlaces &at,
                                       char rowAxis, int64_t rows, char colAxis,
                                       int64_t cols) {
  AxisPlaces sized = at;
  sized.ranges[rowAxis].size = rows;
  sized.ranges[colAxis].size = cols;
  FailureOr<TileOps::Named> tile = emitNamedTile(
      b, emitter, {op.getAxes(value), value}, sized, rowAxis, colAxis);
  if (failed(tile))
    return failure();
  TileOps ops(b, loc);
  Value converted = ops.convert(tile->tile, element);
  if (tile->dims == "ij")
    return converted;
  return ops.broadcast({rows, cols}, element, {{converted, tile->dims}},
                       [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

FailureOr<Value> RecurrenceChunk::load(Value value, const AxisPlaces &at,
                                       char axis, int64_t size) {
  AxisPlaces sized = at;
  sized.ranges[axis].size = size;
  FailureOr<TileOps::Named> tile = emitNamedTile(
      b, emitter, {op.getAxes(value), value}, sized, axis, /*colAxis=*/0);
  if (failed(tile))
    return failure();
  TileOps ops(b, loc);
  Value converted = ops.convert(tile->tile, element);
  if (tile->dims == "i")
    return converted;
  return ops.broadcast({size}, element, {{converted, ""}},
                       [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// The token's or the chunk's keys and values, and the gate.
LogicalResult RecurrenceChunk::loadWrites() {
  for (auto [k, v] : llvm::zip_equal(op.getKeys(), op.getValues())) {
    FailureOr<Value> key = isToken ? load(k, places, kKey, keys)
                                   : load(k, places, kToken, tokens, kKey, keys);
    FailureOr<Value> value =
        isToken ? load(v, places, kValue, values)
                : load(v, places, kToken, tokens, kValue, values);
    if (failed(key) || failed(value))
      return failure();
    writes.push_back({*key, *value});
  }
  if (Value logGate = op.getLogGate()) {
    FailureOr<Value> tile = failure();
    if (!isToken)
      tile = load(logGate, places, kToken, tokens);
    else if (op.hasAxis(logGate, kValue))
      tile = load(logGate, places, kValue, values);
    else
      tile = load(logGate, places, kToken, 1);
    if (failed(tile))
      return failure();
    gate = *tile;
    if (isToken && !op.hasAxis(logGate, kValue))
      gate = tensor::CollapseShapeOp::create(b, loc, gate,
                                             ArrayRef<ReassociationIndices>{});
  }
  FailureOr<Value> operand = loadTransition();
  if (failed(operand))
    return failure();
  transition = *operand;
  return success();
}

/// A token's part of the transition's operand, or a chunk's.
FailureOr<Value> RecurrenceChunk::loadTransition() {
  Value operand = op.getTransitionOperand();
  if (!operand)
    return Value();
  StringRef axes = *op.getTransition().getTileAxes();
  if (!isToken) {
    if (axes.empty())
      return load(operand, places, kToken, tokens);
    return load(operand, places, kToken, tokens, kKey, keys);
  }
  if (axes == "dv")
    return load(operand, places, kKey, keys, kValue, values);
  if (axes == "ed")
    return load(operand, places, 'e', keys, kKey, keys);
  if (axes == "d")
    return load(operand, places, kKey, keys);
  FailureOr<Value> one = load(operand, places, kToken, 1);
  if (failed(one))
    return failure();
  return Value(tensor::CollapseShapeOp::create(
      b, loc, *one, ArrayRef<ReassociationIndices>{}));
}

//===----------------------------------------------------------------------===//
// Chunks
//===----------------------------------------------------------------------===//

void RecurrenceChunk::startTerms(ChunkTerms &terms,
                                 const RecurrenceState &entry) {
  terms.tokens = tokens;
  terms.keys = keys;
  terms.logGate = gate;
  terms.max = entry.max;
}

/// q . (w k), the weight of a token's own pair, one a token.
FailureOr<Value> RecurrenceChunk::loadBonus(const AxisPlaces &query, Value row,
                                            Value key) {
  TileOps ops(b, loc);
  FailureOr<Value> bonus =
      load(op.getBonus(), query, kToken, tokens, kKey, keys);
  if (failed(bonus))
    return failure();
  return ops.rowDot(ops.multiply(row, *bonus, "ij"), key);
}

/// Adds the products of a query with all keys; returns the query's rows.
FailureOr<Value> RecurrenceChunk::addQuery(ChunkTerms &terms,
                                           const AxisPlaces &query,
                                           ArrayRef<Value> cols) {
  FailureOr<Value> rows =
      load(op.getQuery(), query, kToken, tokens, kKey, keys);
  if (failed(rows))
    return failure();
  terms.heads.push_back({*rows, op.getRead(), nullptr});
  for (Value key : cols) {
    Value diagonal;
    if (op.getBonus()) {
      FailureOr<Value> own = loadBonus(query, *rows, key);
      if (failed(own))
        return failure();
      diagonal = *own;
    }
    terms.pairs.push_back({*rows, key, op.getRead(), diagonal, nullptr});
  }
  return rows;
}

/// O = Q' S + sum_i P_i V_i; a chunk is summed by itself.
Value RecurrenceChunk::sumRead(Value head, Value state,
                               ArrayRef<ChunkTerms::Pair> pairs) {
  TileOps ops(b, loc);
  Value own = ops.fill({tokens, values}, element, 0);
  for (auto [pair, write] : llvm::zip(pairs, writes))
    own = ops.matmul(own, pair.scores, false, write.second, false);
  Value carried = ops.matmul(ops.fill({tokens, values}, element, 0), head,
                             false, state, false);
  return ops.add(carried, own);
}

FailureOr<RecurrenceRead>
RecurrenceChunk::readChunk(const RecurrenceState &entry,
                           const AxisPlaces &query) {
  ChunkTerms terms;
  startTerms(terms, entry);
  if (failed(addQuery(terms, query, llvm::to_vector(llvm::make_first_range(writes)))))
    return failure();
  op.getTransition().emitChunk(b, loc, transition, terms);
  return RecurrenceRead{
      sumRead(terms.heads[0].scaled, entry.state, terms.pairs), terms.rowMax};
}

/// All of a chunk, with one computation of what its tokens' transitions make of
/// each other. The solved pairs (b, u) are, with P, b and R of the erasure,
///   (I + L_Pb) U = R - sum_i N_Pk V - P' S,
/// L and N below the diagonal, P' the rows of P that meet the entry state.
FailureOr<RecurrenceState>
RecurrenceChunk::updateChunk(const RecurrenceState &entry,
                             const AxisPlaces *query, RecurrenceRead *read) {
  SmallVector<Value> cols(llvm::make_first_range(writes));
  ChunkTerms terms;
  startTerms(terms, entry);
  Value input;
  unsigned erasePairs = 0;
  if (op.erases()) {
    FailureOr<Value> rows =
        load(op.getEraseQuery(), places, kToken, tokens, kKey, keys);
    FailureOr<Value> key =
        load(op.getEraseKey(), places, kToken, tokens, kKey, keys);
    FailureOr<Value> given =
        load(op.getEraseInput(), places, kToken, tokens, kValue, values);
    if (failed(rows) || failed(key) || failed(given))
      return failure();
    input = *given;
    cols.push_back(*key);
    for (Value col : cols)
      terms.pairs.push_back({*rows, col, *op.getEraseRead(), nullptr, nullptr});
    terms.heads.push_back({*rows, *op.getEraseRead(), nullptr});
    erasePairs = terms.pairs.size();
  }
  if (query && failed(addQuery(terms, *query, cols)))
    return failure();
  for (Value col : cols)
    terms.tails.push_back({col, nullptr});
  terms.state = entry.state;
  op.getTransition().emitChunk(b, loc, transition, terms);

  TileOps ops(b, loc);
  if (op.erases()) {
    ArrayRef<ChunkTerms::Pair> pairs =
        ArrayRef(terms.pairs).take_front(erasePairs - 1);
    Value sum = sumRead(terms.heads[0].scaled, entry.state, pairs);
    Value rest = ops.broadcast(
        {tokens, values}, element, {{input, "ij"}, {sum, "ij"}},
        [](OpBuilder &n, Location l, ValueRange v) -> Value {
          return arith::SubFOp::create(n, l, v[0], v[1]);
        });
    Value lower = terms.pairs[erasePairs - 1].scores;
    writes.push_back({cols.back(), emitUnitLowerSolve(b, loc, lower, rest)});
  }
  if (query)
    *read = {sumRead(terms.heads.back().scaled, entry.state,
                     ArrayRef(terms.pairs).drop_front(erasePairs)),
             terms.rowMax};
  // S' = D S + sum_i K_i'^T V_i
  Value sum = ops.fill({keys, values}, element, 0);
  for (auto [tail, write] : llvm::zip_equal(terms.tails, writes))
    sum = ops.matmul(sum, tail.scaled, true, write.second, false);
  return RecurrenceState{
      ops.broadcast({keys, values}, element,
                    {{terms.state, "ij"}, {sum, "ij"}},
                    [](OpBuilder &n, Location l, ValueRange v) -> Value {
                      return arith::AddFOp::create(n, l, v[0], v[1]);
                    }),
      terms.max};
}

//===----------------------------------------------------------------------===//
// Single tokens
//===----------------------------------------------------------------------===//

/// S^T q
Value RecurrenceChunk::readState(Value state, Value row) {
  TileOps ops(b, loc);
  Value zero = ops.fill({1, values}, element, 0);
  return ops.flatten(ops.matmul(zero, ops.asRow(row), false, state, false));
}

static Value maximum(TileOps &ops, Value x, Value y, Type element,
                     int64_t values) {
  bool isVector = rankOf(x) > 0 || rankOf(y) > 0;
  SmallVector<int64_t> shape;
  if (isVector)
    shape.push_back(values);
  return ops.broadcast(shape, element, {{x, valueDims(x)}, {y, valueDims(y)}},
                       [](OpBuilder &n, Location l, ValueRange v) -> Value {
                         return arith::MaximumFOp::create(n, l, v[0], v[1]);
                       });
}

/// x - y, with a y of -inf taken as 0.
static Value minus(TileOps &ops, Value x, Value y, Type element,
                   int64_t values) {
  bool isVector = rankOf(x) > 0 || rankOf(y) > 0;
  SmallVector<int64_t> shape;
  if (isVector)
    shape.push_back(values);
  return ops.broadcast(shape, element, {{x, valueDims(x)}, {y, valueDims(y)}},
                       [](OpBuilder &n, Location l, ValueRange v) -> Value {
                         return arith::SubFOp::create(
                             n, l, v[0], TileOps::finiteShift(n, l, v[1]));
                       });
}

static Value plus(TileOps &ops, Value x, StringRef dims, Value y,
                  StringRef yDims) {
  auto type = cast<RankedTensorType>(x.getType());
  return ops.broadcast(type.getShape(), type.getElementType(),
                       {{x, dims}, {y, yDims}},
                       [](OpBuilder &n, Location l, ValueRange v) -> Value {
                         return arith::AddFOp::create(n, l, v[0], v[1]);
                       });
}

/// The transition, the erasure and the writes of one token.
LogicalResult RecurrenceChunk::stepToken(const RecurrenceState &entry) {
  TileOps ops(b, loc);
  TransitionAttrInterface kind = op.getTransition();
  Value operand = transition, state = entry.state;
  // 1. m' = max(m + bound, i). The transition's logarithm takes m - m': the sum
  //    is at most 0 where each by itself may be anything.
  if (gate) {
    Value bound = operand ? kind.emitLogBound(b, loc, operand) : Value();
    Value aged = entry.max;
    if (bound) {
      bool isVector = rankOf(aged) > 0;
      aged = isVector || rankOf(bound) == 0
                 ? plus(ops, aged, valueDims(aged), bound, valueDims(bound))
                 : plus(ops, bound, "i", aged, "");
    }
    next.max = maximum(ops, aged, gate, element, values);
    Value shift = minus(ops, entry.max, next.max, element, values);
    if (operand && kind.isLogDecay()) {
      StringRef dims = StringRef("ij").take_front(rankOf(operand));
      operand = plus(ops, operand, dims, shift, rankOf(shift) == 0 ? "" : "j");
    } else {
      state = ops.multiply(state, ops.exp(shift),
                           rankOf(shift) == 0 ? "" : "j");
    }
  }
  decayed = kind.emitStep(b, loc, operand, state);
  // 2. u = r - p^T S
  if (op.erases()) {
    FailureOr<Value> row = load(op.getEraseQuery(), places, kKey, keys);
    FailureOr<Value> key = load(op.getEraseKey(), places, kKey, keys);
    FailureOr<Value> input = load(op.getEraseInput(), places, kValue, values);
    if (failed(row) || failed(key) || failed(input))
      return failure();
    bool previous = *op.getEraseRead() == StateRead::Previous;
    Value read = readState(previous ? entry.state : decayed, *row);
    Value rest = ops.broadcast(
        {values}, element, {{*input, "i"}, {read, "i"}},
        [](OpBuilder &n, Location l, ValueRange v) -> Value {
          return arith::SubFOp::create(n, l, v[0], v[1]);
        });
    writes.push_back({*key, rest});
  }
  // 3. S' = S~ + sum_i k_i v_i^T, all in one pass over the state.
  SmallVector<TileOps::Named> tiles{{decayed, "ij"}};
  for (auto [key, value] : writes) {
    Value weighted = value;
    if (gate) {
      Value weight = ops.exp(minus(ops, gate, next.max, element, values));
      weighted = ops.multiply(value, weight, valueDims(weight));
    }
    tiles.push_back({key, "i"});
    tiles.push_back({weighted, "j"});
  }
  next.state = ops.broadcast(
      {keys, values}, element, tiles,
      [](OpBuilder &n, Location l, ValueRange v) -> Value {
        Value sum = v[0];
        for (size_t i = 1; i < v.size(); i += 2)
          sum = arith::AddFOp::create(
              n, l, sum, arith::MulFOp::create(n, l, v[i], v[i + 1]));
        return sum;
      });
  return success();
}

FailureOr<RecurrenceRead>
RecurrenceChunk::readToken(const RecurrenceState &entry,
                           const AxisPlaces &query) {
  TileOps ops(b, loc);
  FailureOr<Value> row = load(op.getQuery(), query, kKey, keys);
  if (failed(row))
    return failure();
  auto finish = [&](Value output, Value max) -> RecurrenceRead {
    RecurrenceRead read{ops.asRow(output), nullptr};
    if (!max)
      return read;
    read.logScale =
        rankOf(max) > 0
            ? ops.asRow(max)
            : Value(tensor::ExpandShapeOp::create(
                  b, loc, RankedTensorType::get({1}, element), max,
                  ArrayRef<ReassociationIndices>{}));
    return read;
  };
  if (op.getRead() == StateRead::Current)
    return finish(readState(next.state, *row), next.max);
  if (op.getRead() == StateRead::Decayed)
    return finish(readState(decayed, *row), next.max);
  // The state before the token, and its own pairs if there is a bonus.
  Value output = readState(entry.state, *row);
  if (!op.getBonus())
    return finish(output, entry.max);
  Value max;
  if (gate) {
    max = maximum(ops, entry.max, gate, element, values);
    Value factor = ops.exp(minus(ops, entry.max, max, element, values));
    output = ops.multiply(output, factor, valueDims(factor));
  }
  for (auto [key, value] : writes) {
    // sum_d q_d w_d k_d, one for each value channel where w has one.
    bool perValue = op.hasAxis(op.getBonus(), kValue);
    Value weight;
    Value product = ops.multiply(*row, key, "i");
    if (perValue) {
      FailureOr<Value> bonus =
          load(op.getBonus(), query, kKey, keys, kValue, values);
      if (failed(bonus))
        return failure();
      weight = readState(*bonus, product);
    } else {
      FailureOr<Value> bonus = load(op.getBonus(), query, kKey, keys);
      if (failed(bonus))
        return failure();
      weight = ops.rowDot(ops.asRow(product), ops.asRow(*bonus));
      weight = tensor::CollapseShapeOp::create(
          b, loc, weight, ArrayRef<ReassociationIndices>{});
    }
    Value own = ops.multiply(value, weight, valueDims(weight));
    if (gate) {
      Value factor = ops.exp(minus(ops, gate, max, element, values));
      own = ops.multiply(own, factor, valueDims(factor));
    }
    output = ops.add(output, own, "i");
  }
  return finish(output, max);
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

FailureOr<RecurrenceState>
RecurrenceChunk::emitUpdate(const RecurrenceState &entry,
                            const AxisPlaces *query, RecurrenceRead *read) {
  if (failed(loadWrites()))
    return failure();
  if (!isToken)
    return updateChunk(entry, query, read);
  if (failed(stepToken(entry)))
    return failure();
  if (query) {
    FailureOr<RecurrenceRead> done = readToken(entry, *query);
    if (failed(done))
      return failure();
    *read = *done;
  }
  return next;
}

FailureOr<RecurrenceRead>
RecurrenceChunk::emitRead(OpBuilder &n, const RecurrenceState &entry,
                          const AxisPlaces &query) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(n.getInsertionBlock(), n.getInsertionPoint());
  return isToken ? readToken(entry, query) : readChunk(entry, query);
}
