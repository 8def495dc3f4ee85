//===- ThreadOps.h - The code of a thread of a kernel -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_THREADOPS_H
#define ATTN_PASSES_GPU_THREADOPS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::attn {

/// Writes the code of one thread: numbers of 32 bits, memory, and what the
/// threads of a warp do together.
class ThreadOps {
public:
  ThreadOps(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  OpBuilder &b;
  Location loc;

  Type i32Type() { return b.getI32Type(); }
  Type f32Type() { return b.getF32Type(); }

  //===--------------------------------------------------------------------===//
  // Numbers
  //===--------------------------------------------------------------------===//

  Value i32(int64_t value);
  Value f32(double value);
  Value index(int64_t value);
  /// An index or an i64 as i32, and an i32 as an index.
  Value toI32(Value value);
  Value toIndex(Value value);
  /// A number, or the constant of an attribute.
  Value toValue(OpFoldResult number);

  Value add(Value x, Value y);
  Value add(Value x, int64_t y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value mul(Value x, int64_t y);
  /// Of numbers that are not negative.
  Value div(Value x, int64_t y);
  Value rem(Value x, int64_t y);
  Value addf(Value x, Value y);
  Value subf(Value x, Value y);
  Value mulf(Value x, Value y);
  /// x / y with an error of two units in the last place at most.
  Value divf(Value x, Value y);
  Value cmp(arith::CmpIPredicate predicate, Value x, Value y);
  Value less(Value x, Value y) { return cmp(arith::CmpIPredicate::slt, x, y); }
  Value select(Value condition, Value x, Value y);
  /// 2^x with the relative error of ex2.approx, 2^-22; subnormals are 0.
  Value exp2(Value x);

  /// Two floats as two bf16 in 32 bits, the first in the low half, and back.
  Value packBf16(Value lo, Value hi);
  std::pair<Value, Value> unpackBf16(Value pair);

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// `pointer` advanced by bytes, an i32 or an i64.
  Value advance(Value pointer, Value bytes);
  Value advance(Value pointer, int64_t bytes);
  Value load(Type type, Value pointer, int64_t alignment = 0,
             bool invariant = false);
  void store(Value value, Value pointer, int64_t alignment = 0);
  /// Stores numbers of 32 bits, one, two or four, to global memory where the
  /// condition holds, without a branch: what the warp does together may be on
  /// both sides.
  void storeWhere(Value condition, ArrayRef<Value> words, Value pointer);
  /// 16, 8 or 4 bytes from global to shared memory, or as many zeros.
  void copyAsync(Value shared, Value global, int64_t bytes, Value isIn);
  void commitCopies();
  void waitCopies(int64_t pending);

  //===--------------------------------------------------------------------===//
  // The warp
  //===--------------------------------------------------------------------===//

  void syncWarp();
  /// An i32, f32 or f64 of another lane: that with the number `lane`, or with
  /// the own number xor `mask`.
  Value shuffleFrom(Value value, Value lane);
  Value shuffleXor(Value value, int64_t mask);
  /// That of the lane `distance` below, or the own one in the first lanes.
  Value shuffleUp(Value value, int64_t distance);
  /// Rows and columns of an 8 x 8 matrix of 16 bits swapped.
  Value transposeMatrix(Value pair);
  /// Four 8 x 8 matrices of 16 bits: the lane l gives the address of row l % 8
  /// of matrix l / 8.
  std::array<Value, 4> loadMatrices(Value pointer, bool transposed);
  /// acc + A B for bf16 fragments of 16 x 16 and 16 x 8.
  std::array<Value, 4> mma(ArrayRef<Value> a, ArrayRef<Value> b,
                           ArrayRef<Value> acc);

  //===--------------------------------------------------------------------===//
  // Barriers in shared memory
  //===--------------------------------------------------------------------===//

  void initBarrier(Value barrier, int64_t arrivals);
  void arrive(Value barrier);
  /// Waits for the end of the phase of a parity.
  void wait(Value barrier, Value parity);
  /// All threads of a block, or `threads` of them at a barrier of their own.
  void syncBlock();
  void syncThreads(int64_t barrier, int64_t threads);

  /// Code that runs where a condition holds.
  void when(Value condition, function_ref<void(ThreadOps &)> body);
  /// A loop over i32 that carries values.
  SmallVector<Value>
  loop(Value from, Value to, Value step, ValueRange carried,
       function_ref<SmallVector<Value>(ThreadOps &, Value, ValueRange)> body);

  /// Whether the target has instructions that suspend a waiting thread.
  bool canSuspend = false;

private:
  Value addressOf(Value barrier);
  Value shuffle(Value value, NVVM::ShflKind kind, Value offset, int64_t clamp);
  Value assembly(Type result, ValueRange operands, StringRef text,
                 StringRef constraints);
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_THREADOPS_H
