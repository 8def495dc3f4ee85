//===- RecurrenceKernel.h - One kernel for a recurrence -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_RECURRENCEKERNEL_H
#define ATTN_PASSES_GPU_RECURRENCEKERNEL_H

#include "passes/gpu/RecurrenceLaunch.h"

namespace mlir::attn {

/// What the segments of a sequence do to the state, in buffers of the host: the
/// states after them from zero, in the order of the registers of state warps,
/// and the decays of the whole segment.
struct SegmentStates {
  int64_t count = 1;
  /// Blocks of a sequence and head in the kernel that makes them.
  int64_t parts = 1;
  Value states, decays;
  /// With an erasure, the whole segment's transition A, A^T row by row.
  Value transitions;
};

/// Computes a recurrence in one kernel, its tokens in tiles of 16. A block has
/// the state of one sequence and head, for some of the value channels, in
/// registers, transposed:
///
///   token warps  copy the operands, evaluate feature maps and gates, and make
///                of each tile what does not depend on the state: decayed
///                scores P [16 x 16], the inverse of the erasure's triangle,
///                queries and keys with their decays;
///   state warps  have 16 value channels each and walk over the tiles,
///
///     O^T = S^T Q'^T + V^T P^T           S^T = S^T D + V'^T K'
///     U^T = (R^T - V^T N^T - S^T P'^T) T^T         T = (I + L)^-1
///
/// For few heads and long sequences, the tokens are cut into segments, a block
/// each. What they do to the state is computed by a kernel before,
///
///     B = the state after the segment from zero,   D = its decays,
///
/// and each block starts from the states of those before it, S' = D S + B. With
/// an erasure D is a matrix, A: what the segment makes of the identity when it
/// writes nothing, by more blocks of that kernel.
///
/// with the names of RecurrenceChunk and ChunkTerms. Slots in shared memory, a
/// ring, lie between the two; a barrier says that a slot is full, another that
/// it is empty.
class RecurrenceKernel : private RecurrenceLaunch {
public:
  RecurrenceKernel(RecurrenceOp op, const KernelLimits &limits);
  /// The kernel of the states of segments alone.
  RecurrenceKernel(RecurrenceOp op, const KernelLimits &limits,
                   int64_t segments);

  /// Replaces the operation, and a division or a conversion of its output that
  /// nothing else reads, by a launch. Fails with a reason, and changes nothing,
  /// if it is not in reach of the kernel.
  LogicalResult launch(std::string &reason);
  /// The schedule of the kernel that was launched, for people.
  std::string describe() const;

private:
  /// Tiles of 16 x 16 that token warps leave for state warps.
  struct Scores {
    unsigned row, col;
    int64_t offset;
  };
  /// One number a token, or a key channel.
  struct Factors {
    int64_t head[2], tail, state;
  };

  bool isSupported(std::string &reason);
  int64_t chooseSegments();
  LogicalResult prepare(std::string &reason);
  void finish();
  LogicalResult launchSegments(std::string &reason, SegmentStates &into);
  LogicalResult layoutSlots(std::string &reason);
  void placeSegment(ThreadOps &ops);
  void emitKernel();

  // Token warps.
  void emitTokenWarp(ThreadOps &ops, Value warp);
  void emitTile(ThreadOps &ops, const TilePlace &place, Value scratch);
  void evaluate(ThreadOps &ops, const TileOperand &operand,
                const SharedTile &to, const TilePlace &place);
  void emitScalarDecays(ThreadOps &ops, const TilePlace &place, Value scratch);
  void emitKeyDecays(ThreadOps &ops, const TilePlace &place, Value scratch);
  void emitInverse(ThreadOps &ops, const Fragments::Square &lower,
                   const SharedTile &to, Value scratch);
  void storeScores(ThreadOps &ops, const TilePlace &place, unsigned pair,
                   const Fragments::Square &square, Value scratch);

  // State warps.
  void emitStateWarp(ThreadOps &ops, Value warp);
  using State = SmallVector<Sum>;
  /// The address of the register `number` of this thread in the states of a
  /// segment, and of the decay of a key channel.
  Value getSegmentState(ThreadOps &ops, Value segment, Value warp,
                        int64_t number);
  Value getSegmentDecay(ThreadOps &ops, Value segment, Value key);
  /// What multiplies columns 8 j + 2 (l % 4) and the next of the state.
  std::pair<Value, Value> loadStateFactors(ThreadOps &ops,
                                           const TilePlace &place, size_t j);
  /// The identity where the block makes a part of the transition, else zero.
  State startSegment(ThreadOps &ops, Value column);
  State enterSegment(ThreadOps &ops, State state, Value warp);
  /// S^T A^T + B^T
  State applyTransition(ThreadOps &ops, const State &state, Value other,
                        Value warp);
  Value getTransition(ThreadOps &ops, Value segment, Value row, Value col);
  /// Where a transition is made nothing is written.
  LeftOperand writeNothing(ThreadOps &ops, LeftOperand operand);
  void leaveSegment(ThreadOps &ops, const State &state, ArrayRef<Value> decays,
                    Value warp);
  State loadState(ThreadOps &ops, Value column);
  void storeState(ThreadOps &ops, const State &state, Value column);
  State emitStep(ThreadOps &ops, const TilePlace &place, const State &state,
                 Value warp, Value parity);
  Fragments::Square readState(ThreadOps &ops, const TilePlace &place,
                              ArrayRef<LeftOperand> state, unsigned row);
  Fragments::Square scaleTokens(ThreadOps &ops, const TilePlace &place,
                                Fragments::Square square, int64_t offset);
  LeftOperand decayTail(ThreadOps &ops, const TilePlace &place,
                        const LeftOperand &operand);
  void storeOutput(ThreadOps &ops, const TilePlace &place,
                   Fragments::Square output, Value warp, Value parity);
  Fragments::Square divide(ThreadOps &ops, const Fragments::Square &output,
                           Value warp, Value tile);

  /// The barriers of a slot, and two numbers a token that state warps exchange.
  Value getFullBarrier(ThreadOps &ops, Value slot);
  Value getEmptyBarrier(ThreadOps &ops, Value slot);
  Value getExchange(ThreadOps &ops);

  // Places in a slot.
  SharedTile at(ThreadOps &ops, const TilePlace &place, int64_t offset,
                int64_t cols);
  SharedTile getRows(ThreadOps &ops, const TilePlace &place, unsigned row);
  SharedTile getCols(ThreadOps &ops, const TilePlace &place, unsigned col);
  SharedTile getValues(ThreadOps &ops, const TilePlace &place,
                       const TileOperand &operand, int64_t offset);
  /// The factors of columns 2 (l % 4) and the next, from column `col` on.
  std::pair<Value, Value> loadFactors(ThreadOps &ops, const TilePlace &place,
                                      int64_t offset, Value col);
  StateRead getRead(unsigned row);

  int64_t paddedKeys, paddedValues, parts = 1;
  bool hasDecay = false, perKey = false;
  unsigned eraseRows = 0;
  /// The segments of this kernel, and whether it makes their states or reads.
  SegmentStates segments;
  bool makesStates = false;
  Value segmentPointer, decayPointer, transitionPointer;

  // The slots of the ring, the warps, and what lies where in a slot.
  int64_t slots = 0, tokenWarps = 0, stateWarps = 0, slotBytes = 0;
  int64_t scratchBytes = 0, barrierBytes = 0, sharedBytes = 0;
  SmallVector<int64_t> rowTiles, colTiles, valueTiles, inputTiles;
  int64_t bonusTile = -1;
  SmallVector<Scores> scores;
  Factors factors;

  /// The rows of a lane that has so many neighbours along a row.
  llvm::SmallDenseMap<std::pair<int64_t, int64_t>, Value> laneRows;

  // In the kernel.
  Value shared, lane, tileCount;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_RECURRENCEKERNEL_H
