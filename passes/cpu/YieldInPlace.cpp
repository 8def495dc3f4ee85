//===- YieldInPlace.cpp - One buffer for a tensor that a loop carries -----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "passes/Passes.h"
#include "passes/cpu/InPlace.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNYIELDINPLACE
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

bool attn::isUpdateOf(Value value, Value tensor) {
  while (value != tensor) {
    auto result = dyn_cast<OpResult>(value);
    if (!result)
      return false;
    Operation *op = result.getOwner();
    if (auto slice = dyn_cast<tensor::InsertSliceOp>(op))
      value = slice.getDest();
    else if (auto insert = dyn_cast<tensor::InsertOp>(op))
      value = insert.getDest();
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      value = loop.getInitArgs()[result.getResultNumber()];
    else if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      value = destination.getTiedOpOperand(result)->get();
    else
      return false;
  }
  return true;
}

namespace {
struct YieldInPlace : attn::impl::AttnYieldInPlaceBase<YieldInPlace> {
  void runOnOperation() override {
    getOperation().walk([](scf::ForOp loop) {
      Operation *yield = loop.getBody()->getTerminator();
      OpBuilder builder(yield);
      for (auto [operand, carried] :
           llvm::zip_equal(yield->getOpOperands(), loop.getRegionIterArgs())) {
        if (!isa<TensorType>(carried.getType()) ||
            attn::isUpdateOf(operand.get(), carried))
          continue;
        operand.set(bufferization::MaterializeInDestinationOp::create(
                        builder, loop.getLoc(), carried.getType(),
                        operand.get(), carried)
                        .getResult());
      }
    });
  }
};
} // namespace
