//===- MathToIntrinsics.cpp - Functions that GPUs have as instructions ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNMATHTOINTRINSICS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

/// The intrinsic of an operation that is an instruction, or empty.
static StringRef getIntrinsic(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case<math::AbsFOp>([](auto) { return "llvm.fabs"; })
      .Case<math::CeilOp>([](auto) { return "llvm.ceil"; })
      .Case<math::CopySignOp>([](auto) { return "llvm.copysign"; })
      .Case<math::FloorOp>([](auto) { return "llvm.floor"; })
      .Case<math::RoundEvenOp>([](auto) { return "llvm.roundeven"; })
      .Case<math::RsqrtOp, math::SqrtOp>([](auto) { return "llvm.sqrt"; })
      .Case<math::TruncOp>([](auto) { return "llvm.trunc"; })
      .Default([](Operation *) { return StringRef(); });
}

namespace {
struct MathToIntrinsics
    : attn::impl::AttnMathToIntrinsicsBase<MathToIntrinsics> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      StringRef name = getIntrinsic(op);
      if (name.empty())
        return;
      OpBuilder b(op);
      Location loc = op->getLoc();
      Type type = op->getResultTypes()[0];
      Value result = LLVM::CallIntrinsicOp::create(
                         b, loc, type, b.getStringAttr(name), op->getOperands())
                         .getResults();
      if (isa<math::RsqrtOp>(op)) {
        Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(type, 1));
        result = arith::DivFOp::create(b, loc, one, result);
      }
      op->replaceAllUsesWith(ValueRange{result});
      op->erase();
    });
  }
};
} // namespace
