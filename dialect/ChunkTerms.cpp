//===- ChunkTerms.cpp - Chunks whose channels share their decays -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr double kLowest = -std::numeric_limits<double>::infinity();

SmallVector<Value> attn::emitTileLoop(
    OpBuilder &b, Location loc, int64_t count, int64_t step, ValueRange carried,
    function_ref<SmallVector<Value>(OpBuilder &, Location, Value, ValueRange)>
        body) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto loop = scf::ForOp::create(
      b, loc, index(0), index(count), index(step), carried,
      [&](OpBuilder &n, Location l, Value iv, ValueRange args) {
        scf::YieldOp::create(n, l, body(n, l, iv, args));
      });
  return SmallVector<Value>(loop.getResults());
}

namespace {
/// Logarithms of the weights of a chunk, each a running sum of decays g:
///   inclusive[i, j] = sum_{r=j+1..i} g_r         exclusive[i, j]: r=j+1..i-1
///   prefix[i]       = sum_{r=0..i} g_r           prefixExclusive[i]: r=0..i-1
///   suffix[j]       = sum_{r=j+1..C-1} g_r       total: all of them
/// No sum is the difference of two others. Null where there are no decays.
struct LogWeights {
  Value inclusive, exclusive;
  Value prefix, prefixExclusive, suffix, total;
};
} // namespace

static LogWeights emitLogWeights(OpBuilder &b, Location loc, Value decays,
                                 int64_t tokens) {
  TileOps ops(b, loc);
  Type element = cast<RankedTensorType>(decays.getType()).getElementType();
  auto empty = [&](ArrayRef<int64_t> shape) -> Value {
    return tensor::EmptyOp::create(b, loc, shape, element);
  };
  SmallVector<Value> carried{empty({tokens, tokens}),
                             empty({tokens, tokens}),
                             ops.fill({1, tokens}, element, 0),
                             empty({tokens}),
                             empty({tokens}),
                             ops.constant(element, 0)};
  // Row i is row i - 1 and g_i in the columns j < i.
  carried = emitTileLoop(
      b, loc, tokens, 1, carried,
      [&](OpBuilder &n, Location l, Value i, ValueRange values) {
        TileOps tile(n, l);
        Value row = values[2], sum = values[5];
        Value g = tensor::ExtractOp::create(n, l, decays, i);
        Value exclusive = tile.setRows(row, values[1], OpFoldResult(i));
        Value next = tile.broadcast(
            {1, tokens}, element, {{row, "ij"}},
            [&](OpBuilder &m, Location k, ValueRange x) -> Value {
              Value j = linalg::IndexOp::create(m, k, 1);
              Value before =
                  arith::CmpIOp::create(m, k, arith::CmpIPredicate::ult, j, i);
              Value added = arith::AddFOp::create(m, k, x[0], g);
              return arith::SelectOp::create(m, k, before, added, x[0]);
            });
        Value inclusive = tile.setRows(next, values[0], OpFoldResult(i));
        Value prefixExclusive =
            tensor::InsertOp::create(n, l, sum, values[4], i);
        sum = arith::AddFOp::create(n, l, sum, g);
        Value prefix = tensor::InsertOp::create(n, l, sum, values[3], i);
        return SmallVector<Value>{inclusive, exclusive,       next,
                                  prefix,    prefixExclusive, sum};
      });
  LogWeights weights;
  weights.inclusive = carried[0];
  weights.exclusive = carried[1];
  weights.suffix = ops.flatten(carried[2]);
  weights.prefix = carried[3];
  weights.prefixExclusive = carried[4];
  weights.total = tensor::FromElementsOp::create(
      b, loc, RankedTensorType::get({}, element), carried[5]);
  return weights;
}

namespace {
/// Writes the terms of a chunk whose channels share their decays.
class ScalarChunk {
public:
  ScalarChunk(OpBuilder &b, Location loc, Value decays, ChunkTerms &terms)
      : b(b), loc(loc), ops(b, loc), terms(terms), tokens(terms.tokens) {
    for (const ChunkTerms::Pair &pair : terms.pairs)
      element = getElementTypeOrSelf(pair.rows.getType());
    for (const ChunkTerms::Tail &tail : terms.tails)
      element = getElementTypeOrSelf(tail.cols.getType());
    for (const ChunkTerms::Head &head : terms.heads)
      element = getElementTypeOrSelf(head.rows.getType());
    if (decays)
      logs = emitLogWeights(b, loc, decays, tokens);
  }

  void emit();

private:
  /// A row's or column's logarithm with everything that is not null added.
  Value sum(ArrayRef<TileOps::Named> parts);
  Value expMinus(Value x, Value shift);
  void emitStabilizers();
  Value emitWeights(StateRead read, bool hasDiagonal);
  void emitPair(ChunkTerms::Pair &pair);

  OpBuilder &b;
  Location loc;
  TileOps ops;
  ChunkTerms &terms;
  int64_t tokens;
  Type element;
  LogWeights logs;
  /// e^(start_i - rowMax_i), [C], and what is subtracted from each row.
  Value headFactor, shift;
};
} // namespace

static Value addf(OpBuilder &n, Location l, Value x, Value y) {
  return arith::AddFOp::create(n, l, x, y);
}

/// exp(x - shift), with a shift of -inf taken as 0.
Value ScalarChunk::expMinus(Value x, Value by) {
  auto type = cast<RankedTensorType>(x.getType());
  StringRef dims = type.getRank() == 0 ? "" : "i";
  StringRef byDims =
      cast<RankedTensorType>(by.getType()).getRank() == 0 ? "" : "i";
  return ops.broadcast(type.getShape(), element, {{x, dims}, {by, byDims}},
                       [](OpBuilder &n, Location l, ValueRange v) {
                         return TileOps::expDifference(
                             n, l, v[0], TileOps::finiteShift(n, l, v[1]));
                       });
}

Value ScalarChunk::sum(ArrayRef<TileOps::Named> parts) {
  SmallVector<TileOps::Named> present;
  for (const TileOps::Named &part : parts)
    if (part.tile)
      present.push_back(part);
  bool isVector = llvm::any_of(
      present, [](const TileOps::Named &part) { return !part.dims.empty(); });
  SmallVector<int64_t> shape;
  if (isVector)
    shape.push_back(tokens);
  return ops.broadcast(shape, element, present,
                       [](OpBuilder &n, Location l, ValueRange v) {
                         Value total = v[0];
                         for (Value next : v.drop_front())
                           total = addf(n, l, total, next);
                         return total;
                       });
}

/// The weights' logarithm at (i, j): the decay, the gate, -inf where the pair
/// is not in the chunk's triangle.
static Value emitLog(OpBuilder &n, Location l, Value log, Value gate,
                     bool hasDiagonal, Type element) {
  TileOps ops(n, l);
  Value i = linalg::IndexOp::create(n, l, 0),
        j = linalg::IndexOp::create(n, l, 1);
  Value below = arith::CmpIOp::create(n, l, arith::CmpIPredicate::ult, j, i);
  Value zero = ops.constant(element, 0), none = ops.constant(element, kLowest);
  Value value = log ? log : zero;
  if (hasDiagonal) {
    Value on = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, j, i);
    value = arith::SelectOp::create(n, l, on, zero, value);
    below = arith::OrIOp::create(n, l, below, on);
  }
  if (gate)
    value = addf(n, l, value, gate);
  return arith::SelectOp::create(n, l, below, value, none);
}

void ScalarChunk::emitStabilizers() {
  // 1. Rows: rowMax_i = max(prefix_i + m, max_j (log[i, j] + gate_j)).
  StateRead read =
      terms.heads.empty() ? StateRead::Current : terms.heads.front().read;
  bool previous = read == StateRead::Previous;
  bool hasDiagonal =
      !previous || llvm::any_of(terms.pairs, [](const ChunkTerms::Pair &pair) {
        return pair.diagonal != nullptr;
      });
  Value log = previous ? logs.exclusive : logs.inclusive;
  SmallVector<TileOps::Named> parts{{terms.logGate, "j"}};
  if (log)
    parts.push_back({log, "ij"});
  Value all = ops.broadcast({tokens, tokens}, element, parts,
                            [&](OpBuilder &n, Location l, ValueRange v) {
                              return emitLog(n, l, log ? v[1] : Value(), v[0],
                                             hasDiagonal, element);
                            });
  // A prefix of rank 1 even where there is no decay.
  Value zeros = ops.fill({tokens}, element, 0);
  Value prefix = previous ? logs.prefixExclusive : logs.prefix;
  Value start = sum({{prefix ? prefix : zeros, "i"}, {terms.max, ""}});
  auto maximum = [](OpBuilder &n, Location l, ValueRange v) -> Value {
    return arith::MaximumFOp::create(n, l, v[0], v[1]);
  };
  terms.rowMax = ops.broadcast({tokens}, element,
                               {{start, "i"}, {ops.rowMax(all), "i"}}, maximum);
  headFactor = expMinus(start, terms.rowMax);
  shift = terms.rowMax;
}

Value ScalarChunk::emitWeights(StateRead read, bool hasDiagonal) {
  Value log = read == StateRead::Previous ? logs.exclusive : logs.inclusive;
  SmallVector<TileOps::Named> parts;
  if (log)
    parts.push_back({log, "ij"});
  if (terms.logGate) {
    parts.push_back({terms.logGate, "j"});
    parts.push_back({shift, "i"});
  }
  return ops.broadcast({tokens, tokens}, element, parts,
                       [&](OpBuilder &n, Location l, ValueRange v) -> Value {
                         unsigned next = 0;
                         Value own = log ? v[next++] : Value();
                         Value gate = terms.logGate ? v[next++] : Value();
                         Value x =
                             emitLog(n, l, own, gate, hasDiagonal, element);
                         if (gate)
                           return TileOps::expDifference(
                               n, l, x, TileOps::finiteShift(n, l, v[next]));
                         return math::ExpOp::create(n, l, x);
                       });
}

void ScalarChunk::emitPair(ChunkTerms::Pair &pair) {
  bool current = pair.read == StateRead::Current;
  Value products =
      ops.matmul(ops.fill({tokens, tokens}, element, 0), pair.rows,
                 /*lhsTransposed=*/false, pair.cols, /*rhsTransposed=*/true);
  if (!logs.inclusive && !terms.logGate) {
    // Weights of one and zero.
    pair.scores = ops.map(
        products, element,
        [&](OpBuilder &n, Location l, ValueRange v) -> Value {
          Value i = linalg::IndexOp::create(n, l, 0),
                j = linalg::IndexOp::create(n, l, 1);
          Value in = arith::CmpIOp::create(n, l,
                                           current ? arith::CmpIPredicate::ule
                                                   : arith::CmpIPredicate::ult,
                                           j, i);
          return arith::SelectOp::create(n, l, in, v[0],
                                         TileOps(n, l).constant(element, 0));
        });
  } else {
    pair.scores = ops.multiply(products, emitWeights(pair.read, current), "ij");
  }
  if (!pair.diagonal)
    return;
  Value diagonal = pair.diagonal;
  if (terms.logGate)
    diagonal = ops.multiply(diagonal, expMinus(terms.logGate, shift), "i");
  pair.scores = ops.broadcastInto(
      pair.scores, {{diagonal, "i"}},
      [](OpBuilder &n, Location l, ValueRange v) -> Value {
        Value i = linalg::IndexOp::create(n, l, 0),
              j = linalg::IndexOp::create(n, l, 1);
        Value on = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, j, i);
        return arith::SelectOp::create(n, l, on, v[1], v[0]);
      });
}

void ScalarChunk::emit() {
  if (terms.logGate)
    emitStabilizers();
  for (ChunkTerms::Pair &pair : terms.pairs)
    emitPair(pair);
  for (ChunkTerms::Head &head : terms.heads) {
    Value factor = headFactor;
    if (!factor && logs.prefix)
      factor = ops.exp(head.read == StateRead::Previous ? logs.prefixExclusive
                                                        : logs.prefix);
    head.scaled = factor ? ops.multiply(head.rows, factor, "i") : head.rows;
  }
  if (terms.tails.empty())
    return;
  // m' = max(m + sum g, max_j (suffix_j + gate_j))
  Value tailFactor;
  if (terms.logGate) {
    Value ends = sum({{terms.logGate, "i"}, {logs.suffix, "i"}});
    Value kept = sum({{terms.max, ""}, {logs.total, ""}});
    Value row = ops.asRow(ends);
    Value most = ops.rowMax(row);
    Value scalar = tensor::CollapseShapeOp::create(
        b, loc, most, ArrayRef<ReassociationIndices>{});
    Value next =
        ops.broadcast({}, element, {{kept, ""}, {scalar, ""}},
                      [](OpBuilder &n, Location l, ValueRange v) -> Value {
                        return arith::MaximumFOp::create(n, l, v[0], v[1]);
                      });
    tailFactor = expMinus(ends, next);
    terms.stateFactor = expMinus(kept, next);
    terms.max = next;
  } else if (logs.suffix) {
    tailFactor = ops.exp(logs.suffix);
    terms.stateFactor = ops.exp(logs.total);
  }
  for (ChunkTerms::Tail &tail : terms.tails)
    tail.scaled =
        tailFactor ? ops.multiply(tail.cols, tailFactor, "i") : tail.cols;
}

void attn::emitScalarChunk(OpBuilder &b, Location loc, Value decays,
                           ChunkTerms &terms) {
  ScalarChunk(b, loc, decays, terms).emit();
}
