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

using namespace mlir;
using namespace mlir::attn;

/// Up to this size rows are substituted one by one.
static constexpr int64_t kLeaf = 8;

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

Value attn::emitUnitLowerSolve(OpBuilder &b, Location loc, Value lower,
                               Value rhs) {
  return solve(b, loc, lower, rhs, 0,
               cast<RankedTensorType>(rhs.getType()).getDimSize(0));
}
