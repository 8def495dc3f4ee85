//===- Blas.cpp - OpenBLAS ------------------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Composition.h"
#include <cblas.h>

namespace attn::bench {

static void multiply(bool a, bool b, int64_t m, int64_t n, int64_t k,
                     float alpha, const float *A, int64_t lda, const float *B,
                     int64_t ldb, float beta, float *C, int64_t ldc) {
  cblas_sgemm(CblasRowMajor, a ? CblasTrans : CblasNoTrans,
              b ? CblasTrans : CblasNoTrans, m, n, k, alpha, A, lda, B, ldb,
              beta, C, ldc);
}

std::unique_ptr<Peer> createBlasPeer() {
  // Threads are over heads.
  openblas_set_num_threads(1);
  return createComposition("blas", multiply);
}

} // namespace attn::bench
