//===- Axes.h - Sizes and strides of named axes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_REFERENCE_AXES_H
#define ATTN_RUNTIME_REFERENCE_AXES_H

#include "runtime/reference/Evaluators.h"
#include <array>
#include <vector>

namespace attn {

/// A number for each axis `a` to `z`.
struct PerAxis {
  std::array<int64_t, 26> values;
  explicit PerAxis(int64_t value) { values.fill(value); }
  int64_t &operator[](char axis) { return values[axis - 'a']; }
  int64_t operator[](char axis) const { return values[axis - 'a']; }
};

using NamedShape = mlir::attn::Einsum::NamedShape;

/// The sizes of all axes that shapes have, 1 for the others. Dynamic sizes of
/// shapes, those of results, determine nothing. An error where sizes disagree
/// or nothing gives one; `text` is what it quotes.
llvm::Expected<PerAxis> solveAxes(mlir::Operation *op,
                                  ArrayRef<NamedShape> shapes,
                                  llvm::StringRef text);
/// The same for all operands and results of an operation, but for operands
/// without names, and for `more`.
llvm::Expected<PerAxis> solveAxes(mlir::attn::NamedAxesOpInterface op,
                                  ArrayRef<Array> operands,
                                  ArrayRef<NamedShape> more = {});

llvm::SmallVector<int64_t> getShape(const mlir::attn::EinsumOperand &axes,
                                    const PerAxis &sizes);

/// How far apart neighbours along each axis lie; 0 for an absent axis.
PerAxis getAxisStrides(const mlir::attn::EinsumOperand &operand,
                       const PerAxis &sizes);

/// The positions of all indices of `axes`, in row-major order.
std::vector<int64_t> getOffsets(ArrayRef<char> axes, const PerAxis &sizes,
                                const PerAxis &strides);

/// The number of indices of `axes`.
int64_t countIndices(ArrayRef<char> axes, const PerAxis &sizes);

/// All axes of an operand but `others`, in order.
llvm::SmallVector<char> getAxesBut(const mlir::attn::EinsumOperand &operand,
                                   llvm::StringRef others);

} // namespace attn

#endif // ATTN_RUNTIME_REFERENCE_AXES_H
