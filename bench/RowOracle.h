//===- RowOracle.h - A few rows of linear attention in f64 ------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_ROWORACLE_H
#define ATTN_BENCH_ROWORACLE_H

#include "runtime/array/Array.h"

namespace attn::bench {

/// ||o - e|| / ||e|| over `count` rows of o, spread over heads and tokens from
/// the first to the last, where e is
///   e_t = sum_s w_ts v_s / sum_s w_ts,  w_ts = phi(q_t) . phi(k_s),
///   phi(x) = elu(x) + 1
/// summed in f64 as it stands. This is O(N) a row, so it reaches lengths at
/// which the reference engine's O(N^2) does not. Arrays are f32 [1, H, N, D].
double getRowError(llvm::ArrayRef<Array> qkv, const Array &output,
                   int64_t count);

} // namespace attn::bench

#endif // ATTN_BENCH_ROWORACLE_H
