//===- ChainTree.h - The tree of products under a root -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_CHAINTREE_H
#define ATTN_PASSES_ALGEBRA_CHAINTREE_H

#include "passes/algebra/Chain.h"

namespace mlir::attn {

/// The tree of products under a root, with axes renamed apart. Built by
/// buildChain, which then lays the leaves out as a chain.
struct ChainTree {
  /// Axes by number; a group of heads is several.
  using Dim = SmallVector<unsigned, 2>;
  using Dims = SmallVector<Dim, 4>;

  struct Axis {
    /// What stands for the axis: itself, another one, or a group of others.
    Dim is;
    char letter;
    bool isToken;
    ShapeClasses::Id size;
  };
  struct Node {
    /// A leaf if there is no product.
    ContractionOpInterface product;
    Value value;
    Dims dims;
    unsigned left = 0, right = 0;
    unsigned summed = 0;
  };

  SmallVector<Axis> axes;
  SmallVector<Node> nodes;
  unsigned root = 0;
  SmallVector<Operation *> absorbed;
  double scale = 1, outerScale = 1;
  Operation *rows = nullptr;
  /// The dims of the operand of `rows` and the leaf that it is applied to.
  Dims scores;
  unsigned valueLeaf = 0;

  ChainTree(const ShapeClasses &classes, SmallVectorImpl<Obstacle> &obstacles)
      : classes(classes), obstacles(obstacles) {}

  /// Adds the product and all products that it absorbs; its node.
  unsigned addRoot(ContractionOpInterface product);
  /// The axes that stand for `dim` in the end.
  Dim resolve(const Dim &dim) const;

private:
  /// What is found behind scales and full masks.
  struct Trace {
    Operation *end = nullptr;
    double scale = 1;
    SmallVector<Operation *> passed;
  };
  Trace trace(Value value) const;
  /// The product as a node whose result has the dimensions `outer`, if they
  /// are given; none if they cannot be the same.
  std::optional<unsigned> addProduct(ContractionOpInterface product,
                                     const Dims *outer, bool leavesOnly);
  unsigned addLeaf(Value value, Dims dims);
  unsigned addOperand(Value value, const Dims &dims, bool leafOnly);
  std::optional<unsigned> addRows(ContractionOpInterface product,
                                  const Dims &dims, unsigned summed,
                                  bool isLeft);
  bool canAbsorb(Operation *op) const;
  bool unify(const Dims &outer, const Dims &inner);
  void explainStop(Value value, Operation *user);

  const ShapeClasses &classes;
  SmallVectorImpl<Obstacle> &obstacles;
  ContractionOpInterface rootOp;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_CHAINTREE_H
