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
                                 int64_t tokens, int64_t values)
    : b(b), emitter(emitter), op(op), places(std::move(places)), tokens(tokens),
      keys(op.getAxisSize(kKey)), values(values), loc(op.getLoc()),
      element(op.getElementType()), isToken(tokens == 1) {}

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
  return ops.broadcast(
      {rows, cols}, element, {{converted, tile->dims}},
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
  return ops.broadcast(
      {size}, element, {{converted, ""}},
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
}

/// The token's or the chunk's keys and values, and the gate.
LogicalResult RecurrenceChunk::loadWrites() {
  for (auto [k, v] : llvm::zip_equal(op.getKeys(), op.getValues())) {
    FailureOr<Value> key = isToken
                               ? load(k, places, kKey, keys)
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
  for (auto [i, key] : llvm::enumerate(cols)) {
    Value diagonal;
    if (op.getBonus() && i < op.getKeys().size()) {
      FailureOr<Value> own = loadBonus(query, *rows, key);
      if (failed(own))
        return failure();
      diagonal = *own;
    }
    terms.pairs.push_back({*rows, key, op.getRead(), diagonal, nullptr});
  }
  return rows;
}

/// O = sum_i P_i V_i + Q' S
Value RecurrenceChunk::sumRead(Value head, Value state,
                               ArrayRef<ChunkTerms::Pair> pairs) {
  TileOps ops(b, loc);
  Value sum = ops.fill({tokens, values}, element, 0);
  for (auto [pair, write] : llvm::zip(pairs, writes))
    sum = ops.matmul(sum, pair.scores, false, write.second, false);
  return ops.matmul(sum, head, false, state, false);
}

/// All of a chunk, with one computation of what its tokens' transitions make of
/// each other. The solved pairs (b, u) are, with P, b and R of the erasure,
///   (I + L_Pb) U = R - sum_i N_Pk V - P' S,
/// L and N below the diagonal, P' the rows of P that meet the entry state.
LogicalResult RecurrenceChunk::prepareChunk(const RecurrenceState &entry,
                                            const AxisPlaces *query) {
  SmallVector<Value> cols(llvm::make_first_range(writes));
  startTerms(terms, entry);
  Value input;
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
  hasQuery = query != nullptr;
  if (query && failed(addQuery(terms, *query, cols)))
    return failure();
  for (Value col : cols)
    terms.tails.push_back({col, nullptr});
  op.getTransition().emitChunk(b, loc, transition, terms);
  if (!op.erases())
    return success();
  TileOps ops(b, loc);
  Value sum = sumRead(terms.heads[0].scaled, entry.state,
                      ArrayRef(terms.pairs).take_front(erasePairs - 1));
  Value rest =
      ops.broadcast({tokens, values}, element, {{input, "ij"}, {sum, "ij"}},
                    [](OpBuilder &n, Location l, ValueRange v) -> Value {
                      return arith::SubFOp::create(n, l, v[0], v[1]);
                    });
  Value lower = terms.pairs[erasePairs - 1].scores;
  writes.push_back({cols.back(), emitUnitLowerSolve(b, loc, lower, rest)});
  return success();
}

FailureOr<RecurrenceRead>
RecurrenceChunk::readChunk(const RecurrenceState &entry,
                           const AxisPlaces &query) {
  if (hasQuery)
    return RecurrenceRead{sumRead(terms.heads.back().scaled, entry.state,
                                  ArrayRef(terms.pairs).drop_front(erasePairs)),
                          terms.rowMax};
  ChunkTerms own;
  startTerms(own, entry);
  SmallVector<Value> cols(llvm::make_first_range(writes));
  if (failed(addQuery(own, query, cols)))
    return failure();
  op.getTransition().emitChunk(b, loc, transition, own);
  return RecurrenceRead{sumRead(own.heads[0].scaled, entry.state, own.pairs),
                        own.rowMax};
}

/// S' = D S + sum_i K_i'^T V_i
RecurrenceState RecurrenceChunk::updateChunk(const RecurrenceState &entry) {
  TileOps ops(b, loc);
  Value state = entry.state;
  if (terms.stateFactor)
    state = ops.broadcastInto(
        state, {{terms.stateFactor, rankOf(terms.stateFactor) ? "i" : ""}},
        [](OpBuilder &n, Location l, ValueRange v) -> Value {
          return arith::MulFOp::create(n, l, v[0], v[1]);
        });
  for (auto [tail, write] : llvm::zip_equal(terms.tails, writes))
    state = ops.matmul(state, tail.scaled, true, write.second, false);
  return {state, terms.max};
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

/// body(x, y), each one number or one a value channel.
static Value combine(TileOps &ops, Value x, Value y, Type element,
                     int64_t values, TileOps::Body body) {
  SmallVector<int64_t> shape;
  if (rankOf(x) > 0 || rankOf(y) > 0)
    shape.push_back(values);
  return ops.broadcast(shape, element, {{x, valueDims(x)}, {y, valueDims(y)}},
                       body);
}

static Value maximum(TileOps &ops, Value x, Value y, Type element,
                     int64_t values) {
  return combine(ops, x, y, element, values,
                 [](OpBuilder &n, Location l, ValueRange v) -> Value {
                   return arith::MaximumFOp::create(n, l, v[0], v[1]);
                 });
}

/// x - y, with a y of -inf taken as 0.
static Value minus(TileOps &ops, Value x, Value y, Type element,
                   int64_t values) {
  return combine(ops, x, y, element, values,
                 [](OpBuilder &n, Location l, ValueRange v) -> Value {
                   return arith::SubFOp::create(
                       n, l, v[0], TileOps::finiteShift(n, l, v[1]));
                 });
}

/// e^(x - max) and e^(y - max), with max that of x and y. One of them is 1, and
/// both are 0 where x and y are -inf: one exponential serves both,
///   e = e^min(x - max, y - max),   x > y ? 1 : e   and   y > x ? 1 : e.
static std::pair<Value, Value> shareOfMax(TileOps &ops, Value x, Value y,
                                          Value max, Type element,
                                          int64_t values) {
  Value dx = minus(ops, x, max, element, values),
        dy = minus(ops, y, max, element, values);
  auto share = [&](Value first, Value second) {
    return combine(ops, first, second, element, values,
                   [](OpBuilder &n, Location l, ValueRange v) -> Value {
                     // Of both orders the same operations but for the last.
                     Value lo = arith::MinimumFOp::create(n, l, v[0], v[1]);
                     Value one = arith::ConstantOp::create(
                         n, l, n.getFloatAttr(lo.getType(), 1));
                     Value isMax = arith::CmpFOp::create(
                         n, l, arith::CmpFPredicate::OGT, v[0], v[1]);
                     return arith::SelectOp::create(
                         n, l, isMax, one, math::ExpOp::create(n, l, lo));
                   });
  };
  return {share(dx, dy), share(dy, dx)};
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

/// The transition and the erasure of one token.
LogicalResult RecurrenceChunk::prepareToken(const RecurrenceState &entry) {
  TileOps ops(b, loc);
  TransitionAttrInterface kind = op.getTransition();
  Value operand = transition;
  // 1. m' = max(m + bound, i). The transition's logarithm takes m - m': the sum
  //    is at most 0 where each by itself may be anything.
  if (gate) {
    Value bound = operand ? kind.emitLogBound(b, loc, operand) : Value();
    Value aged = entry.max;
    if (bound && rankOf(bound) > rankOf(aged))
      bound =
          tensor::CollapseShapeOp::create(b, loc, ops.rowMax(ops.asRow(bound)),
                                          ArrayRef<ReassociationIndices>{});
    if (bound)
      aged = plus(ops, aged, valueDims(aged), bound, valueDims(bound));
    nextMax = maximum(ops, aged, gate, element, values);
    // The factor of all rows is the bound's where they have one decay.
    if (!operand || (kind.isLogDecay() &&
                     (rankOf(operand) == rankOf(bound) || keys == 1))) {
      auto [past, now] = shareOfMax(ops, aged, gate, nextMax, element, values);
      factor = TileOps::Named{past, rankOf(past) == 0 ? "" : "j"};
      weight = now;
      operand = Value();
    }
  }
  if (gate && !factor) {
    Value shift = minus(ops, entry.max, nextMax, element, values);
    StringRef along = rankOf(shift) == 0 ? "" : "j";
    if (operand && kind.isLogDecay())
      operand = plus(ops, operand, StringRef("ij").take_front(rankOf(operand)),
                     shift, along);
    else
      factor = TileOps::Named{ops.exp(shift), along};
  }
  if (operand && kind.isLogDecay()) {
    factor = TileOps::Named{ops.exp(operand),
                            StringRef("ij").take_front(rankOf(operand))};
  } else if (operand) {
    decayed = kind.emitStep(b, loc, operand, entry.state);
    if (factor)
      decayed = ops.multiply(decayed, factor->tile, factor->dims);
    factor = std::nullopt;
  }
  if (!op.erases())
    return success();
  // 2. u = r - p^T S
  FailureOr<Value> row = load(op.getEraseQuery(), places, kKey, keys);
  FailureOr<Value> key = load(op.getEraseKey(), places, kKey, keys);
  FailureOr<Value> input = load(op.getEraseInput(), places, kValue, values);
  if (failed(row) || failed(key) || failed(input))
    return failure();
  Value read = *op.getEraseRead() == StateRead::Previous
                   ? readState(entry.state, *row)
                   : readDecayed(entry.state, *row);
  Value rest =
      ops.broadcast({values}, element, {{*input, "i"}, {read, "i"}},
                    [](OpBuilder &n, Location l, ValueRange v) -> Value {
                      return arith::SubFOp::create(n, l, v[0], v[1]);
                    });
  writes.push_back({*key, rest});
  return success();
}

/// S' = S~ + sum_i k_i v_i^T, in one pass over the state.
RecurrenceState RecurrenceChunk::updateToken(const RecurrenceState &entry) {
  TileOps ops(b, loc);
  SmallVector<TileOps::Named> tiles;
  for (auto [key, value] : writes) {
    Value weighted = value;
    if (gate) {
      if (!weight)
        weight = ops.exp(minus(ops, gate, nextMax, element, values));
      weighted = ops.multiply(value, weight, valueDims(weight));
    }
    tiles.push_back({key, "i"});
    tiles.push_back({weighted, "j"});
  }
  size_t pairs = tiles.size();
  if (factor)
    tiles.push_back(*factor);
  auto body = [&](OpBuilder &n, Location l, ValueRange v) -> Value {
    Value sum = v[0];
    if (factor)
      sum = arith::MulFOp::create(n, l, sum, v[pairs + 1]);
    for (size_t i = 1; i <= pairs; i += 2)
      sum = math::FmaOp::create(n, l, v[i], v[i + 1], sum);
    return sum;
  };
  if (decayed)
    return {ops.broadcastInto(decayed, tiles, body), nextMax};
  return {ops.broadcastInto(entry.state, tiles, body), nextMax};
}

/// S~^T q: the factor of the state's rows may go to the row that reads.
Value RecurrenceChunk::readDecayed(Value state, Value row) {
  TileOps ops(b, loc);
  if (decayed)
    return readState(decayed, row);
  if (!factor)
    return readState(state, row);
  if (factor->dims == "" || factor->dims == "i")
    return readState(state, ops.multiply(row, factor->tile, factor->dims));
  return readState(ops.multiply(state, factor->tile, factor->dims), row);
}

/// output + sum_i (q . (w k_i)) v_i, the pairs of the token itself, which have
/// the weight `scale` beside the state where there is one.
FailureOr<Value> RecurrenceChunk::addOwnPair(Value output, Value row,
                                             Value scale,
                                             const AxisPlaces &query) {
  TileOps ops(b, loc);
  for (auto [key, value] : ArrayRef(writes).take_front(op.getKeys().size())) {
    // One weight, or one for each value channel where w has one.
    Value product = ops.multiply(row, key, "i"), weight;
    if (op.hasAxis(op.getBonus(), kValue)) {
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
    if (scale)
      own = ops.multiply(own, scale, valueDims(scale));
    output = ops.add(output, own, "i");
  }
  return output;
}

/// `entry` is the state after the update where the current one is read.
FailureOr<RecurrenceRead>
RecurrenceChunk::readToken(const RecurrenceState &entry,
                           const AxisPlaces &query) {
  TileOps ops(b, loc);
  FailureOr<Value> row = load(op.getQuery(), query, kKey, keys);
  if (failed(row))
    return failure();
  Value output, max = entry.max;
  if (op.getRead() == StateRead::Decayed) {
    output = readDecayed(entry.state, *row);
    max = nextMax;
  } else {
    output = readState(entry.state, *row);
  }
  if (op.getBonus()) {
    Value own;
    if (gate) {
      max = maximum(ops, entry.max, gate, element, values);
      Value past;
      std::tie(past, own) =
          shareOfMax(ops, entry.max, gate, max, element, values);
      output = ops.multiply(output, past, valueDims(past));
    }
    FailureOr<Value> sum = addOwnPair(output, *row, own, query);
    if (failed(sum))
      return failure();
    output = *sum;
  }
  RecurrenceRead read{ops.asRow(output), nullptr};
  if (!max)
    return read;
  read.logScale = rankOf(max) > 0
                      ? ops.asRow(max)
                      : Value(tensor::ExpandShapeOp::create(
                            b, loc, RankedTensorType::get({1}, element), max,
                            ArrayRef<ReassociationIndices>{}));
  return read;
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

LogicalResult RecurrenceChunk::prepare(const RecurrenceState &entry,
                                       const AxisPlaces *query) {
  if (failed(loadWrites()))
    return failure();
  return isToken ? prepareToken(entry) : prepareChunk(entry, query);
}

FailureOr<RecurrenceRead>
RecurrenceChunk::emitRead(OpBuilder &n, const RecurrenceState &entry,
                          const AxisPlaces &query) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(n.getInsertionBlock(), n.getInsertionPoint());
  return isToken ? readToken(entry, query) : readChunk(entry, query);
}

RecurrenceState RecurrenceChunk::emitUpdate(const RecurrenceState &entry) {
  return isToken ? updateToken(entry) : updateChunk(entry);
}
