//===- Chip.h - What GPUs of an architecture have -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_GPU_CHIP_H
#define ATTN_PASSES_GPU_CHIP_H

#include "mlir/IR/Operation.h"

namespace mlir::attn {

/// An architecture such as sm_90 or sm_90a.
class Chip {
public:
  /// Says at `op` what is wrong with a name.
  static FailureOr<Chip> parse(Operation *op, StringRef name);

  bool hasBf16Mma() const { return capability >= 80; }
  /// Whether threads can be suspended at a barrier in memory.
  bool hasTryWait() const { return capability >= 90; }
  /// What a block may have of a multiprocessor's memory.
  int64_t getSharedBytes() const;
  /// Of the largest chip that the architecture is sold with.
  int64_t getMultiprocessors() const;

private:
  explicit Chip(int64_t capability) : capability(capability) {}

  int64_t capability; ///< 10 major + minor
};

} // namespace mlir::attn

#endif // ATTN_PASSES_GPU_CHIP_H
