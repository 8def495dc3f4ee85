//===- Timing.cpp - Interleaved times, and the peak of memory -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>

namespace attn::bench {

static constexpr double kSampleSeconds = 1e-3;
static constexpr unsigned kMinRounds = 3;

/// The mean time of `calls` calls.
static llvm::Expected<double> timeCalls(const Action &action, int64_t calls) {
  using Clock = std::chrono::steady_clock;
  auto begin = Clock::now();
  for (int64_t i = 0; i < calls; ++i)
    if (llvm::Error error = action())
      return std::move(error);
  return std::chrono::duration<double>(Clock::now() - begin).count() / calls;
}

llvm::Expected<llvm::SmallVector<Times>>
timeInterleaved(llvm::ArrayRef<Action> actions, unsigned rounds,
                double seconds) {
  // 1. Warm up, and see how many calls make a sample.
  llvm::SmallVector<int64_t> calls;
  for (const Action &action : actions) {
    double fastest = 0;
    for (unsigned i = 0; i < 3 && (i == 0 || fastest < kSampleSeconds); ++i) {
      auto time = timeCalls(action, 1);
      if (!time)
        return time.takeError();
      fastest = i == 0 ? *time : std::min(fastest, *time);
    }
    calls.push_back(std::ceil(kSampleSeconds / std::max(fastest, 1e-9)));
  }
  // 2. Sample in turn.
  std::vector<llvm::SmallVector<double>> samples(actions.size());
  double total = 0;
  for (unsigned round = 0;
       round < rounds && (round < kMinRounds || total < seconds); ++round)
    for (auto [action, count, times] : llvm::zip(actions, calls, samples)) {
      auto time = timeCalls(action, count);
      if (!time)
        return time.takeError();
      times.push_back(*time);
      total += *time * count;
    }
  llvm::SmallVector<Times> results;
  for (auto &times : samples) {
    llvm::sort(times);
    size_t size = times.size();
    results.push_back({(times[(size - 1) / 2] + times[size / 2]) / 2,
                       times.front(), times.back(), static_cast<int64_t>(size),
                       times[(size - 1) / 4],
                       times[size - 1 - (size - 1) / 4]});
  }
  return results;
}

std::optional<int64_t> getPeakMemory() {
  std::ifstream file("/proc/self/status");
  std::string word;
  int64_t kilobytes;
  while (file >> word)
    if (word == "VmHWM:" && file >> kilobytes)
      return kilobytes * 1024;
  return std::nullopt;
}

} // namespace attn::bench
