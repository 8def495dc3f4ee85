//===- LaunchAttention.cpp - Softmax attention as kernels -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "passes/gpu/AttentionKernel.h"
#include "passes/gpu/Chip.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNLAUNCHATTENTION
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct LaunchAttention : attn::impl::AttnLaunchAttentionBase<LaunchAttention> {
  using AttnLaunchAttentionBase::AttnLaunchAttentionBase;

  void runOnOperation() override {
    FailureOr<Chip> target = Chip::parse(getOperation(), chip);
    if (failed(target))
      return signalPassFailure();
    SmallVector<ContractionOpInterface> products;
    getOperation().walk([&](ContractionOpInterface op) {
      if (llvm::any_of(op->getOperands(), [](Value operand) {
            return operand.getDefiningOp<SoftmaxOp>();
          }))
        products.push_back(op);
    });
    for (ContractionOpInterface op : products) {
      Location loc = op.getLoc();
      StringRef function = op->getParentOfType<FunctionOpInterface>().getName();
      auto options = remark::RemarkOpts::name("attn-launch-attention")
                         .category("attn-launch-attention")
                         .function(function);
      std::string reason;
      if (!target->hasBf16Mma())
        reason = "the chip has no tensor cores for bf16";
      AttentionKernel kernel(op, target->getSharedBytes());
      if (reason.empty() && succeeded(kernel.launch(reason))) {
        std::string schedule = kernel.describe();
        remark::passed(loc, options) << "one kernel: " << StringRef(schedule);
        continue;
      }
      remark::missed(loc, options) << "not a kernel: " << StringRef(reason);
    }
  }
};
} // namespace
