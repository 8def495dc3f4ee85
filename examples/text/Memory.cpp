//===- Memory.cpp - What the kernel says about memory -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include <algorithm>
#include <fstream>
#include <string>

/// The number behind `key` in a file of lines "key: number kB", in bytes.
static double readKilobytes(const char *path, const std::string &key) {
  std::ifstream file(path);
  std::string word;
  double value;
  while (file >> word)
    if (word == key && file >> value)
      return value * 1024;
  return 0;
}

double attn::text::getAvailableMemory() {
  double available = readKilobytes("/proc/meminfo", "MemAvailable:");
  std::ifstream limitFile("/sys/fs/cgroup/memory.max");
  std::ifstream currentFile("/sys/fs/cgroup/memory.current");
  double limit, current;
  if (limitFile >> limit && currentFile >> current)
    available = std::min(available, std::max(0.0, limit - current));
  return available;
}

double attn::text::getPeakMemory() {
  return readKilobytes("/proc/self/status", "VmHWM:");
}

void attn::text::resetPeakMemory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}
