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
  // Two exponentials a level for half of the rows and half of the columns, and
  // in the leaves a product for each pair of tokens and channel.
  double levels = std::log2(std::max<double>(tokens, kLeaf) / kLeaf);
  return tokens * keys * (22.0 * levels + 2.0 * kLeaf);
}

namespace {
/// The triangle of a chunk, halved until leaves are left. The block of rows
/// [a, a + n) and columns [a - m, a) has the boundary a as its anchor:
///
///   D(i, j) = exp(sum_{r=a..i} g_r) exp(sum_{r=j+1..a-1} g_r)
///
/// The blocks tile the triangle, both factors are at most 1, and so nothing
/// overflows, however harsh the gates. All sums grow from the leaves up by
/// adding the total of a neighbour: no sum is a difference.
class Triangle {
public:
  Triangle(OpBuilder &b, Location loc, Value decays, ChunkTerms &terms)
      : b(b), loc(loc), decays(decays), terms(terms) {
    auto type = cast<RankedTensorType>(decays.getType());
    tokens = type.getDimSize(0);
    keys = type.getDimSize(1);
    element = type.getElementType();
  }

  void emit();

private:
  /// What the loops carry: sums from the start of a row's block to the row,
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
  Value decays;
  ChunkTerms &terms;
  int64_t tokens, keys;
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
  Value g = ops.getRows(decays, begin, size);
  auto empty = [&](ArrayRef<int64_t> shape) -> Value {
    return tensor::EmptyOp::create(n, l, shape, element);
  };
  // 1. Running sums from both ends.
  SmallVector<Value> sums = emitTileLoop(
      n, l, size, 1,
      {empty({size, keys}), empty({size, keys}), empty({size, keys}),
       ops.fill({1, keys}, element, 0), ops.fill({1, keys}, element, 0)},
      [&](OpBuilder &m, Location k, Value i, ValueRange values) {
        TileOps tile(m, k);
        Value last = arith::ConstantIndexOp::create(m, k, size - 1);
        Value back = arith::SubIOp::create(m, k, last, i);
        Value exclusive = tile.setRows(values[3], values[1], OpFoldResult(i));
        Value front = tile.broadcast(
            {1, keys}, element,
            {{values[3], "ij"}, {tile.getRows(g, OpFoldResult(i), 1), "ij"}},
            [](OpBuilder &o, Location p, ValueRange v) -> Value {
              return arith::AddFOp::create(o, p, v[0], v[1]);
            });
        Value inclusive = tile.setRows(front, values[0], OpFoldResult(i));
        Value suffix = tile.setRows(values[4], values[2], OpFoldResult(back));
        Value rear = tile.broadcast(
            {1, keys}, element,
            {{values[4], "ij"}, {tile.getRows(g, OpFoldResult(back), 1), "ij"}},
            [](OpBuilder &o, Location p, ValueRange v) -> Value {
              return arith::AddFOp::create(o, p, v[0], v[1]);
            });
        return SmallVector<Value>{inclusive, exclusive, suffix, front, rear};
      });
  for (int which : {Inclusive, Exclusive, Suffix})
    now[which] = ops.setRows(sums[which], now[which], begin);
  if (size == 1)
    return;

  // 2. Scores, row by row: column j of `aged` is what is left of it at row i.
  Value factors = ops.exp(g);
  for (auto [p, pair] : llvm::enumerate(terms.pairs)) {
    Value rows = ops.getRows(pair.rows, begin, size);
    Value cols = ops.getRows(pair.cols, begin, size);
    bool previous = pair.read == StateRead::Previous;
    SmallVector<Value> leaf = emitTileLoop(
        n, l, size, 1, {cols, ops.fill({size, size}, element, 0)},
        [&](OpBuilder &m, Location k, Value i, ValueRange values) {
          TileOps tile(m, k);
          Value factor =
              tile.flatten(tile.getRows(factors, OpFoldResult(i), 1));
          Value aged = tile.broadcast(
              {size, keys}, element, {{values[0], "ij"}, {factor, "j"}},
              [&](OpBuilder &o, Location q, ValueRange v) -> Value {
                Value j = linalg::IndexOp::create(o, q, 0);
                Value before = arith::CmpIOp::create(
                    o, q, arith::CmpIPredicate::ult, j, i);
                Value less = arith::MulFOp::create(o, q, v[0], v[1]);
                return arith::SelectOp::create(o, q, before, less, v[0]);
              });
          Value row = tile.flatten(tile.getRows(rows, OpFoldResult(i), 1));
          Value products = tile.matvec(tile.fill({size}, element, 0),
                                       previous ? values[0] : aged, row);
          Value kept = tile.broadcast(
              {size}, element, {{products, "i"}},
              [&](OpBuilder &o, Location q, ValueRange v) -> Value {
                Value j = linalg::IndexOp::create(o, q, 0);
                Value before = arith::CmpIOp::create(
                    o, q, arith::CmpIPredicate::ult, j, i);
                return arith::SelectOp::create(
                    o, q, before, v[0], TileOps(o, q).constant(element, 0));
              });
          Value scores =
              tile.setRows(tile.asRow(kept), values[1], OpFoldResult(i));
          return SmallVector<Value>{aged, scores};
        });
    now[Scores + p] = ops.setBox(leaf[1], now[Scores + p], begin, begin);
  }
}

void Triangle::merge(OpBuilder &n, Location l, OpFoldResult colBegin,
                     int64_t cols, OpFoldResult rowBegin, int64_t rows,
                     SmallVectorImpl<Value> &now) {
  TileOps ops(n, l);
  Value inclusive = ops.getRows(now[Inclusive], rowBegin, rows);
  Value exclusive = ops.getRows(now[Exclusive], rowBegin, rows);
  Value suffix = ops.getRows(now[Suffix], colBegin, cols);
  // 1. The block of scores between the two parts.
  DenseMap<std::pair<Value, unsigned>, Value> scaledRows;
  DenseMap<Value, Value> scaledCols;
  Value tails = ops.exp(suffix), heads[2];
  for (auto [p, pair] : llvm::enumerate(terms.pairs)) {
    bool previous = pair.read == StateRead::Previous;
    Value &head = heads[previous];
    if (!head)
      head = ops.exp(previous ? exclusive : inclusive);
    Value &left = scaledRows[{pair.rows, unsigned(previous)}];
    if (!left)
      left = ops.multiply(ops.getRows(pair.rows, rowBegin, rows), head, "ij");
    Value &right = scaledCols[pair.cols];
    if (!right)
      right = ops.multiply(ops.getRows(pair.cols, colBegin, cols), tails, "ij");
    Value block = ops.matmul(ops.fill({rows, cols}, element, 0), left,
                             /*lhsTransposed=*/false, right,
                             /*rhsTransposed=*/true);
    now[Scores + p] = ops.setBox(block, now[Scores + p], rowBegin, colBegin);
  }
  // 2. Sums from the start and to the end of both together.
  auto lastRow = [&](OpFoldResult begin, int64_t size) {
    return ops.flatten(
        ops.getRows(now[Inclusive], offset(n, l, begin, size - 1), 1));
  };
  Value before = lastRow(colBegin, cols), after = lastRow(rowBegin, rows);
  auto plus = [&](Value tile, Value total) {
    return ops.broadcast(cast<RankedTensorType>(tile.getType()).getShape(),
                         element, {{tile, "ij"}, {total, "j"}},
                         [](OpBuilder &m, Location k, ValueRange v) -> Value {
                           return arith::AddFOp::create(m, k, v[0], v[1]);
                         });
  };
  now[Suffix] = ops.setRows(plus(suffix, after), now[Suffix], colBegin);
  now[Exclusive] =
      ops.setRows(plus(exclusive, before), now[Exclusive], rowBegin);
  now[Inclusive] =
      ops.setRows(plus(inclusive, before), now[Inclusive], rowBegin);
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
        ops.exp(
            carried[head.read == StateRead::Previous ? Exclusive : Inclusive]),
        "ij");
  for (ChunkTerms::Tail &tail : terms.tails)
    tail.scaled = ops.multiply(tail.cols, ops.exp(carried[Suffix]), "ij");
  terms.stateFactor = ops.exp(ops.flatten(
      ops.getRows(carried[Inclusive], b.getIndexAttr(tokens - 1), 1)));
}

void DiagonalDecayAttr::emitChunk(OpBuilder &builder, Location loc,
                                  Value operand, ChunkTerms &terms) const {
  Triangle(builder, loc, operand, terms).emit();
}
