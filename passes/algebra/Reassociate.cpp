//===- Reassociate.cpp - Chains of products in their cheapest order -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/algebra/EmitOrder.h"
#include "passes/algebra/Explain.h"
#include "passes/algebra/Plan.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNREASSOCIATE
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

static remark::RemarkOpts getRemarkOpts(FunctionOpInterface func) {
  return remark::RemarkOpts::name("attn-reassociate")
      .category("attn-reassociate")
      .function(func.getName());
}

/// The costs of the candidates at the sizes of the call, in f64.
static SmallVector<Value> emitCosts(OpBuilder &builder, const ChainPlan &plan,
                                    const ShapeClasses &classes,
                                    double flopsPerByte) {
  Location loc = plan.chain.root->getLoc();
  SmallVector<Value> leaves;
  for (const ChainFactor &factor : plan.chain.factors)
    leaves.push_back(factor.value);
  DenseMap<unsigned, Value> sizes;
  auto getSize = [&](unsigned id) {
    Value &size = sizes[id];
    if (!size) {
      size = classes.materializeSize(builder, loc, id, leaves);
      assert(size && "each axis of a chain is of a factor");
      size =
          arith::IndexCastOp::create(builder, loc, builder.getI64Type(), size);
      size = arith::SIToFPOp::create(builder, loc, builder.getF64Type(), size);
    }
    return size;
  };
  SmallVector<Value> costs;
  ChainCost model(plan.chain);
  for (const Bracketing &order : plan.candidates)
    costs.push_back(model.getTotal(order)
                        .getTime(flopsPerByte)
                        .emit(builder, loc, getSize));
  return costs;
}

/// if cost_i <= all costs after it: order i, else the choice among these.
static Value emitChoice(OpBuilder &builder, const ChainPlan &plan,
                        ArrayRef<Value> costs, unsigned index) {
  if (index + 1 == plan.candidates.size())
    return emitOrder(builder, plan.chain, plan.candidates[index]);
  Location loc = plan.chain.root->getLoc();
  Value best;
  for (unsigned other = index + 1; other < costs.size(); ++other) {
    Value cheaper = arith::CmpFOp::create(
        builder, loc, arith::CmpFPredicate::OLE, costs[index], costs[other]);
    best = best ? arith::AndIOp::create(builder, loc, best, cheaper) : cheaper;
  }
  auto branch =
      scf::IfOp::create(builder, loc, plan.chain.root->getResultTypes(), best,
                        /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  for (bool taken : {true, false}) {
    builder.setInsertionPointToStart(taken ? branch.thenBlock()
                                           : branch.elseBlock());
    Value value = taken ? emitOrder(builder, plan.chain, plan.candidates[index])
                        : emitChoice(builder, plan, costs, index + 1);
    scf::YieldOp::create(builder, loc, value);
  }
  return branch.getResult(0);
}

static void rewriteChain(ChainPlan &plan, const ShapeClasses &classes,
                         double flopsPerByte) {
  Operation *root = plan.chain.root;
  OpBuilder builder(root);
  Value value;
  if (plan.candidates.size() == 1)
    value = emitOrder(builder, plan.chain, plan.candidates.front());
  else
    value = emitChoice(builder, plan,
                       emitCosts(builder, plan, classes, flopsPerByte), 0);
  root->getResult(0).replaceAllUsesWith(value);
  // Each of them has had one use, the next one or the root.
  root->erase();
  for (Operation *op : llvm::reverse(plan.chain.interior))
    op->erase();
}

//===----------------------------------------------------------------------===//
// Remarks
//===----------------------------------------------------------------------===//

static std::string getCostText(const ChainPlan &plan, const Bracketing &order,
                               const ShapeClasses &classes) {
  auto name = [&](unsigned id) { return classes.getName(id); };
  Cost cost = ChainCost(plan.chain).getTotal(order);
  return getFormula(plan.chain, order) + ": " + cost.flops.str(name) +
         " flops, " + cost.bytes.str(name) + " bytes";
}

static void remarkChain(ChainPlan &plan, const ShapeClasses &classes,
                        FunctionOpInterface func) {
  Location loc = plan.chain.root->getLoc();
  auto remark = remark::passed(loc, getRemarkOpts(func));
  if (!remark)
    return;
  std::string text =
      plan.candidates.size() > 1 ? "chosen at run time; " : "reordered; ";
  ChainCost costs(plan.chain);
  if (plan.chain.getSoftmax() &&
      llvm::any_of(plan.candidates, [&](const Bracketing &order) {
        return costs.carriesOnes(order);
      }))
    text += "approximate: the softmax is replaced by its declared feature "
            "map; ";
  text += "before " + getCostText(plan, plan.chain.written, classes);
  bool first = true;
  for (const Bracketing &order : plan.candidates) {
    if (order == plan.chain.written)
      continue;
    text += (first ? "; after " : "; or ") + getCostText(plan, order, classes);
    first = false;
  }
  if (!plan.note.empty())
    text += "; " + plan.note;
  remark << StringRef(text);
}

namespace {
struct Reassociate : attn::impl::AttnReassociateBase<Reassociate> {
  using AttnReassociateBase::AttnReassociateBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    FailureOr<FunctionPlan> plan = planFunction(func, order, flopsPerByte);
    if (failed(plan))
      return signalPassFailure();
    // Remarks first: they print operations that the rewrites erase.
    for (const Obstacle &obstacle : plan->obstacles)
      remark::missed(obstacle.op->getLoc(), getRemarkOpts(func))
          << StringRef("'" + obstacle.op->getName().getStringRef().str() +
                       "' is not reordered: " + obstacle.reason);
    // Users come first, so no chain sees a factor that is erased.
    for (ChainPlan &chain : plan->chains) {
      if (chain.keepsWritten())
        continue;
      remarkChain(chain, plan->classes, func);
      rewriteChain(chain, plan->classes, flopsPerByte);
    }
  }
};
} // namespace
