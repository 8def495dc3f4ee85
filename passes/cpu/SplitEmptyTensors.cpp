//===- SplitEmptyTensors.cpp - A tensor.empty for each of its uses --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNSPLITEMPTYTENSORS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

/// The operation that inserts into the box of `empty` that `slice` extracts:
/// what is written to the one is meant for the other.
static OpOperand *findInsertion(tensor::EmptyOp empty,
                                tensor::ExtractSliceOp slice) {
  for (OpOperand &use : empty->getUses()) {
    auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
    if (insert && use == insert.getDestMutable() &&
        insert->getBlock() == slice->getBlock() &&
        insert.getMixedOffsets() == slice.getMixedOffsets() &&
        insert.getMixedSizes() == slice.getMixedSizes() &&
        insert.getMixedStrides() == slice.getMixedStrides())
      return &use;
  }
  return nullptr;
}

namespace {
struct SplitEmptyTensors
    : attn::impl::AttnSplitEmptyTensorsBase<SplitEmptyTensors> {
  void runOnOperation() override {
    SmallVector<tensor::EmptyOp> empties;
    getOperation().walk([&](tensor::EmptyOp op) { empties.push_back(op); });
    for (tensor::EmptyOp op : empties) {
      while (!op->use_empty()) {
        // Extractions first, which come before the insertions.
        OpOperand *use = &*op->use_begin(), *partner = nullptr;
        for (OpOperand &other : op->getUses())
          if (auto slice = dyn_cast<tensor::ExtractSliceOp>(other.getOwner()))
            if ((partner = findInsertion(op, slice))) {
              use = &other;
              break;
            }
        OpBuilder builder(use->getOwner());
        Value own = builder.clone(*op)->getResult(0);
        use->set(own);
        if (partner)
          partner->set(own);
      }
      op->erase();
    }
  }
};
} // namespace
