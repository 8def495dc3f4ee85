//===- Rows.cpp - Softmax, normalisers and their column of ones -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Evaluators.h"
#include <array>
#include <cmath>

using namespace mlir;

namespace attn {

/// `function(in, out, n)` for each row along the last dimension.
static llvm::Expected<Array>
mapRows(Operation *op, const Array &input,
        llvm::function_ref<void(const double *, double *, int64_t)> function) {
  llvm::Expected<Array> result = createResult(op, input.getShape());
  if (!result || input.getNumElements() == 0)
    return result;
  int64_t width = input.getShape().back();
  const double *in = getDoubles(input);
  double *out = getDoubles(*result);
  forBlocks(input.getNumElements() / width, 16,
            [&](int64_t begin, int64_t end) {
              for (int64_t row = begin; row < end; ++row)
                function(in + row * width, out + row * width, width);
            });
  return result;
}

llvm::Expected<Array> evaluateSoftmax(mlir::attn::SoftmaxOp op,
                                      const Array &scores) {
  return mapRows(op, scores, [](const double *in, double *out, int64_t n) {
    double largest = -std::numeric_limits<double>::infinity();
    bool isMasked = true; // -inf throughout
    for (int64_t i = 0; i < n; ++i) {
      largest = std::fmax(largest, in[i]);
      isMasked &= in[i] == -std::numeric_limits<double>::infinity();
    }
    if (isMasked) {
      std::fill(out, out + n, 0.0);
      return;
    }
    double sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += out[i] = std::exp(in[i] - largest);
    for (int64_t i = 0; i < n; ++i)
      out[i] /= sum;
  });
}

llvm::Expected<Array> evaluateNormalize(mlir::attn::NormalizeOp op,
                                        const Array &scores) {
  double eps = op.getEps().convertToDouble();
  return mapRows(op, scores, [eps](const double *in, double *out, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += in[i];
    for (int64_t i = 0; i < n; ++i)
      out[i] = eps + sum == 0 ? 0.0 : in[i] / (eps + sum);
  });
}

/// Sizes before, of and after dimension `dim`.
static std::array<int64_t, 3> split(ArrayRef<int64_t> shape, int64_t dim) {
  std::array<int64_t, 3> sizes = {1, shape[dim], 1};
  for (auto [i, size] : llvm::enumerate(shape))
    if (static_cast<int64_t>(i) != dim)
      sizes[static_cast<int64_t>(i) < dim ? 0 : 2] *= size;
  return sizes;
}

llvm::Expected<Array> evaluateAppendOnes(mlir::attn::AppendOnesOp op,
                                         const Array &input) {
  SmallVector<int64_t> shape(input.getShape());
  auto [outer, size, inner] = split(shape, op.getDimension());
  ++shape[op.getDimension()];
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  const double *in = getDoubles(input);
  double *out = getDoubles(*result);
  for (int64_t i = 0; i < outer; ++i) {
    out = std::copy(in, in + size * inner, out);
    in += size * inner;
    out = std::fill_n(out, inner, 1.0);
  }
  return result;
}

llvm::Expected<Array> evaluateDivideByLast(mlir::attn::DivideByLastOp op,
                                           const Array &input) {
  double eps = op.getEps().convertToDouble();
  SmallVector<int64_t> shape(input.getShape());
  auto [outer, size, inner] = split(shape, op.getDimension());
  int64_t last = --shape[op.getDimension()];
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  double *out = getDoubles(*result);
  for (int64_t i = 0; i < outer; ++i) {
    const double *in = getDoubles(input) + i * size * inner;
    for (int64_t j = 0; j < last * inner; ++j) {
      double divisor = eps + in[last * inner + j % inner];
      *out++ = divisor == 0 ? 0.0 : in[j] / divisor;
    }
  }
  return result;
}

} // namespace attn
