//===- Products.cpp - score, apply and contract -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Evaluators.h"
#include "llvm/Support/Parallel.h"
#include <array>
#include <vector>

using namespace mlir;
using mlir::attn::ContractionOpInterface;
using mlir::attn::Einsum;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;
using mlir::attn::EinsumRoles;

namespace attn {

namespace {

/// A number for each axis `a` to `z`.
struct PerAxis {
  std::array<int64_t, 26> values;
  explicit PerAxis(int64_t value) { values.fill(value); }
  int64_t &operator[](char axis) { return values[axis - 'a']; }
  int64_t operator[](char axis) const { return values[axis - 'a']; }
};

constexpr int64_t kUnknown = -1;

/// The sizes of the axes, from the shapes of both operands.
class AxisSizes {
public:
  AxisSizes(ContractionOpInterface op, const Einsum &einsum)
      : op(op), einsum(einsum), sizes(kUnknown) {}

  llvm::Expected<PerAxis> solve(ArrayRef<int64_t> lhs, ArrayRef<int64_t> rhs);

private:
  llvm::Error unify(const EinsumDim &dim, int64_t size);
  llvm::Error unify(const EinsumOperand &operand, ArrayRef<int64_t> shape);

  ContractionOpInterface op;
  const Einsum &einsum;
  PerAxis sizes;
};

/// A matrix product for each batch index: where its elements lie.
struct Product {
  /// The positions of one operand's elements, a summand for each group of axes.
  struct Offsets {
    std::vector<int64_t> batch, rows, cols;
  };
  Offsets lhs, rhs, result; // rows x sum, sum x cols, rows x cols
};

} // namespace

llvm::Error AxisSizes::unify(const EinsumDim &dim, int64_t size) {
  // size = product of the axes: check it, or solve for the one unknown.
  int64_t product = 1;
  SmallVector<char> unknown;
  for (char axis : dim) {
    if (sizes[axis] == kUnknown)
      unknown.push_back(axis);
    else
      product *= sizes[axis];
  }
  if (unknown.size() > 1)
    return llvm::Error::success();
  if (unknown.empty() && product == size)
    return llvm::Error::success();
  if (unknown.empty() && dim.size() == 1)
    return createError(op, "axis '" + llvm::Twine(dim.front()) +
                               "' has the sizes " + llvm::Twine(product) +
                               " and " + llvm::Twine(size) + " in '" +
                               einsum.str() + "'");
  if (unknown.empty() || (product == 0 ? size != 0 : size % product != 0))
    return createError(op, "dimension of size " + llvm::Twine(size) +
                               " is not a multiple of its group of " +
                               llvm::Twine(product) + " in '" + einsum.str() +
                               "'");
  sizes[unknown.front()] = product == 0 ? 0 : size / product;
  return llvm::Error::success();
}

llvm::Error AxisSizes::unify(const EinsumOperand &operand,
                             ArrayRef<int64_t> shape) {
  for (auto [dim, size] : llvm::zip_equal(operand, shape))
    if (llvm::Error error = unify(dim, size))
      return error;
  return llvm::Error::success();
}

llvm::Expected<PerAxis> AxisSizes::solve(ArrayRef<int64_t> lhs,
                                         ArrayRef<int64_t> rhs) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  // Once more for the groups whose axes another operand gives.
  for (int pass = 0; pass < 2; ++pass) {
    if (llvm::Error error = unify(einsum.lhs, lhs))
      return std::move(error);
    if (llvm::Error error = unify(einsum.rhs, rhs))
      return std::move(error);
    // The result's static sizes may be what splits a group.
    for (auto [dim, size] : llvm::zip_equal(einsum.result, type.getShape()))
      if (ShapedType::isStatic(size))
        if (llvm::Error error = unify(dim, size))
          return std::move(error);
  }
  for (const EinsumOperand *operand : {&einsum.lhs, &einsum.rhs})
    for (const EinsumDim &dim : *operand)
      for (char axis : dim)
        if (sizes[axis] == kUnknown)
          return createError(op, "nothing gives the size of axis '" +
                                     llvm::Twine(axis) + "' in '" +
                                     einsum.str() + "'");
  return sizes;
}

/// How far apart neighbours along each axis lie; 0 for an absent axis.
static PerAxis getAxisStrides(const EinsumOperand &operand,
                              const PerAxis &sizes) {
  PerAxis strides(0);
  int64_t stride = 1;
  for (const EinsumDim &dim : llvm::reverse(operand))
    for (char axis : llvm::reverse(dim)) {
      strides[axis] = stride;
      stride *= sizes[axis];
    }
  return strides;
}

/// The positions of all indices of `axes`, in row-major order.
static std::vector<int64_t>
getOffsets(ArrayRef<char> axes, const PerAxis &sizes, const PerAxis &strides) {
  std::vector<int64_t> offsets = {0};
  for (char axis : axes) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * sizes[axis]);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < sizes[axis]; ++i)
        next.push_back(offset + i * strides[axis]);
    offsets = std::move(next);
  }
  return offsets;
}

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
  llvm::Expected<PerAxis> sizes =
      AxisSizes(op, einsum).solve(lhs.getShape(), rhs.getShape());
  if (!sizes)
    return sizes.takeError();
  SmallVector<int64_t> shape;
  for (const EinsumDim &dim : einsum.result) {
    shape.push_back(1);
    for (char axis : dim)
      shape.back() *= (*sizes)[axis];
  }
  llvm::Expected<Array> result = createResult(op, shape);
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
