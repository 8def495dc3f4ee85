//===- Simd.h - Vectors as wide as the CPU's ------------------ -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For files that are compiled for this machine alone.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_SIMD_H
#define ATTN_BENCH_MECHANISMS_SIMD_H

#include <cstdint>
#include <cstring>

namespace attn::bench {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

inline Vector load(const float *data) {
  Vector x;
  std::memcpy(&x, data, sizeof(x));
  return x;
}

inline void store(float *data, Vector x) { std::memcpy(data, &x, sizeof(x)); }

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_SIMD_H
