//===- Plan.cpp - The plan of a function's chains -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/Plan.h"

using namespace mlir;
using namespace mlir::attn;

/// F4 of the feature maps that would take the place of a softmax: of queries
/// and of keys. Also says through `misfit` where an operand with batch
/// dimensions fits queries or keys, but not both.
static LogicalResult verifyDeclaredMap(const Chain &chain,
                                       std::string &misfit) {
  SoftmaxOp softmax = chain.getSoftmax();
  char width = chain.getSummedAxis(1);
  for (unsigned index : {0, 1}) {
    const ChainFactor &factor = chain.factors[index];
    auto type = cast<RankedTensorType>(factor.value.getType());
    int64_t feature = Einsum::find(factor.axes, width);
    int64_t size = type.getDimSize(feature);
    if (ShapedType::isDynamic(size)) {
      misfit = "the declared feature map needs a static width";
      return success();
    }
    if (failed(softmax.getMap()->verifyFeatureMap(
            [&] { return softmax.emitOpError("cannot be approximated: "); },
            size, softmax.getMapOperands().getTypes())))
      return failure();
    SmallVector<int64_t> batch;
    for (auto [i, dim] : llvm::enumerate(factor.axes))
      if (static_cast<int64_t>(i) != feature &&
          llvm::none_of(dim, Einsum::isTokenAxis))
        batch.push_back(type.getDimSize(i));
    for (Value operand : softmax.getMapOperands()) {
      ArrayRef<int64_t> shape =
          cast<RankedTensorType>(operand.getType()).getShape().drop_back(2);
      bool fits = shape.size() <= batch.size() &&
                  shape == ArrayRef(batch).take_back(shape.size());
      if (!fits)
        misfit = "an operand of the declared feature map does not have the "
                 "batch dimensions of both queries and keys";
    }
  }
  return success();
}

static ChainPlan makePlan(Chain chain, OrderChoice choice,
                          double flopsPerByte) {
  ChainPlan plan{std::move(chain), {}, {}};
  ChainCost costs(plan.chain);
  SmallVector<Winner> winners =
      findWinners(plan.chain, costs, choice, flopsPerByte);
  if (winners.size() > kMaxCandidates) {
    plan.note = std::to_string(winners.size()) +
                " orders can win, the most frequent winner of the sampled "
                "sizes is taken";
    winners.resize(1);
  }
  // A choice at run time would have to hand on whole scores.
  if (winners.size() > 1 && plan.chain.isQuadratic(0, plan.chain.size())) {
    plan.note = "the result is scores, which no branch can hand on: the most "
                "frequent winner of the sampled sizes is taken";
    winners.resize(1);
  }
  for (Winner &winner : winners)
    plan.candidates.push_back(std::move(winner.order));
  return plan;
}

FailureOr<FunctionPlan> attn::planFunction(FunctionOpInterface func,
                                           OrderChoice choice,
                                           double flopsPerByte) {
  FailureOr<ShapeClasses> classes = ShapeClasses::analyze(func);
  if (failed(classes))
    return failure();
  FunctionPlan plan{std::move(*classes), {}, {}};
  // Users come after what they use: the last product of a chain is the first
  // that is seen.
  SmallVector<ContractionOpInterface> products;
  func->walk([&](ContractionOpInterface op) { products.push_back(op); });
  DenseSet<Operation *> taken;
  for (ContractionOpInterface root : llvm::reverse(products)) {
    if (taken.contains(root))
      continue;
    std::optional<Chain> chain = buildChain(root, plan.classes, plan.obstacles);
    if (!chain)
      continue;
    if (chain->getSoftmax()) {
      std::string misfit;
      if (failed(verifyDeclaredMap(*chain, misfit)))
        return failure();
      if (!misfit.empty()) {
        plan.obstacles.push_back({chain->rows, misfit});
        continue;
      }
    }
    taken.insert(chain->interior.begin(), chain->interior.end());
    plan.chains.push_back(makePlan(std::move(*chain), choice, flopsPerByte));
    if (plan.chains.back().candidates.empty())
      plan.obstacles.push_back(
          {root, "no order of the chain is without scores"});
  }
  return plan;
}
