//===- LaunchRecurrences.cpp - Recurrences as kernels in tiles ------------===//
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
#include "passes/gpu/Chip.h"
#include "passes/gpu/RecurrenceKernel.h"
#include "passes/gpu/RecurrenceSteps.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNLAUNCHRECURRENCES
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct LaunchRecurrences
    : attn::impl::AttnLaunchRecurrencesBase<LaunchRecurrences> {
  using AttnLaunchRecurrencesBase::AttnLaunchRecurrencesBase;

  void runOnOperation() override {
    FailureOr<Chip> target = Chip::parse(getOperation(), chip);
    if (failed(target))
      return signalPassFailure();
    if (valueColumns < kTile || valueColumns % kTile != 0) {
      getOperation().emitError("expected a multiple of 16 value channels in a "
                               "block, got ")
          << int64_t(valueColumns);
      return signalPassFailure();
    }
    if (segments < 0) {
      getOperation().emitError("expected no negative number of segments, got ")
          << int64_t(segments);
      return signalPassFailure();
    }
    KernelLimits limits;
    limits.sharedBytes = target->getSharedBytes();
    limits.canSuspend = target->hasTryWait();
    limits.valueColumns = valueColumns;
    limits.multiprocessors = target->getMultiprocessors();
    limits.segments = segments;
    SmallVector<RecurrenceOp> ops;
    getOperation().walk([&](RecurrenceOp op) { ops.push_back(op); });
    for (RecurrenceOp op : ops) {
      Location loc = op.getLoc();
      StringRef function = op->getParentOfType<FunctionOpInterface>().getName();
      auto options = remark::RemarkOpts::name("attn-launch-recurrences")
                         .category("attn-launch-recurrences")
                         .function(function);
      std::string reason, steps;
      if (!target->hasBf16Mma())
        reason = "the chip has no tensor cores for bf16";
      RecurrenceKernel inTiles(op, limits);
      if (reason.empty() && succeeded(inTiles.launch(reason))) {
        steps = inTiles.describe();
        remark::passed(loc, options) << "one kernel: " << StringRef(steps);
        continue;
      }
      remark::missed(loc, options)
          << "not a kernel in tiles: " << StringRef(reason);
      RecurrenceSteps inSteps(op, limits);
      if (succeeded(inSteps.launch(reason))) {
        steps = inSteps.describe();
        remark::passed(loc, options) << "one kernel: " << StringRef(steps);
        continue;
      }
      remark::missed(loc, options)
          << "not a kernel in steps: " << StringRef(reason);
      op.setForm(RecurrenceForm::Recurrent);
      op.removeChunkAttr();
    }
  }
};
} // namespace
