//===- Orders.h - The cheapest orders of a chain -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_ORDERS_H
#define ATTN_PASSES_ALGEBRA_ORDERS_H

#include "passes/Passes.h"
#include "passes/algebra/ChainCost.h"

namespace mlir::attn {

/// An order that wins for some sizes.
struct Winner {
  Bracketing order;
  /// The number of sampled sizes at which it is the cheapest.
  unsigned wins = 0;
};

/// The orders that win somewhere, most frequent first, found by dynamic
/// programming over intervals of factors at sampled sizes: each dynamic size is
/// 1, 4, 16, ..., 2^20, equal sizes are one symbol, batch sizes are 1. With one
/// symbol that is 11 samples, with many of them the steps are larger. The order
/// that is written wins where no other is cheaper. Empty if `choice` admits no
/// order.
///
/// Complexity: O(samples * factors^3).
SmallVector<Winner> findWinners(const Chain &chain, const ChainCost &costs,
                                OrderChoice choice, double flopsPerByte);

/// All bracketings of `count` factors, Catalan(count - 1) of them.
std::vector<Bracketing> enumerateOrders(unsigned count);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_ORDERS_H
