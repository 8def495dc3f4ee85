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
#include "passes/gpu/ThreadOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNMATHTOINTRINSICS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

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

/// e^x = 2^hi (1 + lo ln 2), x log2(e) = hi + lo: 2^hi by the instruction,
/// whose relative error is 2^-22, and lo what rounding took from the product.
static Value emitExp(OpBuilder &b, Location loc, Value x) {
  ThreadOps ops(b, loc);
  Value factor = ops.f32(1.4426950216293335), rest = ops.f32(1.925963033500e-8);
  Value hi = ops.mulf(x, factor);
  Value lo =
      LLVM::FMAOp::create(b, loc, x, factor, arith::NegFOp::create(b, loc, hi));
  lo = LLVM::FMAOp::create(b, loc, x, rest, lo);
  Value power = ops.exp2(hi);
  Value scaled = LLVM::FMAOp::create(
      b, loc, power, ops.mulf(lo, ops.f32(0.6931471805599453)), power);
  // Where x is infinite, or 2^hi is, lo is no number.
  Value isFinite =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, scaled, scaled);
  return ops.select(isFinite, scaled, power);
}

namespace {
struct MathToIntrinsics
    : attn::impl::AttnMathToIntrinsicsBase<MathToIntrinsics> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (isa<math::ExpOp, arith::DivFOp>(op) &&
          op->getResultTypes()[0].isF32()) {
        OpBuilder b(op);
        Value result = isa<math::ExpOp>(op)
                           ? emitExp(b, op->getLoc(), op->getOperand(0))
                           : ThreadOps(b, op->getLoc())
                                 .divf(op->getOperand(0), op->getOperand(1));
        op->replaceAllUsesWith(ValueRange{result});
        op->erase();
        return;
      }
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
