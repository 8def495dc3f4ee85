//===- ChainCost.h - What the orders of a chain cost -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_CHAINCOST_H
#define ATTN_PASSES_ALGEBRA_CHAINCOST_H

#include "passes/algebra/Chain.h"
#include "passes/algebra/CostModel.h"

namespace mlir::attn {

/// Costs of the products of one chain, by the model of CostModel.h.
class ChainCost {
public:
  explicit ChainCost(const Chain &chain) : chain(chain) {}

  /// `rows(A) V` keeps `rows`; every other order of such a chain carries the
  /// normaliser as a column of ones. True for the orders that carry it.
  bool carriesOnes(const Bracketing &order) const;
  /// The product of `[low, middle)` and `[middle, high)`.
  Cost getStep(Bracket bracket, bool onesCarried) const;
  /// What an order costs besides its products: the normaliser and, in the
  /// place of a softmax, the feature maps.
  Cost getExtra(bool onesCarried) const;
  Cost getTotal(const Bracketing &order) const;

private:
  Polynomial getSize(char axis, bool onesCarried) const;
  Polynomial getSize(ArrayRef<char> axes, bool onesCarried) const;
  Cost getFeatureMap(unsigned factor) const;

  const Chain &chain;
};

/// The features F of the declared map of a softmax; the width of queries and
/// keys is that of the summed axis of the scores.
int64_t getNumFeatures(const Chain &chain);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_CHAINCOST_H
