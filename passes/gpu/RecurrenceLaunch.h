//===- RecurrenceLaunch.h - The host's side of a recurrence -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_RECURRENCELAUNCH_H
#define ATTN_PASSES_GPU_RECURRENCELAUNCH_H

#include "passes/gpu/RecurrenceTiles.h"

namespace mlir::attn {

/// What a kernel may use of the device.
struct KernelLimits {
  /// Bytes of shared memory of a block.
  int64_t sharedBytes = 99 * 1024;
  /// Whether threads can be suspended at a barrier in memory (sm_90).
  bool canSuspend = false;
  /// Value channels of a block, each warp has 16.
  int64_t valueColumns = 64;
  /// Multiprocessors, which blocks should fill, and segments that sequences are
  /// cut into for that; 0: as many as that takes.
  int64_t multiprocessors = 108, segments = 0;
};

/// What kernels of a recurrence have in common: their buffers on the host, the
/// sequence and the value channels that a block has, and the operations of the
/// graph that they stand for. A block has one state, or a part of its value
/// channels.
class RecurrenceLaunch {
protected:
  RecurrenceLaunch(RecurrenceOp op, const KernelLimits &limits);

  /// Whether the types and the axes are those of a kernel; says why not.
  bool hasPlainTypes(std::string &reason);
  /// A division or a conversion of the output that nothing else reads is the
  /// kernel's; a division by a log scale too if the kernel knows it.
  void chooseOutput(bool knowsLogScale);
  /// The kernel and its operands, for so many value channels a block.
  void createKernel(StringRef suffix, int64_t valueColumns);
  /// The index of a block is that of its axes, of its part of the value
  /// channels and, fastest, of its segment: parts read the same keys.
  /// `transitionParts`: blocks besides those of value channels.
  void placeBlock(ArrayRef<std::pair<char, OpFoldResult>> axes,
                  int64_t segmentCount, int64_t transitionParts = 0);
  /// The tokens of the block: `lo` and `count`.
  void placeTokens(ThreadOps &ops);
  /// Buffers for what the kernel writes, and the pointers to them. `inPlace`: a
  /// block reads its part of the initial state before any other block writes to
  /// it, so that a state of the caller's can be updated where it is.
  void createBuffers(bool inPlace);
  /// What the division divides by: eps + den, or eps + max(|den|, f e^-m) with
  /// the floor f and the log scale m.
  Value getDivisor(ThreadOps &ops, Value den, Value logScale);
  /// x / by, and 0 where that is 0.
  static Value divideOrZero(ThreadOps &ops, Value x, Value by);
  /// Removes the templates, and launches blocks of so many threads.
  void launchKernel(int64_t threads, int64_t sharedBytes);
  /// Replaces the operation by what the kernel wrote.
  void replaceResults();

  RecurrenceOp op;
  KernelLimits limits;
  Location loc;
  int64_t keys, values;
  /// The value channels of a block, and whether there are several such parts.
  int64_t columns = 0;
  bool inParts = false;
  DivideByLastOp division;
  arith::TruncFOp narrowing;
  Value stored;

  std::unique_ptr<KernelBuilder> kernel;
  std::unique_ptr<RecurrenceTiles> tiles;
  struct Outputs {
    Value output, logScale, state, max; // buffers on the host
  };
  Outputs outputs;
  Value outputPointer, logScalePointer, statePointer, maxPointer;
  Value initialPointer, initialMaxPointer;
  OpFoldResult blocks;

  // In the kernel.
  Value block, segment, lo, count;
  /// Whether the block is one of `transitionParts`, and its first column.
  Value isTransition, transitionColumn;

private:
  Value createBuffer(Value result, RankedTensorType type);
  Value createState(Value result, Value initial, bool inPlace);

  /// The states that are updated where they are, by result.
  llvm::SmallDenseMap<Value, Value> updated;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_RECURRENCELAUNCH_H
