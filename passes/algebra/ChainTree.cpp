//===- ChainTree.cpp - The tree of products under a root -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ChainTree.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

ChainTree::Dim ChainTree::resolve(const Dim &dim) const {
  Dim result;
  for (unsigned id : dim) {
    if (axes[id].is == Dim{id})
      result.push_back(id);
    else
      llvm::append_range(result, resolve(axes[id].is));
  }
  return result;
}

/// Makes the dimensions of an operand and of the product that it is the same.
/// An axis `h` on one side may be a group `(gr)` on the other: then it is
/// split, as einsum allows for heads.
bool ChainTree::unify(const Dims &outer, const Dims &inner) {
  SmallVector<std::pair<Dim, Dim>> pairs;
  for (auto [a, b] : llvm::zip_equal(outer, inner)) {
    Dim left = resolve(a), right = resolve(b);
    bool single = left.size() == 1 || right.size() == 1;
    bool isToken = axes[left.front()].isToken || axes[right.front()].isToken;
    if (left.size() != right.size() && (!single || isToken))
      return false;
    pairs.push_back({left, right});
  }
  for (auto &[left, right] : pairs) {
    if (left.size() == right.size()) {
      for (auto [a, b] : llvm::zip_equal(left, right)) {
        axes[a].isToken |= axes[b].isToken;
        axes[b].is = {a};
      }
    } else if (right.size() == 1) {
      axes[right.front()].is = left;
    } else {
      axes[left.front()].is = right;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Scales and full masks commute with products: c A B = (c A) B.
ChainTree::Trace ChainTree::trace(Value value) const {
  Trace found;
  while (Operation *op = value.getDefiningOp()) {
    found.end = op;
    auto scale = dyn_cast<ScaleOp>(op);
    auto mask = dyn_cast<MaskOp>(op);
    bool passes = scale || (mask && mask.getMask().isFull());
    if (!passes || !value.hasOneUse())
      return found;
    if (scale)
      found.scale *= scale.getFactor().convertToDouble();
    found.passed.push_back(op);
    value = op->getOperand(0);
  }
  found.end = nullptr;
  return found;
}

/// Whether the product can be a part of the chain of `rootOp`. A product that
/// a row normaliser is applied in ends a chain of its own.
bool ChainTree::canAbsorb(Operation *op) const {
  auto product = dyn_cast_or_null<ContractionOpInterface>(op);
  if (!product || !op->hasOneUse() || op->getBlock() != rootOp->getBlock() ||
      getElementTypeOrSelf(product.getResult()) !=
          getElementTypeOrSelf(rootOp->getResult(0)))
    return false;
  return llvm::none_of(op->getOperands(), [&](Value operand) {
    return isa_and_nonnull<NormalizeOp, SoftmaxOp>(trace(operand).end);
  });
}

unsigned ChainTree::addLeaf(Value value, Dims dims) {
  nodes.push_back({nullptr, value, std::move(dims)});
  return nodes.size() - 1;
}

unsigned ChainTree::addOperand(Value value, const Dims &dims, bool leafOnly) {
  if (!leafOnly) {
    Trace found = trace(value);
    if (canAbsorb(found.end))
      if (auto node = addProduct(cast<ContractionOpInterface>(found.end), &dims,
                                 /*leavesOnly=*/false)) {
        scale *= found.scale;
        llvm::append_range(absorbed, found.passed);
        absorbed.push_back(found.end);
        return *node;
      }
    explainStop(value, rootOp);
  }
  return addLeaf(value, dims);
}

/// The axis of V that can gain a column of ones: static, alone in its
/// dimension, and an axis of the result.
static bool hasValueAxis(const EinsumOperand &value, const Einsum &einsum,
                         RankedTensorType type) {
  for (auto [i, dim] : llvm::enumerate(value)) {
    int64_t position = Einsum::find(einsum.result, dim.front());
    bool free = llvm::is_contained(einsum.getRoles().lhsFree, dim.front()) ||
                llvm::is_contained(einsum.getRoles().rhsFree, dim.front());
    if (dim.size() == 1 && free && type.isDynamicDim(i) == false &&
        position >= 0 && einsum.result[position].size() == 1)
      return true;
  }
  return false;
}

/// rows(A) V: `A` as a tree, V as a leaf; only at the root.
std::optional<unsigned> ChainTree::addRows(ContractionOpInterface product,
                                           const Dims &dims, unsigned summed,
                                           bool isLeft) {
  Value operand = isLeft ? product.getLhs() : product.getRhs();
  Value other = isLeft ? product.getRhs() : product.getLhs();
  Trace found = trace(operand);
  if (!isa_and_nonnull<NormalizeOp, SoftmaxOp>(found.end) ||
      !found.end->hasOneUse() || found.end->getBlock() != product->getBlock() ||
      getElementTypeOrSelf(found.end->getResult(0)) !=
          getElementTypeOrSelf(product.getResult()))
    return std::nullopt;
  Value inner = found.end->getOperand(0);
  auto stop = [&](std::string reason) {
    obstacles.push_back({found.end, std::move(reason)});
    return std::nullopt;
  };
  auto softmax = dyn_cast<SoftmaxOp>(found.end);
  if (softmax && !softmax.getMap()) {
    explainStop(operand, product);
    return std::nullopt;
  }
  if (dims.back() != Dim{summed})
    return stop("its rows are divided along an axis that the product '" +
                product.getSubscripts().str() + "' does not sum over");
  Einsum einsum = product.getSubscripts();
  if (!hasValueAxis(isLeft ? einsum.rhs : einsum.lhs, einsum,
                    cast<RankedTensorType>(other.getType())))
    return stop("the product '" + einsum.str() +
                "' has no static dimension of the values to append a column "
                "of ones to");
  Trace below = trace(inner);
  if (!canAbsorb(below.end)) {
    explainStop(inner, product);
    return std::nullopt;
  }
  if (softmax && !(below.scale > 0))
    return stop("the declared feature map stands for a positive scale, got " +
                std::to_string(below.scale));
  // softmax: the feature maps take the operands of the scores as they are.
  auto node = addProduct(cast<ContractionOpInterface>(below.end), &dims,
                         /*leavesOnly=*/softmax != nullptr);
  if (!node)
    return stop("its groups of heads differ from those of the product '" +
                einsum.str() + "'");
  rows = found.end;
  scores = dims;
  scale *= below.scale;
  outerScale = found.scale;
  for (const Trace *part : {&found, &below}) {
    llvm::append_range(absorbed, part->passed);
    absorbed.push_back(part->end);
  }
  return node;
}

std::optional<unsigned> ChainTree::addProduct(ContractionOpInterface product,
                                              const Dims *outer,
                                              bool leavesOnly) {
  // 1. Axes of its own, one a letter.
  Einsum einsum = product.getSubscripts();
  DenseMap<char, unsigned> ids;
  auto makeDims = [&](const EinsumOperand &operand) {
    Dims dims;
    for (const EinsumDim &dim : operand) {
      dims.emplace_back();
      for (char letter : dim) {
        auto [it, isNew] = ids.try_emplace(letter, axes.size());
        if (isNew)
          axes.push_back({{it->second},
                          letter,
                          Einsum::isTokenAxis(letter),
                          classes.getAxisClass(product, letter)});
        dims.back().push_back(it->second);
      }
    }
    return dims;
  };
  Dims lhs = makeDims(einsum.lhs), rhs = makeDims(einsum.rhs);
  Dims result = makeDims(einsum.result);
  unsigned summed = ids.lookup(einsum.getRoles().contracted.front());
  // 2. The result is the operand that it is used as.
  if (outer && !unify(*outer, result))
    return std::nullopt;
  // 3. Operands; at the root one may be behind a row normaliser.
  std::optional<unsigned> left, right;
  if (!outer) {
    left = addRows(product, lhs, summed, /*isLeft=*/true);
    if (left)
      right = valueLeaf = addLeaf(product.getRhs(), rhs);
    else if ((right = addRows(product, rhs, summed, /*isLeft=*/false)))
      left = valueLeaf = addLeaf(product.getLhs(), lhs);
  }
  if (!left) {
    left = addOperand(product.getLhs(), lhs, leavesOnly);
    right = addOperand(product.getRhs(), rhs, leavesOnly);
  }
  nodes.push_back(
      {product, product.getResult(), result, *left, *right, summed});
  return nodes.size() - 1;
}

unsigned ChainTree::addRoot(ContractionOpInterface product) {
  rootOp = product;
  root = *addProduct(product, nullptr, /*leavesOnly=*/false);
  return root;
}
