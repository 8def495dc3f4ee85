//===- WriteOutputs.cpp - Results in memory of the caller -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/Passes.h"
#include "passes/cpu/InPlace.h"
#include "llvm/ADT/BitVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNWRITEOUTPUTS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// Whether a result is a state after updates in place.
static bool isState(func::FuncOp function, Value result) {
  return llvm::any_of(function.getArguments(), [&](BlockArgument argument) {
    return function.getArgAttr(argument.getArgNumber(), kStateAttrName) &&
           isUpdateOf(result, argument);
  });
}

/// A result that was written to memory of its own is written to the output
/// instead: kernels are launched before tensors become buffers. The copy that
/// keeps what is read there until the end is then one onto itself.
static void redirect(Value result, BlockArgument output) {
  auto tensor = result.getDefiningOp<bufferization::ToTensorOp>();
  auto alloc = tensor ? tensor.getBuffer().getDefiningOp<memref::AllocOp>()
                      : memref::AllocOp();
  if (!alloc || alloc.getType() != output.getType() ||
      alloc->getBlock() != output.getOwner())
    return;
  alloc.getResult().replaceAllUsesWith(output);
  alloc.erase();
}

/// What is wrong with an output of a result.
static LogicalResult check(func::FuncOp function, int64_t number,
                           BlockArgument output) {
  auto fail = [&](const Twine &reason) {
    return function.emitOpError()
           << "argument " << output.getArgNumber() << ", the output of result "
           << number << ": " << reason;
  };
  if (number < 0 || number >= function.getNumResults())
    return fail("expected one of " + Twine(function.getNumResults()) +
                " results");
  if (!function.getBody().hasOneBlock())
    return fail("expected a function of one block");
  auto tensor = dyn_cast<RankedTensorType>(function.getResultTypes()[number]);
  auto buffer = dyn_cast<MemRefType>(output.getType());
  if (!tensor || !buffer || tensor.getShape() != buffer.getShape() ||
      tensor.getElementType() != buffer.getElementType())
    return fail("expected a buffer of the result's shape and element type");
  if (!output.use_empty())
    return fail("expected no use");
  return success();
}

namespace {
struct WriteOutputs : attn::impl::AttnWriteOutputsBase<WriteOutputs> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<int64_t> inPlace(function.getNumResults(), -1);
    llvm::BitVector written(function.getNumResults());
    for (BlockArgument argument : function.getArguments()) {
      auto attr = function.getArgAttrOfType<IntegerAttr>(
          argument.getArgNumber(), kOutputAttrName);
      if (!attr)
        continue;
      int64_t number = attr.getInt();
      if (failed(check(function, number, argument)))
        return signalPassFailure();
      Operation *ret = function.getBody().front().getTerminator();
      Value result = ret->getOperand(number);
      if (written[number] || isState(function, result))
        continue;
      redirect(result, argument);
      OpBuilder builder(ret);
      auto write = bufferization::MaterializeInDestinationOp::create(
          builder, result.getLoc(), result, argument);
      write.setRestrict(true);
      write.setWritable(true);
      written.set(number);
      inPlace[number] = argument.getArgNumber();
    }
    if (written.none())
      return;
    function.getBody().front().getTerminator()->eraseOperands(written);
    if (failed(function.eraseResults(written)))
      return signalPassFailure();
    function->setAttr(kInPlaceAttrName,
                      DenseI64ArrayAttr::get(&getContext(), inPlace));
  }
};
} // namespace
