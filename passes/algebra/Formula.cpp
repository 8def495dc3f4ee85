//===- Formula.cpp - Orders of a chain as formulas -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/Explain.h"

using namespace mlir;
using namespace mlir::attn;

/// A short name for a factor: arguments by number, maps as functions of them.
static std::string getName(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return "arg" + std::to_string(argument.getArgNumber());
  Operation *op = value.getDefiningOp();
  if (auto map = dyn_cast<FeatureMapOp>(op))
    return "phi(" + getName(map.getInput()) + ")";
  if (auto ones = dyn_cast<AppendOnesOp>(op))
    return "[" + getName(ones.getInput()) + " 1]";
  if (auto scale = dyn_cast<ScaleOp>(op))
    return getName(scale.getInput());
  return op->getName().stripDialect().str();
}

namespace {
struct FormulaPrinter {
  const Chain &chain;
  const Bracketing &order;
  bool ones;

  std::string leaf(unsigned index) const {
    const ChainFactor &factor = chain.factors[index];
    std::string name = getName(factor.value);
    if (ones && index + 1 == chain.size())
      return "[" + name + " 1]";
    if (ones && chain.getSoftmax())
      name = "phi(" + name + ")";
    // A matrix of the line has the axis of its left neighbour in its rows.
    bool isTransposed = false;
    if (index > 0)
      for (const EinsumDim &dim : factor.axes)
        isTransposed = isTransposed || Einsum::isTokenAxis(dim.front());
    if (isTransposed) {
      int64_t left = Einsum::find(factor.axes, chain.getSummedAxis(index));
      for (auto [i, dim] : llvm::enumerate(factor.axes)) {
        bool other = !chain.axes.lookup(dim.front()).isBatch &&
                     static_cast<int64_t>(i) != left;
        isTransposed = other && static_cast<int64_t>(i) < left;
        if (other)
          break;
      }
    }
    return name + (isTransposed ? "^T" : "");
  }

  std::string print(unsigned low, unsigned high) const {
    if (high - low == 1)
      return leaf(low);
    unsigned middle = getMiddle(order, low, high);
    auto side = [&](unsigned first, unsigned last) {
      std::string text = print(first, last);
      if (chain.rows && !ones && first == 0 && last == chain.size() - 1)
        return (chain.getSoftmax() ? "softmax(" : "normalize(") + text + ")";
      return last - first == 1 ? text : "(" + text + ")";
    };
    return side(low, middle) + " " + side(middle, high);
  }
};
} // namespace

std::string attn::getFormula(const Chain &chain, const Bracketing &order) {
  bool ones = ChainCost(chain).carriesOnes(order);
  return FormulaPrinter{chain, order, ones}.print(0, chain.size());
}
