//===- AxisNames.h - Common names for the axes of several operations ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_AXISNAMES_H
#define ATTN_PASSES_ALGEBRA_AXISNAMES_H

#include "dialect/Attn.h"
#include "llvm/ADT/DenseMap.h"
#include <string>

namespace mlir::attn {

/// A value and what its dimensions stand for, in common names.
struct NamedTensor {
  Value value;
  EinsumOperand axes;

  bool operator==(const NamedTensor &other) const {
    return value == other.value && axes == other.axes;
  }
  explicit operator bool() const { return value != nullptr; }
};

/// The letters of each operation are its own. This gives the axes of several
/// operations common names: `n` for the token, `d` and `v` for the channels of
/// keys and values, as recurrences have them, and other letters for the batch.
/// A dimension that one operation takes for one axis and another for a group
/// `(gr)` becomes the group everywhere.
class AxisNames {
public:
  static constexpr char kQuery = 'n', kKey = 'm', kFeature = 'd', kValue = 'v';

  /// How the letters of one operation are named here.
  using Renaming = llvm::SmallDenseMap<char, EinsumDim>;

  /// A name for a batch axis, `wanted` if it is free.
  char create(char wanted);

  /// Extends `renaming` so that the dimensions `local` are `named`; fails where
  /// they differ in rank, or where groups do not fit.
  LogicalResult match(const EinsumOperand &local, const EinsumOperand &named,
                      Renaming &renaming);
  /// Axes in common names; letters without one get one.
  EinsumOperand rename(const EinsumOperand &local, Renaming &renaming);
  /// The axes with every group that was found since.
  EinsumOperand resolve(const EinsumOperand &axes) const;

private:
  llvm::SmallDenseMap<char, EinsumDim> splits;
  std::string used;
};

/// Whether a dimension is `axis` or a group with it.
inline bool hasAxis(const EinsumOperand &axes, char axis) {
  return Einsum::find(axes, axis) >= 0;
}

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_AXISNAMES_H
