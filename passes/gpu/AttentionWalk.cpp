//===- AttentionWalk.cpp - The walk of queries over tiles of keys ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/AttentionKernel.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr double kLog2E = 1.4426950408889634;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

SharedTile AttentionKernel::at(ThreadOps &ops, Value base, int64_t offset,
                               int64_t rows, int64_t cols) {
  TileLayout tile;
  tile.rows = rows;
  tile.cols = llvm::alignTo(cols, kTile);
  tile.parts = parts;
  return {tile, ops.advance(base, offset)};
}

/// Sixteen rows of a tile.
SharedTile AttentionKernel::getRows(ThreadOps &ops, const SharedTile &tile,
                                    int64_t first) {
  return {tile.layout,
          ops.advance(tile.base, first * tile.layout.getRowBytes())};
}

/// tile = operand: a thread has eight neighbours.
void AttentionKernel::evaluate(ThreadOps &ops, KernelTiles &tiles,
                               const TileOperand &operand, const SharedTile &to,
                               const TilePlace &place) {
  constexpr int64_t kWidth = 8;
  int64_t cols = to.layout.cols;
  int64_t perRow =
      std::clamp<int64_t>(llvm::PowerOf2Ceil(cols / kWidth), 2, 32);
  LaneColumns lanes;
  lanes.width = kWidth;
  lanes.lanes = perRow;
  lanes.first = ops.mul(ops.rem(lane, perRow), kWidth);
  int64_t step = kThreads / perRow;
  Value first = ops.div(thread, perRow);
  ops.loop(first, ops.i32(to.layout.rows), ops.i32(step), ValueRange(),
           [&](ThreadOps &o, Value row, ValueRange) {
             tiles.forgetRows();
             for (int64_t at = 0; at < cols; at += kWidth * perRow) {
               Value col = o.add(lanes.first, at);
               SmallVector<Value> values =
                   tiles.emit(o, operand, place, row, col, lanes);
               auto store = [&](ThreadOps &in) {
                 Fragments(in, lane).storeRow(values, to, row, col);
               };
               if (at + kWidth * perRow <= cols)
                 store(o);
               else
                 o.when(o.less(col, o.i32(cols)), store);
             }
             return SmallVector<Value>();
           });
  tiles.forgetRows();
}

void AttentionKernel::emitKernel() {
  OpBuilder &b = kernel->entry;
  ThreadOps ops(b, loc);
  thread = ops.toI32(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
  lane = ops.rem(thread, 32);
  warp = ops.shuffleFrom(ops.div(thread, 32), ops.i32(0));
  shared = kernel->getSharedMemory();

  // 1. The queries.
  SharedTile queryRows = at(ops, shared, 0, kQueries, features);
  evaluate(ops, *queries, queryTile[0], queryRows,
           {firstQuery, queryCount, shared});
  ops.syncBlock();
  Fragments fragments(ops, lane);
  queryRows.base = ops.advance(
      queryRows.base, ops.mul(warp, kTile * queryRows.layout.getRowBytes()));
  if (parts == 1)
    for (int64_t k = 0; k < features; k += kTile)
      queryFragments.push_back(
          fragments.loadLeft(queryRows, ops.i32(k), false));

  // 2. The keys, copies of the next tile under way.
  Value begin = ops.toValue(from), end = ops.toValue(to);
  Value count =
      ops.div(ops.add(ops.toI32(arith::SubIOp::create(b, loc, end, begin)),
                      keysPerTile - 1),
              keysPerTile);
  auto placeOf = [&](ThreadOps &o, Value tile) {
    TilePlace place;
    place.token = arith::AddIOp::create(o.b, loc, begin,
                                        o.toIndex(o.mul(tile, keysPerTile)));
    place.valid = o.sub(keyCount, o.toI32(place.token));
    place.slot =
        o.advance(shared, o.add(o.mul(o.rem(tile, 2), stageBytes), queryBytes));
    return place;
  };
  auto issue = [&](ThreadOps &o, Value tile) {
    o.when(o.less(tile, count), [&](ThreadOps &in) {
      keys->issueCopies(in, thread, kThreads, placeOf(in, tile));
    });
    o.commitCopies();
  };
  issue(ops, ops.i32(0));
  Value lowest = ops.f32(-std::numeric_limits<double>::infinity());
  int64_t sums = llvm::alignTo(channels, kTile) / 8;
  SmallVector<Value> start{lowest, lowest, ops.f32(0), ops.f32(0)};
  start.append(4 * sums, ops.f32(0));
  auto toRows = [&](ValueRange values) {
    Rows rows{{values[0], values[1]}, {values[2], values[3]}, {}};
    for (int64_t i = 0; i < sums; ++i)
      rows.output.push_back({values[4 + 4 * i], values[5 + 4 * i],
                             values[6 + 4 * i], values[7 + 4 * i]});
    return rows;
  };
  SmallVector<Value> results =
      ops.loop(ops.i32(0), count, ops.i32(1), start,
               [&](ThreadOps &o, Value tile, ValueRange now) {
                 // What the next copies overwrite has been read.
                 o.syncBlock();
                 issue(o, o.add(tile, 1));
                 o.waitCopies(1);
                 o.syncBlock();
                 TilePlace place = placeOf(o, tile);
                 for (auto [operand, offset, cols] :
                      {std::tuple(&keyTile[0], keyOffset, features),
                       std::tuple(&valueTile[0], valueOffset, channels)})
                   if (!operand->direct)
                     evaluate(o, *keys, *operand,
                              at(o, shared, offset, keysPerTile, cols), place);
                 if (!keyTile[0].direct || !valueTile[0].direct)
                   o.syncBlock();
                 Rows next = emitTile(o, place, toRows(now));
                 SmallVector<Value> all{next.max[0], next.max[1], next.sum[0],
                                        next.sum[1]};
                 for (const Sum &sum : next.output)
                   llvm::append_range(all, sum);
                 return all;
               });
  storeRows(ops, toRows(results));
}

//===----------------------------------------------------------------------===//
// A tile of keys
//===----------------------------------------------------------------------===//

/// f of a score; queries and keys that are not there read those that are.
Value AttentionKernel::emitScore(ThreadOps &ops, const TilePlace &place,
                                 Value number, Value row, Value col) {
  OpBuilder &b = ops.b;
  Value isIn = ops.less(col, place.valid);
  Value last = ops.sub(queryCount, ops.i32(1));
  row = arith::MinSIOp::create(b, loc, row, last);
  col = ops.select(isIn, col, ops.i32(0));
  current = number;
  mappingPlace = &place;
  mapping->setToken(place.token);
  mapping->clear();
  LaneColumns lanes;
  lanes.first = col;
  lanes.lanes = 1;
  Value result =
      mapping->emit(ops, mapped, {Coordinate{row}, Coordinate{col}}, lanes)[0];
  return ops.select(isIn, result,
                    ops.f32(-std::numeric_limits<double>::infinity()));
}

SmallVector<Sum> AttentionKernel::emitScores(ThreadOps &ops,
                                             const TilePlace &place) {
  Fragments fragments(ops, lane);
  SharedTile keyRows = keyTile[0].direct
                           ? keys->getCopy(ops, keyTile[0], place)
                           : at(ops, shared, keyOffset, keysPerTile, features);
  SharedTile queryRows = at(ops, shared, 0, kQueries, features);
  queryRows.base = ops.advance(
      queryRows.base, ops.mul(warp, kTile * queryRows.layout.getRowBytes()));
  SmallVector<Sum> sums;
  Value firstRow = ops.mul(warp, kTile);
  for (int64_t first = 0; first < keysPerTile; first += kTile) {
    SharedTile part = getRows(ops, keyRows, first);
    Fragments::Square square = fragments.zeroSquare();
    for (int64_t k = 0; k < features; k += kTile) {
      LeftOperand left = parts == 1
                             ? queryFragments[k / kTile]
                             : fragments.loadLeft(queryRows, ops.i32(k), false);
      square = fragments.multiply(square, left,
                                  fragments.loadRight(part, ops.i32(k), false));
    }
    for (int side : {0, 1}) {
      for (int e = 0; e < 4; ++e) {
        Value row = ops.add(firstRow, fragments.getRow(e / 2)),
              col = ops.add(fragments.getCol(), first + 8 * side + e % 2);
        square[side][e] = emitScore(ops, place, square[side][e], row, col);
      }
      sums.push_back(square[side]);
    }
  }
  return sums;
}

AttentionKernel::Rows
AttentionKernel::emitTile(ThreadOps &ops, const TilePlace &place, Rows rows) {
  OpBuilder &b = ops.b;
  Fragments fragments(ops, lane);
  SmallVector<Sum> weights = emitScores(ops, place);
  Value lowest = ops.f32(-std::numeric_limits<double>::infinity()),
        log2e = ops.f32(kLog2E);
  for (int half : {0, 1}) {
    Value max = rows.max[half];
    for (const Sum &sum : weights)
      for (int e : {0, 1})
        max = arith::MaximumFOp::create(b, loc, max, sum[2 * half + e]);
    for (int64_t mask : {1, 2})
      max = arith::MaximumFOp::create(b, loc, max, ops.shuffleXor(max, mask));
    // A row without keys so far has no maximum to subtract.
    Value isNone =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, max, lowest);
    Value shift = ops.select(isNone, ops.f32(0), ops.mulf(max, log2e));
    Value minus = arith::NegFOp::create(b, loc, shift);
    auto power = [&](Value x) {
      return ops.exp2(LLVM::FMAOp::create(b, loc, x, log2e, minus));
    };
    Value factor = power(rows.max[half]);
    rows.max[half] = max;
    // The thread's part of the sum; those of the row are added at the end.
    rows.sum[half] = ops.mulf(rows.sum[half], factor);
    Value sum = ops.f32(0);
    for (Sum &weight : weights)
      for (int e : {0, 1}) {
        Value &x = weight[2 * half + e];
        x = power(x);
        sum = ops.addf(sum, x);
      }
    rows.sum[half] = ops.addf(rows.sum[half], sum);
    for (Sum &output : rows.output)
      for (int e : {0, 1})
        output[2 * half + e] = ops.mulf(output[2 * half + e], factor);
  }
  SharedTile valueRows =
      valueTile[0].direct ? keys->getCopy(ops, valueTile[0], place)
                          : at(ops, shared, valueOffset, keysPerTile, channels);
  for (int64_t first = 0; first < keysPerTile; first += kTile) {
    LeftOperand left =
        fragments.pack(weights[first / 8], weights[first / 8 + 1], parts);
    SharedTile part = getRows(ops, valueRows, first);
    for (size_t j = 0; j < rows.output.size(); j += 2) {
      auto right = fragments.loadRight(part, ops.i32(8 * j), true);
      rows.output[j] = fragments.multiply(rows.output[j], left, right[0]);
      rows.output[j + 1] =
          fragments.multiply(rows.output[j + 1], left, right[1]);
    }
  }
  return rows;
}

void AttentionKernel::storeRows(ThreadOps &ops, const Rows &rows) {
  OpBuilder &b = ops.b;
  Fragments fragments(ops, lane);
  auto type = cast<MemRefType>(outputBuffer.getType());
  int64_t rowDim = Einsum::find(outer.result, queryToken),
          colDim = Einsum::find(outer.result, channel);
  auto strideOf = [&](int64_t dim) {
    int64_t multiple;
    return ops.toValue(keys->getStride(b, outputBuffer, dim, multiple));
  };
  Value base = ops.index(0);
  for (auto [i, offset] : llvm::enumerate(blockOffsets))
    base = arith::AddIOp::create(
        b, loc, base,
        arith::MulIOp::create(b, loc, ops.toValue(offset), strideOf(i)));
  int64_t bytes = type.getElementType().getIntOrFloatBitWidth() / 8;
  bool inPairs = colDim + 1 == type.getRank() && channels % 2 == 0;
  Value zero = ops.f32(0);
  for (int half : {0, 1}) {
    Value sum = rows.sum[half];
    for (int64_t mask : {1, 2})
      sum = ops.addf(sum, ops.shuffleXor(sum, mask));
    Value isNone =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, zero);
    Value row = ops.add(ops.mul(warp, kTile), fragments.getRow(half));
    Value isRow = ops.less(row, queryCount);
    Value rowOffset = arith::AddIOp::create(
        b, loc, base,
        arith::MulIOp::create(b, loc, ops.toIndex(row), strideOf(rowDim)));
    auto addressOf = [&](Value col) {
      Value index = arith::AddIOp::create(
          b, loc, rowOffset,
          arith::MulIOp::create(b, loc, ops.toIndex(col), strideOf(colDim)));
      Value offset = arith::MulIOp::create(b, loc, index, ops.index(bytes));
      return ops.advance(outputPointer, arith::IndexCastOp::create(
                                            b, loc, b.getI64Type(), offset));
    };
    for (auto [j, output] : llvm::enumerate(rows.output)) {
      Value col = ops.add(fragments.getCol(), 8 * j), x[2];
      for (int e : {0, 1})
        x[e] = ops.select(isNone, zero, ops.divf(output[2 * half + e], sum));
      auto isIn = [&](Value at) {
        return arith::AndIOp::create(b, loc, isRow,
                                     ops.less(at, ops.i32(channels)));
      };
      if (inPairs && bytes == 4) {
        ops.storeWhere(isIn(col), {x[0], x[1]}, addressOf(col));
      } else if (inPairs) {
        ops.storeWhere(isIn(col), ops.packBf16(x[0], x[1]), addressOf(col));
      } else {
        for (int e : {0, 1}) {
          Value at = ops.add(col, e), address = addressOf(at);
          ops.when(isIn(at), [&](ThreadOps &in) {
            Value number = x[e];
            if (bytes == 2)
              number = arith::TruncFOp::create(in.b, loc, type.getElementType(),
                                               number);
            in.store(number, address);
          });
        }
      }
    }
  }
}
