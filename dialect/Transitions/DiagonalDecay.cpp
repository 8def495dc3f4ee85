//===- DiagonalDecay.cpp - T(S) = diag(e^g) S -*- C++ -*-===//
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
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

std::optional<StringRef> DiagonalDecayAttr::getTileAxes() const { return "d"; }

bool DiagonalDecayAttr::isLogDecay() const { return true; }

double DiagonalDecayAttr::getStepFlops(int64_t keys, int64_t values) const {
  return static_cast<double>(keys) * values + 20.0 * keys;
}

void DiagonalDecayAttr::evaluateStep(ArrayRef<double> operand, int64_t keys,
                                     int64_t values,
                                     MutableArrayRef<double> state) const {
  for (int64_t d = 0; d < keys; ++d)
    for (int64_t v = 0; v < values; ++v)
      state[d * values + v] *= std::exp(operand[d]);
}

Value DiagonalDecayAttr::emitStep(OpBuilder &builder, Location loc,
                                  Value operand, Value state) const {
  TileOps ops(builder, loc);
  return ops.multiply(state, ops.exp(operand), "i");
}

Value DiagonalDecayAttr::emitLogBound(OpBuilder &builder, Location loc,
                                      Value operand) const {
  TileOps ops(builder, loc);
  return tensor::CollapseShapeOp::create(builder, loc,
                                         ops.rowMax(ops.asRow(operand)),
                                         ArrayRef<ReassociationIndices>{});
}

bool DiagonalDecayAttr::hasChunkForm(bool stabilized) const {
  return !stabilized;
}

/// Below this size a triangle is computed row by row.
static constexpr int64_t kLeaf = 8;

double DiagonalDecayAttr::getChunkFlops(int64_t tokens, int64_t keys) const {
  // An exponential each, running products from both ends, and in the leaves one
  // for each pair of tokens and channel: measured, the same for all chunks.
  return 17.5 * tokens * keys;
}

namespace {
/// The triangle of a chunk, halved until leaves are left. The block of rows
/// [a, a + n) and columns [a - m, a) has the boundary a as its anchor:
///
///   D(i, j) = (prod_{r=a..i} f_r) (prod_{r=j+1..a-1} f_r),   f = e^g
///
/// The blocks tile the triangle, all factors are at most 1, and so nothing
/// overflows, however harsh the gates. All products grow from the leaves up by
/// that of a neighbour: none is a quotient, and each decay is exponentiated
/// once.
class Triangle {
public:
  Triangle(OpBuilder &b, Location loc, Value decays, ChunkTerms &terms)
      : b(b), loc(loc), factors(TileOps(b, loc).exp(decays)), terms(terms) {
    auto type = cast<RankedTensorType>(decays.getType());
    tokens = type.getDimSize(0);
    keys = type.getDimSize(1);
    element = type.getElementType();
    auto readsPrevious = [](const auto &term) {
      return term.read == StateRead::Previous;
    };
    hasExclusive = llvm::any_of(terms.pairs, readsPrevious) ||
                   llvm::any_of(terms.heads, readsPrevious);
    for (auto [p, pair] : llvm::enumerate(terms.pairs))
      columns[pair.cols].push_back(p);
  }

  void emit();

private:
  /// What the loops carry: products from the start of a row's block to the row,
  /// with and without it, from a column to the end of its block, and scores.
  enum { Inclusive, Exclusive, Suffix, Scores };

  void emitPart(int64_t begin, int64_t size);
  void emitLeaf(OpBuilder &n, Location l, OpFoldResult begin, int64_t size,
                SmallVectorImpl<Value> &now);
  void merge(OpBuilder &n, Location l, OpFoldResult colBegin, int64_t cols,
             OpFoldResult rowBegin, int64_t rows, SmallVectorImpl<Value> &now);
  static OpFoldResult offset(OpBuilder &n, Location l, OpFoldResult base,
                             int64_t by);

  OpBuilder &b;
  Location loc;
  Value factors;
  ChunkTerms &terms;
  int64_t tokens, keys;
  /// Whether any row reads without its own decay.
  bool hasExclusive;
  /// The pairs that have columns in common.
  llvm::MapVector<Value, SmallVector<unsigned>> columns;
  Type element;
  SmallVector<Value> carried;
};
} // namespace

OpFoldResult Triangle::offset(OpBuilder &n, Location l, OpFoldResult base,
                              int64_t by) {
  if (std::optional<int64_t> constant = getConstantIntValue(base))
    return n.getIndexAttr(*constant + by);
  Value step = arith::ConstantIndexOp::create(n, l, by);
  return arith::AddIOp::create(n, l, cast<Value>(base), step).getResult();
}

void Triangle::emitLeaf(OpBuilder &n, Location l, OpFoldResult begin,
                        int64_t size, SmallVectorImpl<Value> &now) {
  TileOps ops(n, l);
  Value own = ops.getRows(factors, begin, size);
  auto empty = [&]() -> Value {
    return tensor::EmptyOp::create(n, l, ArrayRef{size, keys}, element);
  };
  // 1. Running products from both ends.
  SmallVector<Value> products = emitTileLoop(
      n, l, size, 1,
      {empty(), empty(), empty(), ops.fill({1, keys}, element, 1),
       ops.fill({1, keys}, element, 1)},
      [&](OpBuilder &m, Location k, Value i, ValueRange values) {
        TileOps tile(m, k);
        Value last = arith::ConstantIndexOp::create(m, k, size - 1);
        Value back = arith::SubIOp::create(m, k, last, i);
        Value exclusive = values[1];
        if (hasExclusive)
          exclusive = tile.setRows(values[3], exclusive, OpFoldResult(i));
        Value front = tile.multiply(
            values[3], tile.getRows(own, OpFoldResult(i), 1), "ij");
        Value inclusive = tile.setRows(front, values[0], OpFoldResult(i));
        Value suffix = tile.setRows(values[4], values[2], OpFoldResult(back));
        Value rear = tile.multiply(
            values[4], tile.getRows(own, OpFoldResult(back), 1), "ij");
        return SmallVector<Value>{inclusive, exclusive, suffix, front, rear};
      });
  for (int which : {Inclusive, Exclusive, Suffix})
    if (which != Exclusive || hasExclusive)
      now[which] = ops.setRows(products[which], now[which], begin);
  if (size == 1)
    return;

  // 2. Scores, row by row: column j of `aged` is what is left of it at row i.
  for (auto &[colTile, pairs] : columns) {
    SmallVector<Value> init{ops.getRows(colTile, begin, size)}, rows;
    for (unsigned p : pairs) {
      init.push_back(ops.fill({size, size}, element, 0));
      rows.push_back(ops.getRows(terms.pairs[p].rows, begin, size));
    }
    auto body = [&](OpBuilder &m, Location k, Value i, ValueRange values) {
      TileOps tile(m, k);
      auto isBefore = [&](OpBuilder &o, Location q) -> Value {
        Value j = linalg::IndexOp::create(o, q, 0);
        return arith::CmpIOp::create(o, q, arith::CmpIPredicate::ult, j, i);
      };
      Value factor = tile.flatten(tile.getRows(own, OpFoldResult(i), 1));
      Value aged = tile.broadcast(
          {size, keys}, element, {{values[0], "ij"}, {factor, "j"}},
          [&](OpBuilder &o, Location q, ValueRange v) -> Value {
            Value less = arith::MulFOp::create(o, q, v[0], v[1]);
            return arith::SelectOp::create(o, q, isBefore(o, q), less, v[0]);
          });
      SmallVector<Value> next{aged};
      for (auto [t, p] : llvm::enumerate(pairs)) {
        bool previous = terms.pairs[p].read == StateRead::Previous;
        Value row = tile.flatten(tile.getRows(rows[t], OpFoldResult(i), 1));
        Value sums = tile.matvec(tile.fill({size}, element, 0),
                                 previous ? values[0] : aged, row);
        Value kept = tile.broadcast(
            {size}, element, {{sums, "i"}},
            [&](OpBuilder &o, Location q, ValueRange v) -> Value {
              return arith::SelectOp::create(
                  o, q, isBefore(o, q), v[0],
                  TileOps(o, q).constant(element, 0));
            });
        next.push_back(
            tile.setRows(tile.asRow(kept), values[1 + t], OpFoldResult(i)));
      }
      return next;
    };
    SmallVector<Value> leaf = emitTileLoop(n, l, size, 1, init, body);
    for (auto [t, p] : llvm::enumerate(pairs))
      now[Scores + p] = ops.setBox(leaf[1 + t], now[Scores + p], begin, begin);
  }
}

void Triangle::merge(OpBuilder &n, Location l, OpFoldResult colBegin,
                     int64_t cols, OpFoldResult rowBegin, int64_t rows,
                     SmallVectorImpl<Value> &now) {
  TileOps ops(n, l);
  auto getRows = [&](int which, OpFoldResult begin, int64_t size) {
    return ops.getRows(now[which], begin, size);
  };
  // 1. The block of scores between the two parts.
  DenseMap<std::pair<Value, unsigned>, Value> scaledRows;
  DenseMap<Value, Value> scaledCols;
  for (auto [p, pair] : llvm::enumerate(terms.pairs)) {
    int head = pair.read == StateRead::Previous ? Exclusive : Inclusive;
    Value &left = scaledRows[{pair.rows, unsigned(head)}];
    if (!left)
      left = ops.multiply(ops.getRows(pair.rows, rowBegin, rows),
                          getRows(head, rowBegin, rows), "ij");
    Value &right = scaledCols[pair.cols];
    if (!right)
      right = ops.multiply(ops.getRows(pair.cols, colBegin, cols),
                           getRows(Suffix, colBegin, cols), "ij");
    Value block = ops.matmul(ops.fill({rows, cols}, element, 0), left,
                             /*lhsTransposed=*/false, right,
                             /*rhsTransposed=*/true);
    now[Scores + p] = ops.setBox(block, now[Scores + p], rowBegin, colBegin);
  }
  // 2. Products from the start and to the end of both together.
  auto getTotal = [&](OpFoldResult begin, int64_t size) {
    return ops.flatten(getRows(Inclusive, offset(n, l, begin, size - 1), 1));
  };
  Value before = getTotal(colBegin, cols), after = getTotal(rowBegin, rows);
  auto extend = [&](int which, OpFoldResult begin, int64_t size, Value total) {
    now[which] =
        ops.setRows(ops.multiply(getRows(which, begin, size), total, "j"),
                    now[which], begin);
  };
  extend(Suffix, colBegin, cols, after);
  if (hasExclusive)
    extend(Exclusive, rowBegin, rows, before);
  extend(Inclusive, rowBegin, rows, before);
}

/// A power of two, from the leaves up.
void Triangle::emitPart(int64_t begin, int64_t size) {
  auto inLoop = [&](int64_t step, auto body) {
    if (step == size)
      return body(b, loc, OpFoldResult(b.getIndexAttr(begin)), carried);
    carried =
        emitTileLoop(b, loc, size, step, carried,
                     [&](OpBuilder &n, Location l, Value i, ValueRange values) {
                       SmallVector<Value> now(values);
                       body(n, l, offset(n, l, i, begin), now);
                       return now;
                     });
  };
  int64_t leaf = std::min(size, kLeaf);
  inLoop(leaf,
         [&](OpBuilder &n, Location l, OpFoldResult at,
             SmallVectorImpl<Value> &now) { emitLeaf(n, l, at, leaf, now); });
  for (int64_t half = leaf; half < size; half *= 2)
    inLoop(2 * half, [&](OpBuilder &n, Location l, OpFoldResult at,
                         SmallVectorImpl<Value> &now) {
      merge(n, l, at, half, offset(n, l, at, half), half, now);
    });
}

void Triangle::emit() {
  TileOps ops(b, loc);
  for (int i = 0; i < Scores; ++i)
    carried.push_back(
        tensor::EmptyOp::create(b, loc, ArrayRef{tokens, keys}, element));
  for (size_t i = 0; i < terms.pairs.size(); ++i)
    carried.push_back(ops.fill({tokens, tokens}, element, 0));
  // 1. Parts of decreasing powers of two, each merged with those before it.
  for (int64_t begin = 0; begin < tokens;) {
    int64_t size = int64_t(1) << llvm::Log2_64(tokens - begin);
    emitPart(begin, size);
    if (begin > 0)
      merge(b, loc, b.getIndexAttr(0), begin, b.getIndexAttr(begin), size,
            carried);
    begin += size;
  }
  // 2. Diagonals.
  for (auto [p, pair] : llvm::enumerate(terms.pairs)) {
    pair.scores = carried[Scores + p];
    Value diagonal = pair.diagonal;
    if (pair.read == StateRead::Current)
      diagonal = ops.rowDot(pair.rows, pair.cols);
    if (!diagonal)
      continue;
    pair.scores = ops.broadcastInto(
        pair.scores, {{diagonal, "i"}},
        [](OpBuilder &n, Location l, ValueRange v) -> Value {
          Value i = linalg::IndexOp::create(n, l, 0),
                j = linalg::IndexOp::create(n, l, 1);
          Value on =
              arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, j, i);
          return arith::SelectOp::create(n, l, on, v[1], v[0]);
        });
  }
  // 3. What meets the state on entry and on exit.
  for (ChunkTerms::Head &head : terms.heads)
    head.scaled = ops.multiply(
        head.rows,
        carried[head.read == StateRead::Previous ? Exclusive : Inclusive],
        "ij");
  for (ChunkTerms::Tail &tail : terms.tails)
    tail.scaled = ops.multiply(tail.cols, carried[Suffix], "ij");
  terms.stateFactor = ops.flatten(
      ops.getRows(carried[Inclusive], b.getIndexAttr(tokens - 1), 1));
}

void DiagonalDecayAttr::emitChunk(OpBuilder &builder, Location loc,
                                  Value operand, ChunkTerms &terms) const {
  Triangle(builder, loc, operand, terms).emit();
}
