//===- AttentionKernel.h - One kernel for a softmax attention -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_ATTENTIONKERNEL_H
#define ATTN_PASSES_GPU_ATTENTIONKERNEL_H

#include "passes/gpu/KernelTiles.h"

namespace mlir::attn {

/// Computes `softmax(f(Q K^T)) V` in one kernel, f element by element: masks,
/// scales and what other dialects do to scores. A block has 64 queries of one
/// head, a warp 16 of them; it walks over tiles of keys,
///
///   S = f(Q K^T)       m' = max(m, max_j S_j)      P = e^(S - m')
///   l = l e^(m - m') + sum_j P_j                   O = O e^(m - m') + P V
///
/// and divides O by l at the end (Milakov and Gimelshein, 2018,
/// arXiv:1805.02867; Dao, 2023, arXiv:2307.08691). Scores are never in memory.
class AttentionKernel {
public:
  /// `product` is the one with the values.
  AttentionKernel(ContractionOpInterface product, int64_t sharedBytes);

  /// Replaces the product, and a conversion of its result that nothing else
  /// reads, by a launch. Fails with a reason, and changes nothing, if it is not
  /// in reach of the kernel.
  LogicalResult launch(std::string &reason);
  /// The schedule of the kernel that was launched, for people.
  std::string describe() const;

private:
  static constexpr int64_t kWarps = 4, kThreads = 32 * kWarps,
                           kQueries = kWarps * kTile;
  /// What a row of a warp has: the maximum, the sum of weights, and the output;
  /// a thread has two rows.
  struct Rows {
    Value max[2], sum[2];
    SmallVector<Sum> output;
  };

  bool match(std::string &reason);
  LogicalResult addTiles(std::string &reason);
  LogicalResult layout(std::string &reason);
  void placeBlock();
  void emitKernel();
  void evaluate(ThreadOps &ops, KernelTiles &tiles, const TileOperand &operand,
                const SharedTile &to, const TilePlace &place);
  Rows emitTile(ThreadOps &ops, const TilePlace &place, Rows rows);
  SmallVector<Sum> emitScores(ThreadOps &ops, const TilePlace &place);
  Value emitScore(ThreadOps &ops, const TilePlace &place, Value score,
                  Value row, Value col);
  void storeRows(ThreadOps &ops, const Rows &rows);
  void passSizes();
  SharedTile at(ThreadOps &ops, Value base, int64_t offset, int64_t rows,
                int64_t cols);
  SharedTile getRows(ThreadOps &ops, const SharedTile &tile, int64_t first);

  ContractionOpInterface product, scores;
  int64_t sharedBytes;
  Location loc;
  /// The products' axes: the result, the softmax, queries, keys and values.
  Einsum outer, inner;
  Value softmax, query, key, value;
  char queryToken, keyToken, queryTokenIn, keyTokenIn, feature, channel;
  arith::TruncFOp narrowing;
  Value stored;
  int64_t features = 0, channels = 0, keysPerTile = 64, parts = 1;

  std::unique_ptr<KernelBuilder> kernel;
  std::unique_ptr<KernelTiles> queries, keys;
  /// The template of f, with the scores as its leaf.
  std::unique_ptr<TileExpression> mapping;
  Value mappingToken, mapped, score, current;
  TilePlace const *mappingPlace = nullptr;
  SmallVector<TileOperand, 1> queryTile, keyTile, valueTile;
  AxisPlaces places, innerPlaces;

  // Shared memory: the queries | stages of copies | tiles.
  int64_t queryBytes = 0, stageBytes = 0, keyOffset = 0, valueOffset = 0,
          totalBytes = 0;

  Value outputPointer, outputBuffer;
  OpFoldResult blocks;
  SmallVector<OpFoldResult> blockOffsets;
  // In the kernel.
  Value shared, thread, lane, warp, firstQuery, queryCount, keyCount;
  OpFoldResult from, to;
  SmallVector<LeftOperand> queryFragments;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_ATTENTIONKERNEL_H
