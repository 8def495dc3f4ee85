//===- Slice.h - Parts of arrays along one dimension -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_SLICE_H
#define ATTN_RUNTIME_ARRAY_SLICE_H

#include "runtime/array/Array.h"

namespace attn {

/// Where a part of an array lies: `count` runs of `bytes`, `stride` apart.
struct Runs {
  int64_t count = 1;
  int64_t bytes = 0;
  int64_t stride = 0;
  int64_t offset = 0;
};

/// The runs of `part`, which begins at position `begin` of dimension `dim`.
Runs getRuns(ElementType type, llvm::ArrayRef<int64_t> whole,
             llvm::ArrayRef<int64_t> part, int64_t dim, int64_t begin);

/// A copy of [begin, begin + count) of dimension `dim`.
llvm::Expected<Array> getSlice(const Array &whole, int64_t dim, int64_t begin,
                               int64_t count);
/// Puts `part` into `whole`, of the same type, from `begin` of `dim` on.
void setSlice(const Array &part, const Array &whole, int64_t dim,
              int64_t begin);

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_SLICE_H
