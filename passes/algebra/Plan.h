//===- Plan.h - The plan of a function's chains -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_PLAN_H
#define ATTN_PASSES_ALGEBRA_PLAN_H

#include "passes/algebra/Orders.h"

namespace mlir::attn {

/// A chain and the orders that it may take.
struct ChainPlan {
  Chain chain;
  /// The orders to choose from at run time; one if the choice is static. Empty
  /// if `order=linear` admits none.
  SmallVector<Bracketing> candidates;
  /// Said of a choice that is not the best one.
  std::string note;

  bool keepsWritten() const {
    return candidates.empty() ||
           (candidates.size() == 1 && candidates.front() == chain.written);
  }
};

/// What `attn-reassociate` does to a function, and `--explain` prints.
struct FunctionPlan {
  ShapeClasses classes;
  /// Users before the chains that they use.
  std::vector<ChainPlan> chains;
  SmallVector<Obstacle> obstacles;
};

/// At most so many orders are branches of a choice at run time.
constexpr unsigned kMaxCandidates = 4;

/// Fails with a diagnostic where a declared feature map does not fit (F4) or
/// an `attn.axes` attribute cannot be read.
FailureOr<FunctionPlan> planFunction(FunctionOpInterface func,
                                     OrderChoice choice, double flopsPerByte);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_PLAN_H
