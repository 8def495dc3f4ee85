//===- Peaks.h - What the machine can do at most -------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_PEAKS_H
#define ATTN_BENCH_MECHANISMS_PEAKS_H

#include "bench/Timing.h"

namespace attn::bench {

/// Work of a known amount, to time beside what is measured.
struct Peak {
  llvm::StringRef name;
  /// Flops, or bytes read and written.
  double amount;
  Action action;
};

/// Multiply-adds on registers, all threads.
Peak makeFmaPeak(int threads);
/// A copy between arrays that no cache holds.
Peak makeCopyPeak(int threads);
/// x = a x over `bytes` bytes in place, again and again, in the cache level
/// that holds them: what a step of decoding does to its state.
Peak makeUpdatePeak(int threads, int64_t bytes);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_PEAKS_H
