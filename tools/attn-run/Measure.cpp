//===- Measure.cpp - Time and memory of a run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measure.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <fstream>
#include <malloc.h>
#include <string>

namespace attn::tool {

/// A line `name:  N kB` of the process's status, in bytes.
static std::optional<int64_t> readStatus(const std::string &name) {
  std::ifstream file("/proc/self/status");
  std::string word;
  int64_t kilobytes;
  while (file >> word)
    if (word == name && file >> kilobytes)
      return kilobytes * 1024;
  return std::nullopt;
}

llvm::Error measurePeakMemory(llvm::function_ref<llvm::Error()> action,
                              std::optional<int64_t> &bytes) {
  // Memory that malloc keeps from earlier work would hide what is used anew.
  malloc_trim(0);
  // Sets the peak to what is resident now.
  std::ofstream("/proc/self/clear_refs") << "5" << std::flush;
  std::optional<int64_t> before = readStatus("VmHWM:");
  if (llvm::Error error = action())
    return error;
  std::optional<int64_t> after = readStatus("VmHWM:");
  if (before && after)
    bytes = *after - *before;
  return llvm::Error::success();
}

static void printSeconds(llvm::raw_ostream &stream, double seconds) {
  if (seconds < 1e-3)
    stream << llvm::format("%.1f us", seconds * 1e6);
  else if (seconds < 1)
    stream << llvm::format("%.2f ms", seconds * 1e3);
  else
    stream << llvm::format("%.3f s", seconds);
}

llvm::Error printTimes(unsigned runs,
                       llvm::function_ref<llvm::Error()> action) {
  using Clock = std::chrono::steady_clock;
  llvm::SmallVector<double> times;
  double total = 0;
  bool showsProgress = false;
  for (unsigned i = 0; i < runs; ++i) {
    auto begin = Clock::now();
    llvm::Error error = action();
    std::chrono::duration<double> time = Clock::now() - begin;
    if (error)
      return error;
    times.push_back(time.count());
    total += time.count();
    if (i + 1 < runs && llvm::errs().is_displayed() &&
        (total > 1 || total / (i + 1) * runs > 1)) {
      llvm::errs() << "\rrun " << i + 1 << " of " << runs << ", about "
                   << llvm::format("%.0f s left   ",
                                   total / (i + 1) * (runs - i - 1));
      showsProgress = true;
    }
  }
  if (showsProgress)
    llvm::errs() << "\r\x1b[K";
  llvm::sort(times);
  double median = (times[(runs - 1) / 2] + times[runs / 2]) / 2;
  llvm::raw_ostream &stream = llvm::outs();
  stream << "time: median ";
  printSeconds(stream, median);
  stream << ", min ";
  printSeconds(stream, times.front());
  stream << ", max ";
  printSeconds(stream, times.back());
  stream << llvm::format(", spread %.1f%%, ",
                         100 * (times.back() - times.front()) / median)
         << runs << (runs == 1 ? " run\n" : " runs\n");
  return llvm::Error::success();
}

} // namespace attn::tool
