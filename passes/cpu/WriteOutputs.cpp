//===- WriteOutputs.cpp - Results in memory of the caller -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"
#include "passes/cpu/InPlace.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNWRITEOUTPUTS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct WriteOutputs : attn::impl::AttnWriteOutputsBase<WriteOutputs> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    for (BlockArgument argument : function.getArguments())
      if (auto number = function.getArgAttrOfType<IntegerAttr>(
              argument.getArgNumber(), kOutputAttrName))
        if (failed(write(function, number.getInt(), argument)))
          return signalPassFailure();
  }

private:
  static LogicalResult write(func::FuncOp function, int64_t number,
                             BlockArgument output) {
    auto fail = [&](const Twine &reason) {
      return function.emitOpError()
             << "argument " << output.getArgNumber()
             << ", the output of result " << number << ": " << reason;
    };
    if (number < 0 || number >= function.getNumResults())
      return fail("expected one of " + Twine(function.getNumResults()) +
                  " results");
    if (!function.getBody().hasOneBlock())
      return fail("expected a function of one block");
    Operation *ret = function.getBody().front().getTerminator();
    Value result = ret->getOperand(number);
    if (!isa<RankedTensorType>(output.getType()) ||
        result.getType() != output.getType())
      return fail("expected a tensor of the result's type");
    if (!output.use_empty())
      return fail("expected no use");
    for (BlockArgument state : function.getArguments())
      if (function.getArgAttr(state.getArgNumber(), kStateAttrName) &&
          isUpdateOf(result, state))
        return success();
    OpBuilder builder(ret);
    ret->setOperand(
        number, bufferization::MaterializeInDestinationOp::create(
                    builder, result.getLoc(), output.getType(), result, output)
                    .getResult());
    return success();
  }
};
} // namespace
