//===- HostCode.h - Compiled code that can be kept -*- C++ -*- ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HOSTCODE_H
#define ATTN_RUNTIME_ENGINE_HOSTCODE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MemoryBuffer.h"
#include <chrono>
#include <memory>
#include <optional>

namespace attn {

/// What compiling a function for this machine gives.
struct HostCode {
  /// As compileObject makes it, with a packed function.
  std::unique_ptr<llvm::MemoryBuffer> object;
  /// For each result the argument that is its memory, or -1 where the function
  /// returns it. Arguments beyond the graph's are outputs.
  llvm::SmallVector<int64_t> inPlace;
};

/// Where the code of one function may be kept.
class CodeStore {
public:
  virtual ~CodeStore() = default;
  /// None if it is not there; what is found is trusted.
  virtual std::optional<HostCode> find() = 0;
  virtual void save(const HostCode &code) = 0;
};

/// Seconds of each step of a compilation; 0 for what was not done.
struct CompileTimes {
  /// From text to a graph.
  double parse = 0;
  /// The algebra: linear forms, orders of products, forms of recurrences.
  double derive = 0;
  /// From the graph to the LLVM dialect.
  double lower = 0;
  /// From the LLVM dialect to machine code.
  double llvm = 0;
  /// From machine code to a callable.
  double load = 0;
};

/// Adds the seconds of its life to a number.
class Stopwatch {
public:
  explicit Stopwatch(double *seconds) : seconds(seconds) {}
  Stopwatch(const Stopwatch &) = delete;
  ~Stopwatch() { stop(); }

  void stop() {
    if (seconds)
      *seconds += std::chrono::duration<double>(Clock::now() - start).count();
    seconds = nullptr;
  }

private:
  using Clock = std::chrono::steady_clock;
  double *seconds;
  Clock::time_point start = Clock::now();
};

/// What a compilation may use and report; all may be null.
struct CompileHooks {
  CodeStore *store = nullptr;
  CompileTimes *times = nullptr;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_HOSTCODE_H
