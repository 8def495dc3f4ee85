//===- RecurrenceChunk.h - Tokens of a recurrence on tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_RECURRENCECHUNK_H
#define ATTN_PASSES_LOWER_RECURRENCECHUNK_H

#include "passes/lower/NamedTiles.h"
#include <optional>

namespace mlir::attn {

/// What is carried from chunk to chunk.
struct RecurrenceState {
  Value state; ///< [K, V]
  Value max;   ///< the running maximum, rank 0 or [V], null without a log_gate
};

/// What the tokens of a chunk read.
struct RecurrenceRead {
  Value output;   ///< [T, V]
  Value logScale; ///< [T] or [T, V], null without a log_gate
};

/// Writes chunks of tokens of one recurrence: operands at the given places, the
/// reads, the state after them.
class RecurrenceChunk {
public:
  RecurrenceChunk(OpBuilder &b, TileEmitter &emitter, RecurrenceOp op,
                  AxisPlaces places, int64_t tokens, int64_t values);

  /// Loads what is written and solves the erasure. `query`, if it is given, is
  /// the place of the queries, which share the axes of the state.
  LogicalResult prepare(const RecurrenceState &entry, const AxisPlaces *query);
  /// What the queries at `query` read; written with the builder `n`. A buffer
  /// holds the state: reads of the entry state come before the update.
  FailureOr<RecurrenceRead> emitRead(OpBuilder &n, const RecurrenceState &entry,
                                     const AxisPlaces &query);
  bool readsAfterUpdate() {
    return isToken && op.getRead() == StateRead::Current;
  }
  /// The state after the chunk, in place.
  RecurrenceState emitUpdate(const RecurrenceState &entry);

private:
  /// Tiles of operands in the element type, repeated to their full shape.
  FailureOr<Value> load(Value value, const AxisPlaces &at, char rowAxis,
                        int64_t rows, char colAxis, int64_t cols);
  FailureOr<Value> load(Value value, const AxisPlaces &at, char axis,
                        int64_t size);
  LogicalResult loadWrites();
  FailureOr<Value> loadTransition();
  FailureOr<Value> loadBonus(const AxisPlaces &query, Value row, Value key);

  // A chunk, by products.
  void startTerms(ChunkTerms &terms, const RecurrenceState &entry);
  FailureOr<Value> addQuery(ChunkTerms &terms, const AxisPlaces &query,
                            ArrayRef<Value> cols);
  Value sumRead(Value head, Value state, ArrayRef<ChunkTerms::Pair> pairs);
  LogicalResult prepareChunk(const RecurrenceState &entry,
                             const AxisPlaces *query);
  FailureOr<RecurrenceRead> readChunk(const RecurrenceState &entry,
                                      const AxisPlaces &query);
  RecurrenceState updateChunk(const RecurrenceState &entry);

  // A token by itself.
  LogicalResult prepareToken(const RecurrenceState &entry);
  FailureOr<RecurrenceRead> readToken(const RecurrenceState &entry,
                                      const AxisPlaces &query);
  RecurrenceState updateToken(const RecurrenceState &entry);
  Value readState(Value state, Value row);
  Value readDecayed(Value state, Value row);
  FailureOr<Value> addOwnPair(Value output, Value row, Value scale,
                              const AxisPlaces &query);

  OpBuilder b;
  TileEmitter &emitter;
  RecurrenceOp op;
  AxisPlaces places;
  int64_t tokens, keys, values;
  Location loc;
  Type element;
  bool isToken;

  /// Pairs that are written: the graph's, and the erasure's as the last one.
  SmallVector<std::pair<Value, Value>> writes;
  Value transition, gate;
  /// Of a chunk: what its products are made of, the first pairs and the first
  /// head being the erasure's.
  ChunkTerms terms;
  unsigned erasePairs = 0;
  bool hasQuery = false;
  /// Of a token: the transition as a factor of the state, and otherwise the
  /// state after it; the maximum after it.
  std::optional<TileOps::Named> factor;
  Value decayed;
  Value nextMax;
  /// What the gate leaves of the values that are written, if it is known with
  /// the factor.
  Value weight;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_RECURRENCECHUNK_H
