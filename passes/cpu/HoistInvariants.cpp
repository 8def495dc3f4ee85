//===- HoistInvariants.cpp - Loop-invariant code motion without buffers ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNHOISTINVARIANTS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

static bool isView(Operation *op) {
  return isa<tensor::ExtractSliceOp, tensor::CollapseShapeOp,
             tensor::ExpandShapeOp, tensor::CastOp>(op);
}

/// Whether nobody updates the tensor in place or carries it on.
static bool isOnlyRead(Value tensor) {
  return llvm::all_of(tensor.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isView(user))
      return use.getOperandNumber() == 0 && isOnlyRead(user->getResult(0));
    auto op = dyn_cast<linalg::LinalgOp>(user);
    return op && op.isDpsInput(&use);
  });
}

/// What linalg operations fill.
static bool isEmpty(Value value) {
  auto empty = value.getDefiningOp<tensor::EmptyOp>();
  return empty && empty.getType().hasStaticShape();
}

/// Whether the operation makes no tensor, or one that is the same in every
/// iteration: made in memory of its own and only read.
static bool mayLeave(Operation *op) {
  if (isView(op) ||
      llvm::none_of(op->getResultTypes(), llvm::IsaPred<TensorType>))
    return true;
  auto map = dyn_cast<linalg::LinalgOp>(op);
  return map && !isa<linalg::FillOp>(op) &&
         llvm::all_of(map.getDpsInits(), isEmpty) &&
         llvm::all_of(op->getResults(), isOnlyRead);
}

/// Moves an operation before the loop, with the memory that it fills.
static void move(LoopLikeOpInterface loop, Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (!loop.isDefinedOutsideOfLoop(operand.get()))
      operand.set(
          OpBuilder(loop).clone(*operand.get().getDefiningOp())->getResult(0));
  loop.moveOutOfLoop(op);
}

namespace {
struct HoistInvariants : attn::impl::AttnHoistInvariantsBase<HoistInvariants> {
  void runOnOperation() override {
    // Inner loops first: what leaves them may leave the next one.
    getOperation().walk([](LoopLikeOpInterface loop) {
      moveLoopInvariantCode(
          loop.getLoopRegions(),
          [&](Value value, Region *) {
            return loop.isDefinedOutsideOfLoop(value) || isEmpty(value);
          },
          [&](Operation *op, Region *) {
            return isMemoryEffectFree(op) && isSpeculatable(op) && mayLeave(op);
          },
          [&](Operation *op, Region *) { move(loop, op); });
    });
  }
};
} // namespace
