//===- Timing.h - Interleaved times, and the peak of memory -----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_TIMING_H
#define ATTN_BENCH_TIMING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <functional>
#include <optional>

namespace attn::bench {

/// Seconds a call.
struct Times {
  double median, min, max;
  int64_t samples;
  /// Quartiles: half of the samples lie between.
  double low, high;
};

/// Something to time.
using Action = std::function<llvm::Error()>;

/// Times the actions in turn, `rounds` times: what slows the machine down for a
/// while slows all of them down. A sample is the mean of as many calls as take
/// a millisecond, so that the clock's and the loop's own cost do not show. Each
/// action is called before, which warms caches up and is not counted. After
/// `seconds` no further round begins, but three are always done.
llvm::Expected<llvm::SmallVector<Times>>
timeInterleaved(llvm::ArrayRef<Action> actions, unsigned rounds,
                double seconds);

/// The most bytes of this process that were ever resident (VmHWM), the program
/// and its libraries among them; none where the system does not tell.
std::optional<int64_t> getPeakMemory();

} // namespace attn::bench

#endif // ATTN_BENCH_TIMING_H
