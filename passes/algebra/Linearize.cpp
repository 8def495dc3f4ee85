//===- Linearize.cpp - Causal scores to recurrences -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Passes.h"
#include "passes/algebra/RecurrencePlan.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNLINEARIZE
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct Linearize : attn::impl::AttnLinearizeBase<Linearize> {
  using AttnLinearizeBase::AttnLinearizeBase;

  void runOnOperation() override {
    // 1. Products of scores and values, users first, so that a sum of several
    //    is tried as a whole.
    SmallVector<Operation *> roots;
    getOperation().walk([&](ContractionOpInterface op) {
      if (appliesScores(op))
        roots.push_back(op);
    });
    DenseSet<Operation *> done;
    for (Operation *op : llvm::reverse(roots))
      if (!done.contains(op) && !erased.contains(op))
        linearize(op, done);
    // 2. What is left without a use, and scores that nothing applies.
    eraseDeadScores();
    getOperation().walk([&](Operation *op) {
      if (isa<CausalScoreOp, SolveOp>(op) && !explained.contains(op))
        reportMissed(op, "its scores are not applied to values");
    });
  }

private:
  /// A sum whose summands may be parts of one recurrence.
  static Operation *getSum(Operation *op) {
    Operation *root = op;
    while (root->hasOneUse() &&
           isa<arith::AddFOp, arith::SubFOp>(*root->user_begin()))
      root = *root->user_begin();
    return root;
  }

  void linearize(Operation *op, DenseSet<Operation *> &done) {
    FailureOr<ShapeClasses> classes = ShapeClasses::analyze(getOperation());
    if (failed(classes))
      return signalPassFailure();
    SmallVector<Operation *> candidates;
    if (Operation *sum = getSum(op); sum != op)
      candidates.push_back(sum);
    candidates.push_back(op);
    Refusal refusal;
    for (Operation *root : candidates) {
      RecurrencePlanner planner(*classes);
      FailureOr<RecurrencePlan> plan = planner.plan(root);
      std::string reason;
      FailureOr<Value> value = failure();
      if (succeeded(plan)) {
        value = emitRecurrencePlan(*plan, planner.getNames(), reason);
        refusal = {root, reason};
      } else if (root == op) {
        refusal = planner.getRefusal();
      }
      if (failed(value))
        continue;
      reportPassed(*plan);
      for (const Summand &write : plan->writes)
        done.insert(write.score.chain.front());
      root->getResult(0).replaceAllUsesWith(*value);
      eraseTree(root);
      return;
    }
    if (!refusal.reason.empty()) {
      Operation *at = refusal.op ? refusal.op : op;
      reportMissed(at, refusal.reason);
      explainBelow(at);
      explained.insert(at);
      explainBelow(op);
    }
  }

  /// Scores below a product that was refused are explained by its reason.
  void explainBelow(Operation *op) {
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp();
          def && explained.insert(def).second)
        explainBelow(def);
  }

  /// Erases an operation without users and what it alone has used.
  void eraseTree(Operation *op) {
    if (!isOpTriviallyDead(op))
      return;
    // Operations, not values: a value is gone with what defines it.
    SmallVector<Operation *> defs;
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp())
        defs.push_back(def);
    erased.insert(op);
    op->erase();
    for (Operation *def : defs)
      if (!erased.contains(def) && isOpTriviallyDead(def) &&
          !isa<arith::ConstantOp>(def))
        eraseTree(def);
  }

  void eraseDeadScores() {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops))
      if (isOpTriviallyDead(op))
        op->erase();
  }

  remark::RemarkOpts getOpts() {
    return remark::RemarkOpts::name("attn-linearize")
        .category("attn-linearize")
        .function(getOperation().getName());
  }

  void reportPassed(const RecurrencePlan &plan) {
    std::string text = "scores became a recurrence: " + plan.describe() +
                       "; no N x N value is left of them";
    remark::passed(plan.root->getLoc(), getOpts()) << StringRef(text);
  }

  void reportMissed(Operation *op, StringRef reason) {
    std::string text = "not linearised: " + reason.str();
    remark::missed(op->getLoc(), getOpts()) << StringRef(text);
  }

  DenseSet<Operation *> explained, erased;
};
} // namespace
