//===- Chain.h - Chains of products -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_CHAIN_H
#define ATTN_PASSES_ALGEBRA_CHAIN_H

#include "dialect/Attn.h"
#include "passes/algebra/ShapeClasses.h"
#include <array>

namespace mlir::attn {

/// An order of the products of a chain: for each product the factors
/// `[low, middle)` times the factors `[middle, high)`, operands first.
using Bracket = std::array<unsigned, 3>;
using Bracketing = std::vector<Bracket>;

/// The middle of the product of the factors `[low, high)`.
unsigned getMiddle(const Bracketing &order, unsigned low, unsigned high);

/// An axis of a chain. Each has one letter in the whole chain.
struct ChainAxis {
  ShapeClasses::Id size;
  int64_t staticSize;
  /// In more than one factor and in the result: a batch or a group of heads.
  bool isBatch;
};

struct ChainFactor {
  Value value;
  EinsumOperand axes;
};

/// `x0 -F0- x1 -F1- ... xk`: a maximal tree of products in which each factor
/// shares one summed axis with the factor before it and one with the factor
/// after it. By associativity (F1 of the design: (AB)C = A(BC)) every
/// bracketing gives the same result.
///
/// `rows`, if there is one, is an `attn.normalize` or an `attn.softmax` with a
/// declared feature map that stands between the product A of all factors but
/// the last one, V, and V: the chain is `rows(A) V`.
struct Chain {
  ContractionOpInterface root;
  /// All operations that the chain replaces but for the root, in order.
  SmallVector<Operation *> interior;
  SmallVector<ChainFactor> factors;
  EinsumOperand result;
  /// The product of the constants in the tree; within `rows`, if there is one,
  /// and outside of it.
  double scale = 1, outerScale = 1;
  Operation *rows = nullptr;
  /// The axes of the operand of `rows`.
  EinsumOperand scores;
  /// The axis of V that gains a column of ones; 0 without `rows`.
  char valueAxis = 0;
  Bracketing written;
  llvm::MapVector<char, ChainAxis> axes;

  unsigned size() const { return factors.size(); }
  RankedTensorType getType() { return root.getResult().getType(); }
  SoftmaxOp getSoftmax() const { return dyn_cast_or_null<SoftmaxOp>(rows); }
  /// The axis that the product of two neighbours sums over.
  char getSummedAxis(unsigned middle) const;
  /// The axes of the product of the factors `[low, high)`: those that the
  /// result or another factor needs.
  SmallVector<char> getAxes(unsigned low, unsigned high) const;
  /// Whether that product has two token axes: scores, which are not stored.
  bool isQuadratic(unsigned low, unsigned high) const;
  /// The token axis of the result: the rows of scores.
  char getRowAxis() const;
};

/// Why two products could not be reordered.
struct Obstacle {
  Operation *op;
  std::string reason;
};

/// The chain that ends in `root`, if it has three factors or more. What stands
/// between two products and cannot be moved is added to `obstacles`.
std::optional<Chain> buildChain(ContractionOpInterface root,
                                const ShapeClasses &classes,
                                SmallVectorImpl<Obstacle> &obstacles);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_CHAIN_H
