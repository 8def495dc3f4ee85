//===- Divisors.h - Sizes of vectors and tiles -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_CPU_DIVISORS_H
#define ATTN_PASSES_CPU_DIVISORS_H

#include <algorithm>
#include <cstdint>

namespace mlir::attn {

/// The largest divisor of `size` that is at most `limit`, both positive.
inline int64_t getLargestDivisor(int64_t size, int64_t limit) {
  int64_t divisor = std::min(size, limit);
  while (size % divisor != 0)
    --divisor;
  return divisor;
}

} // namespace mlir::attn

#endif // ATTN_PASSES_CPU_DIVISORS_H
