//===- RecurrenceSteps.h - A kernel that walks token by token -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_RECURRENCESTEPS_H
#define ATTN_PASSES_GPU_RECURRENCESTEPS_H

#include "passes/gpu/RecurrenceLaunch.h"

namespace mlir::attn {

/// Computes a recurrence in one kernel, a token after the other: for the few
/// tokens of a decode step, where the state is all that is read and written,
/// and for transitions and running maxima that have no form in products of
/// chunks.
///
/// A block has the state S [d, v] of one sequence and head, for some of the
/// value channels, in registers. Its threads are groups that have rows d of it,
/// and in a group lanes that have columns v:
///
///   thread (group, lane):  rows  R group + [0, R)
///                          columns  width (lanes m + lane) + [0, width)
///
/// Operands of some tokens are evaluated into shared memory first, feature maps
/// and gates with them; then each token is a step,
///
///   S~ = f S    u = r - p^T S~    S' = S~ + sum k v^T + b u^T    o = q^T S'
///
/// with sums over rows across the groups.
class RecurrenceSteps : private RecurrenceLaunch {
public:
  RecurrenceSteps(RecurrenceOp op, const KernelLimits &limits);

  /// As RecurrenceKernel::launch.
  LogicalResult launch(std::string &reason);
  std::string describe() const;

private:
  /// What an operand has for a token: a number, or one for each channel.
  enum class Along { Number, Keys, Values };
  /// An operand of some tokens in shared memory, f32, zero outside.
  struct Staged {
    TileOperand operand;
    Along along;
    int64_t offset = 0, cols = 1;
    bool isLogFactor = false; ///< e^x is what is kept
  };
  /// Of a thread: rows by columns, and the maximum, one or one a column.
  struct State {
    SmallVector<Value> elements, max;
  };
  /// The token at hand: `row` of those that are staged.
  struct Token {
    TilePlace place;
    Value row;
  };

  bool isSupported(std::string &reason);
  Along getDecayAxes();
  bool hasElementDecays();
  void chooseColumns();
  LogicalResult addOperands(std::string &reason);
  LogicalResult stage(Value value, Along along, SmallVectorImpl<unsigned> &to,
                      std::string &reason);
  LogicalResult layoutThreads(std::string &reason);
  void emitKernel();

  // The block.
  State emitTokens(ThreadOps &ops, const State &entry);
  void evaluate(ThreadOps &ops, const Staged &operand, unsigned number,
                const TilePlace &place);
  State loadState(ThreadOps &ops);
  void storeState(ThreadOps &ops, const State &state);
  /// Neighbours in memory of a thread's part of the state: their address, the
  /// numbers of the elements, and whether they are in the state.
  void forEachPart(ThreadOps &ops, Value pointer, Value shaped,
                   const EinsumOperand &axes,
                   function_ref<void(Value, ArrayRef<unsigned>, Value)> body);
  void forEachMax(ThreadOps &ops, Value pointer, Value shaped,
                  const EinsumOperand &axes,
                  function_ref<void(Value, unsigned, Value)> body);

  // A token.
  State emitStep(ThreadOps &ops, const Token &token, const State &entry);
  /// A token's elements of a staged operand that this thread needs: one, or one
  /// for each of its rows or columns.
  SmallVector<Value> read(ThreadOps &ops, const Token &token, unsigned number);
  /// One for each element of the state, row by row; empty for 1.
  SmallVector<Value> getFactors(ThreadOps &ops, const Token &token);
  SmallVector<Value> readElements(ThreadOps &ops, const TilePlace &place);
  /// Sums over rows of the state, one a column; all threads get them. `number`
  /// is that of the sum in the step. `last`, if asked for, gets the sum of the
  /// last column.
  SmallVector<Value> sumRows(ThreadOps &ops, const Token &token,
                             SmallVector<Value> partial, unsigned number,
                             Value *last = nullptr);
  void storeOutput(ThreadOps &ops, const Token &token, ArrayRef<Value> output,
                   unsigned query);
  void storeLogScale(ThreadOps &ops, const Token &token, ArrayRef<Value> max);
  /// The first of `width` columns, an i32.
  Value getColumn(ThreadOps &ops, unsigned m);
  unsigned getColumns() const { return width * perLane; }

  // The schedule.
  int64_t tokens = 1, width = 1, lanes = 1, perLane = 1, groups = 1, rows = 1,
          elements = 1, threads = 32, sumBytes = 0, sharedBytes = 0;
  bool sumsCross = false;

  SmallVector<Staged, 0> staged;
  SmallVector<unsigned> queries, writtenKeys, writtenValues;
  SmallVector<unsigned, 1> eraseQuery, eraseKey, eraseInput, bonus, gate, decay;
  SmallVector<TileOperand, 1> elementDecays;
  /// The indices of the axes that queries alone have, for each query.
  SmallVector<llvm::SmallDenseMap<char, int64_t>> queryPlaces;

  // In the kernel.
  Value shared, thread, lane, warp, group, column;
  SmallVector<Value> constantFactors;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_RECURRENCESTEPS_H
