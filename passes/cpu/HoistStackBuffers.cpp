//===- HoistStackBuffers.cpp - One set of stack buffers a thread ----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNHOISTSTACKBUFFERS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

namespace {
struct HoistStackBuffers
    : attn::impl::AttnHoistStackBuffersBase<HoistStackBuffers> {
  void runOnOperation() override {
    // 1. A static buffer moves to the start of the thread's code, or of the
    //    function: its contents are undefined on every entry to its scope.
    getOperation().walk([](memref::AllocaOp buffer) {
      if (buffer->getNumOperands() != 0)
        return;
      Operation *scope = buffer->getParentOp();
      while (!isa<omp::ParallelOp, func::FuncOp>(scope))
        scope = scope->getParentOp();
      buffer->moveBefore(&scope->getRegion(0).front().front());
    });
    // 2. Scopes without a buffer of their own are only their bodies.
    SmallVector<memref::AllocaScopeOp> scopes;
    getOperation().walk([&](memref::AllocaScopeOp scope) {
      if (scope.getNumResults() == 0 &&
          !scope.walk([](memref::AllocaOp) { return WalkResult::interrupt(); })
               .wasInterrupted())
        scopes.push_back(scope);
    });
    for (memref::AllocaScopeOp scope : scopes) {
      Block &body = scope.getBodyRegion().front();
      body.getTerminator()->erase();
      scope->getBlock()->getOperations().splice(scope->getIterator(),
                                                body.getOperations());
      scope->erase();
    }
  }
};
} // namespace
