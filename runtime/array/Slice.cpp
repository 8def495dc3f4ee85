//===- Slice.cpp - Parts of arrays along one dimension --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Slice.h"
#include <cstring>

namespace attn {

Runs getRuns(ElementType type, llvm::ArrayRef<int64_t> whole,
             llvm::ArrayRef<int64_t> part, int64_t dim, int64_t begin) {
  Runs runs;
  int64_t inner = getElementSize(type);
  for (int64_t size : whole.drop_front(dim + 1))
    inner *= size;
  for (int64_t size : whole.take_front(dim))
    runs.count *= size;
  runs.bytes = part[dim] * inner;
  runs.stride = whole[dim] * inner;
  runs.offset = begin * inner;
  return runs;
}

/// `action(in the whole, in the part, bytes)` for each run.
static void forRuns(const Array &whole, const Array &part, int64_t dim,
                    int64_t begin,
                    llvm::function_ref<void(char *, char *, int64_t)> action) {
  Runs runs =
      getRuns(whole.getType(), whole.getShape(), part.getShape(), dim, begin);
  auto *there = static_cast<char *>(whole.getData()) + runs.offset;
  auto *here = static_cast<char *>(part.getData());
  for (int64_t i = 0; i < runs.count && runs.bytes > 0; ++i)
    action(there + i * runs.stride, here + i * runs.bytes, runs.bytes);
}

llvm::Expected<Array> getSlice(const Array &whole, int64_t dim, int64_t begin,
                               int64_t count) {
  llvm::SmallVector<int64_t> shape(whole.getShape());
  shape[dim] = count;
  llvm::Expected<Array> part = Array::create(whole.getType(), shape);
  if (part)
    forRuns(whole, *part, dim, begin,
            [](char *there, char *here, int64_t bytes) {
              std::memcpy(here, there, bytes);
            });
  return part;
}

void setSlice(const Array &part, const Array &whole, int64_t dim,
              int64_t begin) {
  forRuns(whole, part, dim, begin, [](char *there, char *here, int64_t bytes) {
    std::memcpy(there, here, bytes);
  });
}

} // namespace attn
