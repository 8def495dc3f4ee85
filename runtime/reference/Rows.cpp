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

namespace {
/// x / (eps + y), or x / (eps + max(|y|, floor e^-m)); zero where the divisor
/// is.
struct Quotient {
  double eps, floor;
  bool hasFloor;

  template <typename Op>
  explicit Quotient(Op op)
      : eps(op.getEps().convertToDouble()),
        floor(op.getFloor() ? op.getFloor()->convertToDouble() : 0),
        hasFloor(op.getFloor().has_value()) {}

  double operator()(double x, double y, double logScale = 0) const {
    if (hasFloor) {
      y = std::fabs(y);
      if (!std::isnan(y))
        y = std::max(y, floor * std::exp(-logScale));
    }
    return eps + y == 0 ? 0.0 : x / (eps + y);
  }
};
} // namespace

llvm::Expected<Array> evaluateNormalize(mlir::attn::NormalizeOp op,
                                        const Array &scores) {
  Quotient quotient(op);
  return mapRows(op, scores, [&](const double *in, double *out, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += in[i];
    for (int64_t i = 0; i < n; ++i)
      out[i] = quotient(in[i], sum);
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
                                           ArrayRef<Array> operands) {
  Quotient quotient(op);
  SmallVector<int64_t> shape(operands[0].getShape());
  auto [outer, size, inner] = split(shape, op.getDimension());
  int64_t last = --shape[op.getDimension()];
  if (op.getLogScale()) {
    SmallVector<int64_t> rows(shape);
    rows.erase(rows.begin() + op.getDimension());
    if (operands[1].getShape() != ArrayRef(rows))
      return createError(op, "log_scale has the shape " +
                                 getText(operands[1].getShape()) +
                                 ", expected " + getText(rows));
  }
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  double *out = getDoubles(*result);
  for (int64_t i = 0; i < outer; ++i) {
    const double *in = getDoubles(operands[0]) + i * size * inner;
    for (int64_t j = 0; j < last * inner; ++j) {
      int64_t row = j % inner;
      double logScale =
          op.getLogScale() ? getDoubles(operands[1])[i * inner + row] : 0;
      *out++ = quotient(in[j], in[last * inner + row], logScale);
    }
  }
  return result;
}

llvm::Expected<Array> evaluateDivide(mlir::attn::DivideOp op,
                                     ArrayRef<Array> operands) {
  Quotient quotient(op);
  for (const Array &operand : operands)
    if (operand.getShape() != operands[0].getShape())
      return createError(op, "operands have the shapes " +
                                 getText(operands[0].getShape()) + " and " +
                                 getText(operand.getShape()));
  llvm::Expected<Array> result = createResult(op, operands[0].getShape());
  if (!result)
    return result;
  for (int64_t i = 0; i < result->getNumElements(); ++i)
    getDoubles(*result)[i] =
        quotient(getDoubles(operands[0])[i], getDoubles(operands[1])[i],
                 op.getLogScale() ? getDoubles(operands[2])[i] : 0);
  return result;
}

} // namespace attn
