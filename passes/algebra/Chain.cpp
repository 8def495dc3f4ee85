//===- Chain.cpp - Chains of products -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/Chain.h"
#include "passes/algebra/ChainTree.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

unsigned attn::getMiddle(const Bracketing &order, unsigned low, unsigned high) {
  for (const Bracket &bracket : order)
    if (bracket[0] == low && bracket[2] == high)
      return bracket[1];
  llvm_unreachable("the order has no such product");
}

char Chain::getSummedAxis(unsigned middle) const {
  for (const EinsumDim &dim : factors[middle - 1].axes)
    for (char axis : dim)
      if (Einsum::find(factors[middle].axes, axis) >= 0 &&
          Einsum::find(result, axis) < 0)
        return axis;
  llvm_unreachable("neighbours share a summed axis");
}

SmallVector<char> Chain::getAxes(unsigned low, unsigned high) const {
  SmallVector<char> found;
  for (unsigned i = low; i < high; ++i)
    for (const EinsumDim &dim : factors[i].axes)
      for (char axis : dim) {
        bool needed = high - low == 1 || Einsum::find(result, axis) >= 0;
        for (unsigned j = 0; j < size(); ++j)
          needed |= (j < low || j >= high) &&
                    Einsum::find(factors[j].axes, axis) >= 0;
        if (needed && !llvm::is_contained(found, axis))
          found.push_back(axis);
      }
  return found;
}

bool Chain::isQuadratic(unsigned low, unsigned high) const {
  return high - low > 1 &&
         llvm::count_if(getAxes(low, high), Einsum::isTokenAxis) > 1;
}

char Chain::getRowAxis() const {
  for (const EinsumDim &dim : result)
    for (char axis : dim)
      if (Einsum::isTokenAxis(axis))
        return axis;
  return 0;
}

//===----------------------------------------------------------------------===//
// From a tree to a chain
//===----------------------------------------------------------------------===//

namespace {
/// Lays the leaves of a tree out in a line.
class ChainBuilder {
public:
  ChainBuilder(const ChainTree &tree, const ShapeClasses &classes)
      : tree(tree), classes(classes) {}
  std::optional<Chain> build();

private:
  bool orderLeaves();
  bool assignLetters(Chain &chain);
  bool assignLetter(unsigned axis);
  EinsumOperand getLetters(const ChainTree::Dims &dims) const;
  std::pair<unsigned, unsigned> addBrackets(unsigned node,
                                            Bracketing &order) const;
  SmallVector<unsigned> getSummed(unsigned leaf) const;
  void collectLeaves(unsigned node);

  const ChainTree &tree;
  const ShapeClasses &classes;
  SmallVector<unsigned> leaves;
  llvm::SetVector<unsigned> summed;
  DenseMap<unsigned, char> letters;
  std::string used;
};
} // namespace

void ChainBuilder::collectLeaves(unsigned node) {
  const ChainTree::Node &entry = tree.nodes[node];
  if (!entry.product)
    return leaves.push_back(node);
  collectLeaves(entry.left);
  collectLeaves(entry.right);
}

SmallVector<unsigned> ChainBuilder::getSummed(unsigned leaf) const {
  SmallVector<unsigned> found;
  for (const ChainTree::Dim &dim : tree.nodes[leaf].dims)
    for (unsigned axis : tree.resolve(dim))
      if (summed.contains(axis))
        found.push_back(axis);
  return found;
}

/// Leaves and the axes summed between them are the nodes and edges of a tree;
/// it is a line if no leaf has three edges and no axis joins three leaves.
bool ChainBuilder::orderLeaves() {
  for (const ChainTree::Node &node : tree.nodes) {
    if (!node.product)
      continue;
    ChainTree::Dim axes = tree.resolve({node.summed});
    if (axes.size() != 1 || !summed.insert(axes.front()))
      return false;
  }
  DenseMap<unsigned, SmallVector<unsigned>> joined;
  int64_t next = -1;
  for (unsigned leaf : leaves) {
    SmallVector<unsigned> edges = getSummed(leaf);
    if (edges.size() > 2)
      return false;
    if (edges.size() == 1 &&
        (next < 0 || (tree.rows && leaf == tree.valueLeaf)))
      next = leaf;
    for (unsigned axis : edges)
      joined[axis].push_back(leaf);
  }
  for (auto &[axis, ends] : joined)
    if (ends.size() != 2)
      return false;
  if (next < 0 || (tree.rows && next != tree.valueLeaf))
    return false;
  SmallVector<unsigned> line;
  DenseSet<unsigned> crossed;
  while (next >= 0) {
    unsigned leaf = next;
    line.push_back(leaf);
    next = -1;
    for (unsigned axis : getSummed(leaf))
      if (crossed.insert(axis).second)
        next = joined[axis][0] == leaf ? joined[axis][1] : joined[axis][0];
  }
  if (line.size() != leaves.size())
    return false;
  // V stands last.
  if (tree.rows)
    std::reverse(line.begin(), line.end());
  leaves = line;
  return true;
}

/// Token axes take a free letter of theirs, so that isTokenAxis stays right.
bool ChainBuilder::assignLetter(unsigned axis) {
  if (letters.count(axis))
    return true;
  bool isToken = tree.axes[axis].isToken;
  std::string pool(1, tree.axes[axis].letter);
  pool += isToken ? "nmst" : "dvefcijklopquwxyzabghr";
  for (char letter : pool)
    if (Einsum::isTokenAxis(letter) == isToken &&
        used.find(letter) == std::string::npos) {
      used += letter;
      letters[axis] = letter;
      return true;
    }
  return false;
}

bool ChainBuilder::assignLetters(Chain &chain) {
  SmallVector<const ChainTree::Dims *> all = {&tree.nodes[tree.root].dims};
  for (unsigned leaf : leaves)
    all.push_back(&tree.nodes[leaf].dims);
  for (const ChainTree::Dims *dims : all)
    for (const ChainTree::Dim &dim : *dims) {
      ChainTree::Dim resolved = tree.resolve(dim);
      for (unsigned axis : resolved) {
        // P7: groups are heads.
        if (resolved.size() > 1 &&
            (tree.axes[axis].isToken || summed.contains(axis)))
          return false;
        if (!assignLetter(axis))
          return false;
        chain.axes[letters[axis]] = {
            tree.axes[axis].size, classes.getStaticSize(tree.axes[axis].size),
            false};
      }
    }
  return true;
}

EinsumOperand ChainBuilder::getLetters(const ChainTree::Dims &dims) const {
  EinsumOperand operand;
  for (const ChainTree::Dim &dim : dims) {
    operand.emplace_back();
    for (unsigned axis : tree.resolve(dim))
      operand.back().push_back(letters.lookup(axis));
  }
  return operand;
}

/// The interval of leaves under a node; products are added operands first.
std::pair<unsigned, unsigned>
ChainBuilder::addBrackets(unsigned node, Bracketing &order) const {
  const ChainTree::Node &entry = tree.nodes[node];
  if (!entry.product) {
    unsigned position = llvm::find(leaves, node) - leaves.begin();
    return {position, position + 1};
  }
  // The order of two operands is of no matter: take the nearer factors first,
  // so that equal orders are equal lists.
  Bracketing first, second;
  auto a = addBrackets(entry.left, first), b = addBrackets(entry.right, second);
  if (a.first > b.first) {
    std::swap(a, b);
    std::swap(first, second);
  }
  order.insert(order.end(), first.begin(), first.end());
  order.insert(order.end(), second.begin(), second.end());
  order.push_back({a.first, a.second, b.second});
  return {a.first, b.second};
}

std::optional<Chain> ChainBuilder::build() {
  collectLeaves(tree.root);
  Chain chain;
  chain.root = tree.nodes[tree.root].product;
  if (!orderLeaves() || !assignLetters(chain))
    return std::nullopt;
  for (unsigned leaf : leaves)
    chain.factors.push_back(
        {tree.nodes[leaf].value, getLetters(tree.nodes[leaf].dims)});
  chain.result = getLetters(tree.nodes[tree.root].dims);
  addBrackets(tree.root, chain.written);
  for (auto &[axis, entry] : chain.axes) {
    unsigned count = llvm::count_if(chain.factors, [axis = axis](auto &factor) {
      return Einsum::find(factor.axes, axis) >= 0;
    });
    entry.isBatch = count > 1 && Einsum::find(chain.result, axis) >= 0;
  }
  chain.interior = tree.absorbed;
  llvm::sort(chain.interior,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  chain.scale = tree.scale;
  chain.outerScale = tree.outerScale;
  chain.rows = tree.rows;
  if (!chain.rows)
    return chain;
  chain.scores = getLetters(tree.scores);
  // The last axis of V that can gain a column; ChainTree saw that there is one.
  const ChainFactor &value = chain.factors.back();
  auto type = cast<RankedTensorType>(value.value.getType());
  for (auto [i, dim] : llvm::enumerate(value.axes)) {
    int64_t position = Einsum::find(chain.result, dim.front());
    bool isFree = !chain.axes[dim.front()].isBatch && position >= 0;
    if (dim.size() == 1 && isFree && !type.isDynamicDim(i) &&
        chain.result[position].size() == 1)
      chain.valueAxis = dim.front();
  }
  if (!chain.valueAxis)
    return std::nullopt;
  return chain;
}

std::optional<Chain> attn::buildChain(ContractionOpInterface root,
                                      const ShapeClasses &classes,
                                      SmallVectorImpl<Obstacle> &obstacles) {
  ChainTree tree(classes, obstacles);
  tree.addRoot(root);
  if (tree.absorbed.empty())
    return std::nullopt;
  std::optional<Chain> chain = ChainBuilder(tree, classes).build();
  if (!chain)
    obstacles.push_back({root, "the products that '" +
                                   root.getSubscripts().str() +
                                   "' ends do not form a chain of matrices"});
  return chain;
}
