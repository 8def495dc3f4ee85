//===- AxisSizes.cpp - Sizes of named axes, with symbols -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/AxisSizes.h"

using namespace mlir;
using mlir::attn::Einsum;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;

namespace attn::dsl {

FailureOr<EinsumOperand> AxisSizes::parse(StringRef axes) {
  EinsumOperand operand;
  if (failed(
          Einsum::parseOperand(axes, operand, [&] { return builder.error(); })))
    return failure();
  return operand;
}

LogicalResult AxisSizes::set(char axis, const Dim &size) {
  auto [it, isNew] = sizes.try_emplace(axis, size);
  if (isNew || it->second == size)
    return success();
  return builder.error() << "axis '" << Twine(axis) << "' has the sizes "
                         << it->second.str() << " and " << size.str();
}

LogicalResult AxisSizes::equate(char first, char second) {
  auto size = sizes.find(first), other = sizes.find(second);
  if (size == sizes.end() || other == sizes.end() ||
      size->second == other->second)
    return success();
  return builder.error() << "expected as many queries as keys, got "
                         << size->second.str() << " and "
                         << other->second.str();
}

LogicalResult AxisSizes::add(const EinsumOperand &axes, const Tensor &tensor) {
  if (axes.size() != tensor.dims.size())
    return builder.error() << "axes '" << mlir::attn::toString(axes)
                           << "' do not fit " << describe(tensor);
  for (auto [axis, size] : llvm::zip_equal(axes, tensor.dims)) {
    if (axis.size() > 1)
      groups.push_back({axis, size});
    else if (failed(set(axis.front(), size)))
      return failure();
  }
  return success();
}

LogicalResult AxisSizes::add(StringRef axes, const Tensor &tensor) {
  FailureOr<EinsumOperand> operand = parse(axes);
  return failed(operand) ? failure() : add(*operand, tensor);
}

LogicalResult AxisSizes::solveGroups() {
  for (auto &[axes, size] : groups) {
    std::optional<Dim> rest = size;
    SmallVector<char> unknown;
    for (char axis : axes) {
      auto it = sizes.find(axis);
      if (it == sizes.end())
        unknown.push_back(axis);
      else if (rest)
        rest = rest->over(it->second);
    }
    if (!rest || (unknown.empty() && *rest != Dim(1)))
      return builder.error()
             << "a dimension of " << size.str() << " is not the product of '("
             << StringRef(axes.data(), axes.size()) << ")'";
    if (unknown.size() == 1)
      sizes.emplace(unknown.front(), *rest);
  }
  groups.clear();
  return success();
}

FailureOr<std::vector<Dim>> AxisSizes::get(const EinsumOperand &axes) {
  if (failed(solveGroups()))
    return failure();
  std::vector<Dim> dims;
  for (const EinsumDim &dim : axes) {
    std::optional<Dim> product = Dim(1);
    for (char axis : dim) {
      auto it = sizes.find(axis);
      if (it == sizes.end())
        return builder.error() << "no operand has the axis '" << Twine(axis)
                               << "' of the result";
      if (product)
        product = product->times(it->second);
    }
    if (!product)
      return builder.error()
             << "the group '(" << StringRef(dim.data(), dim.size())
             << ")' is a product of symbols";
    dims.push_back(*product);
  }
  return dims;
}

FailureOr<std::vector<Dim>> AxisSizes::get(StringRef axes) {
  FailureOr<EinsumOperand> operand = parse(axes);
  if (failed(operand))
    return failure();
  return get(*operand);
}

} // namespace attn::dsl
