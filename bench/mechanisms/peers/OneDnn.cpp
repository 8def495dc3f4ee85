//===- OneDnn.cpp - oneDNN ------------------------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Composition.h"
#include <dnnl.h>

namespace attn::bench {

static void multiply(bool a, bool b, int64_t m, int64_t n, int64_t k,
                     float alpha, const float *A, int64_t lda, const float *B,
                     int64_t ldb, float beta, float *C, int64_t ldc) {
  dnnl_sgemm(a ? 'T' : 'N', b ? 'T' : 'N', m, n, k, alpha, A, lda, B, ldb, beta,
             C, ldc);
}

std::unique_ptr<Peer> createOneDnnPeer() {
  return createComposition("onednn", multiply);
}

} // namespace attn::bench
