//===- ChunkTerms.h - What a chunk of a recurrence is made of -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_CHUNKTERMS_H
#define ATTN_DIALECT_CHUNKTERMS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::attn {

enum class StateRead : uint32_t;

/// The products in which a chunk of C tokens meets its own transitions and the
/// state on entry. With the transitions T_i of the tokens i, all of them
/// diagonal, `D(i, j) = T_i .. T_{j+1}` for j < i:
///
///   pair : scores[i, j] = rows_i . D(i, j) cols_j        j < i, read current
///   or
///                                                        decayed
///          scores[i, j] = rows_i . D(i-1, j) cols_j      j < i, read previous
///          and on the diagonal rows_i . cols_i for current, 0 for decayed,
///          `diagonal[i]` for previous, if it is given
///   head : scaled_i = D(i, -1) rows_i, or D(i-1, -1) rows_i for previous
///   tail : scaled_j = D(C-1, j) cols_j
///   state: stateFactor = D(C-1, -1)
///
/// Every factor is the exponential of a sum of decays of consecutive tokens,
/// at most 1.
///
/// With a gate i and the running maximum m on entry, all weights of a row are
/// divided by e^(rowMax), tails and state by e^(max), see
/// attn.recurrence.
struct ChunkTerms {
  struct Pair {
    Value rows, cols; // [C, K]
    StateRead read;
    Value diagonal; // [C], or null
    Value scores;   // result, [C, C]
  };
  struct Head {
    Value rows; // [C, K]
    StateRead read;
    Value scaled; // result
  };
  struct Tail {
    Value cols;   // [C, K]
    Value scaled; // result
  };

  int64_t tokens, keys;
  SmallVector<Pair> pairs;
  SmallVector<Head> heads;
  SmallVector<Tail> tails;
  /// Result: what the state [K, V] is multiplied by, of rank 0 or [K]; null
  /// for 1.
  Value stateFactor;
  /// [C], or null where nothing is stabilised.
  Value logGate;
  /// The running maximum, rank 0; becomes the one on exit.
  Value max;
  /// Result, [C]: what the rows of pairs and heads were divided by.
  Value rowMax;
};

/// TransitionAttrInterface::emitChunk where all channels share the decays
/// `tensor<C>`, or have none (null).
void emitScalarChunk(OpBuilder &builder, Location loc, Value decays,
                     ChunkTerms &terms);

/// A loop over [0, count) step `step` that carries tiles.
SmallVector<Value> emitTileLoop(
    OpBuilder &builder, Location loc, int64_t count, int64_t step,
    ValueRange carried,
    function_ref<SmallVector<Value>(OpBuilder &, Location, Value, ValueRange)>
        body);

} // namespace mlir::attn

#endif // ATTN_DIALECT_CHUNKTERMS_H
