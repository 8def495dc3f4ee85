//===- Products.cpp - score, apply and contract -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;
using mlir::attn::ContractionOpInterface;
using mlir::attn::Einsum;
using mlir::attn::EinsumOperand;
using mlir::attn::EinsumRoles;

namespace attn {

namespace {
/// A matrix product for each batch index: where its elements lie.
struct Product {
  /// The positions of one operand's elements, a summand for each group of axes.
  struct Offsets {
    std::vector<int64_t> batch, rows, cols;
  };
  Offsets lhs, rhs, result; // rows x sum, sum x cols, rows x cols
};
} // namespace

static Product::Offsets getOffsets(const EinsumOperand &operand,
                                   const PerAxis &sizes, ArrayRef<char> batch,
                                   ArrayRef<char> rows, ArrayRef<char> cols) {
  PerAxis strides = getAxisStrides(operand, sizes);
  return {getOffsets(batch, sizes, strides), getOffsets(rows, sizes, strides),
          getOffsets(cols, sizes, strides)};
}

/// Rows of the result that are computed together.
static constexpr int64_t kRows = 4;

/// c[i, j] = sum_k a[i, k] b[k, j] for kRows rows; all contiguous.
static void multiply(const double *a, const double *b, int64_t sum,
                     int64_t cols, double *c) {
  std::fill(c, c + kRows * cols, 0.0);
  // Columns of c that stay in the first cache.
  constexpr int64_t tile = 512;
  for (int64_t begin = 0; begin < cols; begin += tile) {
    int64_t end = std::min(begin + tile, cols);
    for (int64_t k = 0; k < sum; ++k) {
      const double *row = b + k * cols;
      double a0 = a[k], a1 = a[sum + k], a2 = a[2 * sum + k],
             a3 = a[3 * sum + k];
      double *c0 = c, *c1 = c + cols, *c2 = c1 + cols, *c3 = c2 + cols;
      for (int64_t j = begin; j < end; ++j) {
        c0[j] += a0 * row[j];
        c1[j] += a1 * row[j];
        c2[j] += a2 * row[j];
        c3[j] += a3 * row[j];
      }
    }
  }
}

/// The product of one batch index.
static void multiplyBatch(const Product &product, int64_t batch,
                          const double *lhs, const double *rhs,
                          double *result) {
  lhs += product.lhs.batch[batch];
  rhs += product.rhs.batch[batch];
  result += product.result.batch[batch];
  int64_t rows = product.lhs.rows.size(), sum = product.lhs.cols.size(),
          cols = product.rhs.cols.size();
  std::vector<double> b(sum * cols);
  for (int64_t k = 0; k < sum; ++k)
    for (int64_t j = 0; j < cols; ++j)
      b[k * cols + j] = rhs[product.rhs.rows[k] + product.rhs.cols[j]];
  forBlocks(rows, 8 * kRows, [&](int64_t begin, int64_t end) {
    std::vector<double> a(kRows * sum), c(kRows * cols);
    for (int64_t first = begin; first < end; first += kRows) {
      int64_t count = std::min(kRows, end - first);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t k = 0; k < sum; ++k)
          a[i * sum + k] =
              lhs[product.lhs.rows[first + i] + product.lhs.cols[k]];
      multiply(a.data(), b.data(), sum, cols, c.data());
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < cols; ++j)
          result[product.result.rows[first + i] + product.result.cols[j]] =
              c[i * cols + j];
    }
  });
}

llvm::Expected<Array> evaluateContraction(ContractionOpInterface op,
                                          const Array &lhs, const Array &rhs) {
  Einsum einsum = op.getSubscripts();
  // The result's static sizes may be what splits a group.
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  llvm::Expected<PerAxis> sizes = solveAxes(op,
                                            {{einsum.lhs, lhs.getShape()},
                                             {einsum.rhs, rhs.getShape()},
                                             {einsum.result, type.getShape()}},
                                            einsum.str());
  if (!sizes)
    return sizes.takeError();
  llvm::Expected<Array> result =
      createResult(op, getShape(einsum.result, *sizes));
  if (!result)
    return result;

  EinsumRoles roles = einsum.getRoles();
  Product product;
  product.lhs = getOffsets(einsum.lhs, *sizes, roles.batch, roles.lhsFree,
                           roles.contracted);
  product.rhs = getOffsets(einsum.rhs, *sizes, roles.batch, roles.contracted,
                           roles.rhsFree);
  product.result = getOffsets(einsum.result, *sizes, roles.batch, roles.lhsFree,
                              roles.rhsFree);
  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t batch = begin; batch < end; ++batch)
      multiplyBatch(product, batch, getDoubles(lhs), getDoubles(rhs),
                    getDoubles(*result));
  };
  // Many small products run side by side, few large ones are split by rows.
  int64_t batches = product.result.batch.size();
  if (batches >= 64)
    forBlocks(batches, 1, run);
  else
    run(0, batches);
  return result;
}

} // namespace attn
