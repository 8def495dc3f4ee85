//===- Gates.cpp - gate, solve, expand_steps and take_steps -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"
#include "runtime/reference/Contents.h"

using namespace mlir;
using mlir::attn::Einsum;
using mlir::attn::EinsumRoles;

namespace attn {

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

llvm::Expected<Array> evaluateGate(mlir::attn::GateOp op,
                                   ArrayRef<Array> operands) {
  llvm::Expected<PerAxis> sizes = solveAxes(op, operands);
  if (!sizes)
    return sizes.takeError();
  if (op.getLo())
    if (auto wrong =
            findOutside("gate", operands[1], op.getLo()->convertToDouble(),
                        op.getHi()->convertToDouble()))
      return createError(op, *wrong);
  Einsum einsum = op.getSubscripts();
  llvm::Expected<Array> result =
      createResult(op, getShape(einsum.result, *sizes));
  if (!result)
    return result;
  PerAxis left = getAxisStrides(einsum.lhs, *sizes),
          right = getAxisStrides(einsum.rhs, *sizes);
  // Rows along the last axis.
  SmallVector<char> outer = getAxesBut(einsum.result, ""), inner;
  if (!outer.empty())
    inner.push_back(outer.pop_back_val());
  std::vector<int64_t> lhsRows = getOffsets(outer, *sizes, left),
                       rhsRows = getOffsets(outer, *sizes, right),
                       lhsCols = getOffsets(inner, *sizes, left),
                       rhsCols = getOffsets(inner, *sizes, right);
  int64_t width = lhsCols.size();
  forBlocks(lhsRows.size(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const double *x = getDoubles(operands[0]) + lhsRows[row];
      const double *y = getDoubles(operands[1]) + rhsRows[row];
      double *out = getDoubles(*result) + row * width;
      for (int64_t i = 0; i < width; ++i)
        out[i] = x[lhsCols[i]] * y[rhsCols[i]];
    }
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Solves
//===----------------------------------------------------------------------===//

llvm::Expected<Array> evaluateSolve(mlir::attn::SolveOp op,
                                    ArrayRef<Array> operands) {
  llvm::Expected<PerAxis> sizes = solveAxes(op, operands);
  if (!sizes)
    return sizes.takeError();
  Einsum einsum = op.getSubscripts();
  EinsumRoles roles = einsum.getRoles();
  char row = op.getRowAxis(), column = op.getColumnAxis();
  llvm::Expected<Array> result =
      createResult(op, getShape(einsum.result, *sizes));
  if (!result)
    return result;
  PerAxis lower = getAxisStrides(einsum.lhs, *sizes),
          right = getAxisStrides(einsum.rhs, *sizes),
          solved = getAxisStrides(einsum.result, *sizes);
  std::vector<int64_t> lowerBatch = getOffsets(roles.batch, *sizes, lower),
                       rightBatch = getOffsets(roles.batch, *sizes, right),
                       solvedBatch = getOffsets(roles.batch, *sizes, solved),
                       rightCols = getOffsets(roles.rhsFree, *sizes, right),
                       solvedCols = getOffsets(roles.rhsFree, *sizes, solved);
  int64_t tokens = (*sizes)[row], width = rightCols.size();
  forBlocks(lowerBatch.size(), 1, [&](int64_t begin, int64_t end) {
    std::vector<double> u(tokens * width);
    for (int64_t batch = begin; batch < end; ++batch) {
      const double *l = getDoubles(operands[0]) + lowerBatch[batch];
      const double *b = getDoubles(operands[1]) + rightBatch[batch];
      double *out = getDoubles(*result) + solvedBatch[batch];
      for (int64_t n = 0; n < tokens; ++n) {
        // U[n] = B[n] - sum_{m < n} L[n, m] U[m]
        double *un = u.data() + n * width;
        for (int64_t v = 0; v < width; ++v)
          un[v] = b[n * right[column] + rightCols[v]];
        for (int64_t m = 0; m < n; ++m) {
          double factor = l[n * lower[row] + m * lower[column]];
          const double *um = u.data() + m * width;
          for (int64_t v = 0; v < width; ++v)
            un[v] -= factor * um[v];
        }
        for (int64_t v = 0; v < width; ++v)
          out[n * solved[row] + solvedCols[v]] = un[v];
      }
    }
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Sizes before and after dimension `dim`.
static std::pair<int64_t, int64_t> getSizesAround(ArrayRef<int64_t> shape,
                                                  int64_t dim) {
  int64_t outer = 1, inner = 1;
  for (int64_t size : shape.take_front(dim))
    outer *= size;
  for (int64_t size : shape.drop_front(dim + 1))
    inner *= size;
  return {outer, inner};
}

llvm::Expected<Array> evaluateExpandSteps(mlir::attn::ExpandStepsOp op,
                                          const Array &input) {
  SmallVector<int64_t> shape(input.getShape());
  int64_t dim = op.getTokenDimension(), steps = op.getSteps();
  auto [outer, inner] = getSizesAround(shape, dim);
  int64_t tokens = shape[dim];
  shape[dim] *= steps;
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  const double *in = getDoubles(input);
  double *out = getDoubles(*result);
  for (int64_t token = 0; token < outer * tokens; ++token) {
    out = std::fill_n(out, (steps - 1) * inner, 0.0);
    out = std::copy_n(in + token * inner, inner, out);
  }
  return result;
}

llvm::Expected<Array> evaluateTakeSteps(mlir::attn::TakeStepsOp op,
                                        const Array &input) {
  SmallVector<int64_t> shape(input.getShape());
  int64_t dim = op.getTokenDimension(), steps = op.getSteps();
  auto [outer, inner] = getSizesAround(shape, dim);
  if (shape[dim] % steps != 0)
    return createError(op, llvm::Twine(shape[dim]) +
                               " steps are not a multiple of " +
                               llvm::Twine(steps));
  shape[dim] /= steps;
  int64_t tokens = shape[dim];
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  const double *in = getDoubles(input);
  double *out = getDoubles(*result);
  for (int64_t token = 0; token < outer * tokens; ++token)
    out = std::copy_n(in + (token * steps + steps - 1) * inner, inner, out);
  return result;
}

} // namespace attn
