//===- Axes.cpp - Sizes and strides of named axes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"

using namespace mlir;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;

namespace attn {

namespace {
constexpr int64_t kUnknown = -1;

/// Sizes that are known so far.
class AxisSizes {
public:
  AxisSizes(Operation *op, StringRef text)
      : op(op), text(text), sizes(kUnknown) {}

  llvm::Expected<PerAxis> solve(ArrayRef<NamedShape> shapes);

private:
  llvm::Error unify(const EinsumDim &dim, int64_t size);

  Operation *op;
  StringRef text;
  PerAxis sizes;
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
                               " and " + llvm::Twine(size) + " in '" + text +
                               "'");
  if (unknown.empty() || (product == 0 ? size != 0 : size % product != 0))
    return createError(op, "dimension of size " + llvm::Twine(size) +
                               " is not a multiple of its group of " +
                               llvm::Twine(product) + " in '" + text + "'");
  sizes[unknown.front()] = product == 0 ? 0 : size / product;
  return llvm::Error::success();
}

llvm::Expected<PerAxis> AxisSizes::solve(ArrayRef<NamedShape> shapes) {
  // Once more for the groups whose axes another operand gives.
  for (int pass = 0; pass < 2; ++pass)
    for (const auto &[axes, shape] : shapes)
      for (auto [dim, size] : llvm::zip_equal(axes, shape))
        if (ShapedType::isStatic(size))
          if (llvm::Error error = unify(dim, size))
            return std::move(error);
  for (const auto &[axes, shape] : shapes)
    for (const EinsumDim &dim : axes)
      for (char axis : dim)
        if (sizes[axis] == kUnknown)
          return createError(op, "nothing gives the size of axis '" +
                                     llvm::Twine(axis) + "' in '" + text + "'");
  for (int64_t &size : sizes.values)
    if (size == kUnknown)
      size = 1;
  return sizes;
}

llvm::Expected<PerAxis> solveAxes(Operation *op, ArrayRef<NamedShape> shapes,
                                  StringRef text) {
  return AxisSizes(op, text).solve(shapes);
}

llvm::Expected<PerAxis> solveAxes(mlir::attn::NamedAxesOpInterface op,
                                  ArrayRef<Array> operands,
                                  ArrayRef<NamedShape> more) {
  SmallVector<NamedShape> shapes(more);
  std::string text;
  SmallVector<EinsumOperand> operandAxes = op.getAxesOfOperands();
  for (auto [axes, array] : llvm::zip_equal(operandAxes, operands)) {
    // An operand without names, such as cu_seqlens.
    if (static_cast<int64_t>(axes.size()) != array.getRank())
      continue;
    text += (text.empty() ? "" : ",") + mlir::attn::toString(axes);
    shapes.push_back({axes, array.getShape()});
  }
  text += "->";
  SmallVector<EinsumOperand> resultAxes = op.getAxesOfResults();
  for (auto [axes, result] : llvm::zip_equal(resultAxes, op->getResults())) {
    text += (text.back() == '>' ? "" : ",") + mlir::attn::toString(axes);
    shapes.push_back(
        {axes, cast<RankedTensorType>(result.getType()).getShape()});
  }
  llvm::Expected<PerAxis> sizes = solveAxes(op, shapes, text);
  if (!sizes)
    return sizes;
  if (auto equal = op.getEqualAxes())
    if ((*sizes)[equal->first] != (*sizes)[equal->second])
      return createError(op, "axes '" + llvm::Twine(equal->first) + "' and '" +
                                 llvm::Twine(equal->second) +
                                 "' have the sizes " +
                                 llvm::Twine((*sizes)[equal->first]) + " and " +
                                 llvm::Twine((*sizes)[equal->second]) +
                                 ", expected equal ones");
  return sizes;
}

SmallVector<int64_t> getShape(const EinsumOperand &axes, const PerAxis &sizes) {
  SmallVector<int64_t> shape;
  for (const EinsumDim &dim : axes) {
    shape.push_back(1);
    for (char axis : dim)
      shape.back() *= sizes[axis];
  }
  return shape;
}

PerAxis getAxisStrides(const EinsumOperand &operand, const PerAxis &sizes) {
  PerAxis strides(0);
  int64_t stride = 1;
  for (const EinsumDim &dim : llvm::reverse(operand))
    for (char axis : llvm::reverse(dim)) {
      strides[axis] = stride;
      stride *= sizes[axis];
    }
  return strides;
}

std::vector<int64_t> getOffsets(ArrayRef<char> axes, const PerAxis &sizes,
                                const PerAxis &strides) {
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

int64_t countIndices(ArrayRef<char> axes, const PerAxis &sizes) {
  int64_t count = 1;
  for (char axis : axes)
    count *= sizes[axis];
  return count;
}

SmallVector<char> getAxesBut(const EinsumOperand &operand, StringRef others) {
  SmallVector<char> axes;
  for (const EinsumDim &dim : operand)
    for (char axis : dim)
      if (!others.contains(axis))
        axes.push_back(axis);
  return axes;
}

} // namespace attn
