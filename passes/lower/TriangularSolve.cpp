//===- TriangularSolve.cpp - Forward substitution on tiles ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/lower/TriangularSolve.h"
#include "dialect/Attn.h"
#include "dialect/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::attn;

/// Up to this size rows are substituted one by one.
static constexpr int64_t kLeaf = 8;
/// Up to this size a triangle is halved; larger ones are a loop of blocks,
/// whose code does not grow with their number.
static constexpr int64_t kBlock = 64;

static Value subtract(TileOps &ops, Value acc, Value x) {
  return ops.broadcastInto(acc, {{x, "ij"}},
                           [](OpBuilder &n, Location l, ValueRange v) -> Value {
                             return arith::SubFOp::create(n, l, v[0], v[1]);
                           });
}

/// acc - a b for tiles `[x, c]` and `[c, y]`.
static Value subtractProduct(TileOps &ops, Value acc, Value a, Value b) {
  auto type = cast<RankedTensorType>(acc.getType());
  Value zero = ops.fill(type.getShape(), type.getElementType(), 0);
  return subtract(ops, acc,
                  ops.matmul(zero, a, /*lhsTransposed=*/false, b,
                             /*rhsTransposed=*/false));
}

static Value solve(OpBuilder &b, Location loc, Value lower, Value rhs,
                   int64_t begin, int64_t size) {
  TileOps ops(b, loc);
  OpFoldResult at = b.getIndexAttr(begin);
  Value part = ops.getRows(rhs, at, size);
  if (size <= kLeaf) {
    Value triangle = ops.getBox(lower, at, size, at, size);
    // u_i = r_i - sum_{j < i} L_ij u_j; the columns from i on are zero.
    part = emitTileLoop(b, loc, size, 1, part,
                        [&](OpBuilder &n, Location l, Value i, ValueRange now) {
                          TileOps row(n, l);
                          Value weights =
                              row.getRows(triangle, OpFoldResult(i), 1);
                          Value mine = row.getRows(now[0], OpFoldResult(i), 1);
                          mine = subtractProduct(row, mine, weights, now[0]);
                          return SmallVector<Value>{
                              row.setRows(mine, now[0], OpFoldResult(i))};
                        })
               .front();
    return ops.setRows(part, rhs, at);
  }
  int64_t half = kLeaf;
  while (2 * half < size)
    half *= 2;
  int64_t rest = size - half;
  OpFoldResult middle = b.getIndexAttr(begin + half);
  rhs = solve(b, loc, lower, rhs, begin, half);
  Value below = subtractProduct(ops, ops.getRows(rhs, middle, rest),
                                ops.getBox(lower, middle, rest, at, half),
                                ops.getRows(rhs, at, half));
  rhs = ops.setRows(below, rhs, middle);
  return solve(b, loc, lower, rhs, begin + half, rest);
}

/// Rows [begin, begin + size) of U, from those before them:
///   (I + L_bb) U_b = R_b - sum_{a < b} L_ba U_a.
static Value solveBlock(OpBuilder &b, Location loc, Value lower, Value rhs,
                        OpFoldResult begin, int64_t size) {
  TileOps ops(b, loc);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0),
        step = arith::ConstantIndexOp::create(b, loc, kBlock),
        end = getValueOrCreateConstantIndexOp(b, loc, begin);
  // A tile of its own: rows of U are read while it changes.
  Value part = ops.map(
      ops.getRows(rhs, begin, size), getElementTypeOrSelf(rhs.getType()),
      [](OpBuilder &, Location, ValueRange v) { return v[0]; });
  auto loop = scf::ForOp::create(
      b, loc, zero, end, step, part,
      [&](OpBuilder &n, Location l, Value at, ValueRange now) {
        TileOps inner(n, l);
        Value left = inner.getBox(lower, begin, size, OpFoldResult(at), kBlock);
        Value done = inner.getRows(rhs, OpFoldResult(at), kBlock);
        scf::YieldOp::create(n, l, subtractProduct(inner, now[0], left, done));
      });
  Value triangle = ops.getBox(lower, begin, size, begin, size);
  return ops.setRows(solve(b, loc, triangle, loop.getResult(0), 0, size), rhs,
                     begin);
}

Value attn::emitUnitLowerSolve(OpBuilder &b, Location loc, Value lower,
                               Value rhs) {
  int64_t size = cast<RankedTensorType>(rhs.getType()).getDimSize(0);
  if (size <= kBlock)
    return solve(b, loc, lower, rhs, 0, size);
  int64_t rest = size % kBlock;
  rhs = emitTileLoop(b, loc, size - rest, kBlock, rhs,
                     [&](OpBuilder &n, Location l, Value at, ValueRange now) {
                       return SmallVector<Value>{solveBlock(
                           n, l, lower, now[0], OpFoldResult(at), kBlock)};
                     })
            .front();
  if (rest > 0)
    rhs = solveBlock(b, loc, lower, rhs, b.getIndexAttr(size - rest), rest);
  return rhs;
}
