//===- Composition.h - Chunks and tiles of calls of a library's gemm --- -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_PEERS_COMPOSITION_H
#define ATTN_BENCH_MECHANISMS_PEERS_COMPOSITION_H

#include "bench/mechanisms/Peer.h"

namespace attn::bench {

/// C = alpha op(A) op(B) + beta C, row-major, on the calling thread alone;
/// `a` and `b` say whether A and B are transposed.
using Gemm = void (*)(bool a, bool b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *A, int64_t lda, const float *B,
                      int64_t ldb, float beta, float *C, int64_t ldc);

/// The best composition of calls of `gemm`, heads across threads: for linear
/// rows and rows of scalar decay the chunkwise form, or both products of the
/// row that is not causal; for softmax tiles of queries by all their keys, or
/// by tiles of keys with a running maximum. The tile is chosen by trial.
std::unique_ptr<Peer> createComposition(llvm::StringRef name, Gemm gemm);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_PEERS_COMPOSITION_H
