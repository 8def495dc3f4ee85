//===- Bounds.h - What a graph says about signs -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_BOUNDS_H
#define ATTN_RUNTIME_ENGINE_BOUNDS_H

#include "mlir/IR/Value.h"
#include <limits>

namespace attn {

/// An interval that has every element of a value that is not NaN.
struct Bounds {
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();

  bool isWithin(double least, double most) const {
    return lo >= least && hi <= most;
  }
};

/// Bounds that follow from the operations which compute a value, whatever the
/// arguments: the ranges of feature maps, signs of products and scales,
/// elements of constants.
Bounds getBounds(mlir::Value value);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_BOUNDS_H
