//===- Obstacles.cpp - What keeps scores from being reordered -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ChainTree.h"

using namespace mlir;
using namespace mlir::attn;

static bool isScores(ContractionOpInterface product) {
  unsigned tokens = 0;
  Einsum einsum = product.getSubscripts();
  for (const EinsumDim &dim : einsum.result)
    tokens += llvm::count_if(dim, Einsum::isTokenAxis);
  return tokens > 1;
}

static std::string getText(Attribute attr) {
  std::string text;
  llvm::raw_string_ostream(text) << attr;
  return text;
}

/// Why `op` keeps the product below it from being reordered; empty if it does
/// not.
static std::string getReason(Operation *op) {
  if (!op->hasOneUse())
    return "the scores have several uses";
  if (auto mask = dyn_cast<MaskOp>(op))
    return mask.getMask().isFull()
               ? ""
               : "the mask " + getText(mask.getMask()) + " does not factor";
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return softmax.getMap() ? "the softmax is not applied by this product"
                            : "the softmax has no declared feature map";
  if (isa<NormalizeOp>(op))
    return "the normaliser is not applied by this product";
  if (isa<FeatureMapOp>(op))
    return "the feature map acts on the scores, not on queries and keys";
  if (isa<ScaleOp>(op))
    return "";
  if (isa<ContractionOpInterface>(op))
    return "the scores are of another block or element type";
  return "the operation is not linear in the scores";
}

/// Collects what stands between `value` and scores below it; false if there
/// are none.
static bool collectReasons(Value value, SmallVectorImpl<Obstacle> &found,
                           ContractionOpInterface &scores) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (auto product = dyn_cast<ContractionOpInterface>(op)) {
    if (!isScores(product))
      return false;
    scores = product;
    if (found.empty())
      found.push_back({op, getReason(op)});
    return true;
  }
  if (!isa<MaskOp, SoftmaxOp, NormalizeOp, FeatureMapOp, ScaleOp>(op) &&
      !op->hasTrait<OpTrait::Elementwise>())
    return false;
  size_t size = found.size();
  if (std::string reason = getReason(op); !reason.empty())
    found.push_back({op, reason});
  for (Value operand : op->getOperands())
    if (collectReasons(operand, found, scores))
      return true;
  found.truncate(size);
  return false;
}

void ChainTree::explainStop(Value value, Operation *user) {
  SmallVector<Obstacle> found;
  ContractionOpInterface scores;
  if (!collectReasons(value, found, scores))
    return;
  // A path that has been explained before has its most precise reason.
  for (const Obstacle &obstacle : found)
    if (llvm::any_of(obstacles, [&](const Obstacle &other) {
          return other.op == obstacle.op;
        }))
      return;
  for (Obstacle &obstacle : found) {
    obstacle.reason += "; the scores '" + scores.getSubscripts().str() +
                       "' stay before '" +
                       user->getName().getStringRef().str() + "'";
    obstacles.push_back(obstacle);
  }
}
