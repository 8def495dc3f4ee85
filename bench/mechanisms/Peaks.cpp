//===- Peaks.cpp - What the machine can do at most ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Peaks.h"
#include "Simd.h"
#include <cstdlib>
#include <memory>
#include <omp.h>

// A constraint for a vector register.
#if defined(__aarch64__)
#define ATTN_BENCH_REGISTER "+w"
#else
#define ATTN_BENCH_REGISTER "+x"
#endif

namespace attn::bench {

/// Keeps a value alive without storing it.
static void use(const Vector &x) { asm volatile("" : : "m"(x)); }

static void multiplyAdd(int64_t steps) {
  // A dependent multiply-add takes four cycles, two may start in one.
  constexpr int chains = 12;
  Vector sums[chains], a = {}, b = {};
  a += 0.999f;
  b += 1e-3f;
  // Values that the compiler cannot know to be equal.
  for (Vector &sum : sums) {
    sum = b;
    asm volatile("" : ATTN_BENCH_REGISTER(sum));
  }
  for (int64_t i = 0; i < steps; ++i) {
    asm volatile("" : ATTN_BENCH_REGISTER(a), ATTN_BENCH_REGISTER(b));
#pragma GCC unroll 12
    for (int j = 0; j < chains; ++j)
      sums[j] = sums[j] * a + b;
  }
  for (const Vector &sum : sums)
    use(sum);
}

Peak makeFmaPeak(int threads) {
  constexpr int64_t steps = 100000;
  return {"fma", 2.0 * 12 * kLanes * steps * threads,
          [threads]() -> llvm::Error {
#pragma omp parallel num_threads(threads)
            multiplyAdd(steps);
            return llvm::Error::success();
          }};
}

/// Memory of whole lines, all of it touched.
static std::shared_ptr<float> allocate(int64_t bytes) {
  auto *data = static_cast<float *>(std::aligned_alloc(64, bytes));
  for (int64_t i = 0; data && i < bytes / 4; ++i)
    data[i] = 1;
  return std::shared_ptr<float>(data, std::free);
}

Peak makeCopyPeak(int threads) {
  constexpr int64_t bytes = int64_t(1) << 26;
  auto from = allocate(bytes), to = allocate(bytes);
  return {"copy", 2.0 * bytes, [=]() -> llvm::Error {
            int64_t part = bytes / threads / 64 * 64;
#pragma omp parallel num_threads(threads)
            {
              int64_t begin = part * omp_get_thread_num();
              std::memcpy(reinterpret_cast<char *>(to.get()) + begin,
                          reinterpret_cast<char *>(from.get()) + begin, part);
            }
            return llvm::Error::success();
          }};
}

/// `count` floats, of which a group of vectors is the least.
static void update(float *data, int64_t count, float factor) {
  constexpr int group = 8;
  for (int64_t i = 0; i + group * kLanes <= count; i += group * kLanes)
#pragma GCC unroll 8
    for (int j = 0; j < group; ++j)
      store(data + i + j * kLanes, load(data + i + j * kLanes) * factor);
}

Peak makeUpdatePeak(int threads, int64_t bytes) {
  int64_t part = std::max<int64_t>(bytes / threads / 1024 * 1024, 1024);
  // Enough passes for the start of threads not to show.
  int64_t passes = std::max<int64_t>(1, (int64_t(16) << 20) / part);
  auto data = allocate(part * threads);
  return {"update", 2.0 * part * threads * passes, [=]() -> llvm::Error {
#pragma omp parallel num_threads(threads)
            {
              float *mine = data.get() + part / 4 * omp_get_thread_num();
              for (int64_t i = 0; i < passes; ++i)
                update(mine, part / 4, i % 2 ? 0.5f : 2.0f);
            }
            return llvm::Error::success();
          }};
}

} // namespace attn::bench
