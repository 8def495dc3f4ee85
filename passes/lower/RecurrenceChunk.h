//===- RecurrenceChunk.h - Tokens of a recurrence on tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_RECURRENCECHUNK_H
#define ATTN_PASSES_LOWER_RECURRENCECHUNK_H

#include "passes/lower/NamedTiles.h"

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
                  AxisPlaces places, int64_t tokens);

  /// The state after the chunk. If all queries share the axes of the state,
  /// `query` is their place, and `read` becomes what they read.
  FailureOr<RecurrenceState> emitUpdate(const RecurrenceState &entry,
                                        const AxisPlaces *query,
                                        RecurrenceRead *read);
  /// Otherwise: what the queries at `query` read, after `emitUpdate`; written
  /// with the builder `n`.
  FailureOr<RecurrenceRead> emitRead(OpBuilder &n, const RecurrenceState &entry,
                                     const AxisPlaces &query);

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
  FailureOr<RecurrenceState> updateChunk(const RecurrenceState &entry,
                                         const AxisPlaces *query,
                                         RecurrenceRead *read);
  FailureOr<RecurrenceRead> readChunk(const RecurrenceState &entry,
                                      const AxisPlaces &query);

  // A token by itself.
  FailureOr<RecurrenceRead> readToken(const RecurrenceState &entry,
                                      const AxisPlaces &query);
  LogicalResult stepToken(const RecurrenceState &entry);
  Value readState(Value state, Value row);

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
  /// Of a token: the state after the transition and after it.
  Value decayed;
  RecurrenceState next;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_RECURRENCECHUNK_H
