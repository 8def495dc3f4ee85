//===- LaunchForall.cpp - Loops on the host to launches of kernels -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/Passes.h"
#include "passes/gpu/KernelBuilder.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNLAUNCHFORALL
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct LaunchForall : attn::impl::AttnLaunchForallBase<LaunchForall> {
  using AttnLaunchForallBase::AttnLaunchForallBase;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (blockSize < 1 || blockSize > 1024) {
      function.emitError("expected 1 to 1024 threads in a block, got ")
          << int64_t(blockSize);
      return signalPassFailure();
    }
    if (function.isExternal())
      return;
    SmallVector<Operation *> ops;
    for (Operation &op : function.getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      if (failed(convert(op)))
        return signalPassFailure();
  }

private:
  LogicalResult convert(Operation *op) {
    OpBuilder b(op);
    if (auto forall = dyn_cast<scf::ForallOp>(op))
      return launch(forall);
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      replaceAlloc(b, alloc);
      return success();
    }
    if (auto stack = dyn_cast<memref::AllocaOp>(op)) {
      Location loc = stack.getLoc();
      Value memory = replaceAlloc(b, stack);
      OpBuilder end(getOperation().getBody().front().getTerminator());
      createDealloc(end, loc, memory);
      return success();
    }
    if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
      createDealloc(b, op->getLoc(), dealloc.getMemref());
      op->erase();
      return success();
    }
    if (isa<func::CallOp>(op) && op->hasAttr(kKernelAttrName)) {
      emitLaunch(cast<func::CallOp>(op));
      return success();
    }
    if (isMemoryEffectFree(op) || isa<ViewLikeOpInterface>(op))
      return success();
    return launchAlone(op);
  }

  template <typename Op> Value replaceAlloc(OpBuilder &b, Op op) {
    auto memory = gpu::AllocOp::create(
        b, op.getLoc(), op.getType(), /*asyncToken=*/Type(),
        /*asyncDependencies=*/ValueRange(), op.getDynamicSizes(),
        op.getSymbolOperands(), /*hostShared=*/false);
    op->replaceAllUsesWith(ValueRange{memory.getMemref()});
    op->erase();
    return memory.getMemref();
  }

  static void createDealloc(OpBuilder &b, Location loc, Value memory) {
    gpu::DeallocOp::create(b, loc, /*asyncToken=*/Type(),
                           /*asyncDependencies=*/ValueRange(), memory);
  }

  /// Computes on the device what is not of the host: in one thread.
  LogicalResult launchAlone(Operation *op) {
    if (!op->use_empty())
      return op->emitOpError("reads the device's memory for the host");
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Value one = arith::ConstantIndexOp::create(b, 1);
    OpBuilder inner = createLaunch(b, one, one).second;
    Operation *copy = inner.clone(*op);
    op->erase();
    return finish(copy->getParentOfType<gpu::LaunchOp>());
  }

  /// A thread for each iteration.
  LogicalResult launch(scf::ForallOp forall) {
    ImplicitLocOpBuilder b(forall.getLoc(), forall);
    AffineExpr lo = b.getAffineDimExpr(0), hi = b.getAffineDimExpr(1),
               step = b.getAffineSymbolExpr(0);
    SmallVector<OpFoldResult> counts;
    OpFoldResult total = b.getIndexAttr(1);
    for (auto [from, to, by] :
         llvm::zip_equal(forall.getMixedLowerBound(),
                         forall.getMixedUpperBound(), forall.getMixedStep())) {
      counts.push_back(affine::makeComposedFoldedAffineApply(
          b, b.getLoc(), AffineMap::get(2, 1, (hi - lo).ceilDiv(step)),
          {from, to, by}));
      total = affine::makeComposedFoldedAffineApply(
          b, b.getLoc(), AffineMap::get(2, 0, lo * hi), {total, counts.back()});
    }
    OpFoldResult blocks = affine::makeComposedFoldedAffineApply(
        b, b.getLoc(), AffineMap::get(1, 0, lo.ceilDiv(blockSize)), {total});
    Value size = arith::ConstantIndexOp::create(b, blockSize);
    auto [launch, inner] = createLaunch(
        b, getValueOrCreateConstantIndexOp(b, b.getLoc(), blocks), size);
    ImplicitLocOpBuilder n(b.getLoc(), inner);
    Value first = arith::MulIOp::create(n, launch.getBlockIds().x, size);
    Value thread = arith::AddIOp::create(n, first, launch.getThreadIds().x);
    Value isIn = arith::CmpIOp::create(
        n, arith::CmpIPredicate::ult, thread,
        getValueOrCreateConstantIndexOp(n, n.getLoc(), total));
    auto guard = scf::IfOp::create(n, isIn, /*withElseRegion=*/false);
    n.setInsertionPointToStart(guard.thenBlock());
    // The last index is the fastest: neighbours read neighbouring columns.
    IRMapping map;
    Value rest = thread;
    SmallVector<Value> indices(counts.size());
    for (int64_t i = counts.size() - 1; i >= 0; --i) {
      Value count = getValueOrCreateConstantIndexOp(n, n.getLoc(), counts[i]);
      indices[i] = i > 0 ? Value(arith::RemUIOp::create(n, rest, count)) : rest;
      if (i > 0)
        rest = arith::DivUIOp::create(n, rest, count);
    }
    for (auto [iv, index, from, by] :
         llvm::zip_equal(forall.getInductionVars(), indices,
                         forall.getMixedLowerBound(), forall.getMixedStep()))
      map.map(iv, getValueOrCreateConstantIndexOp(
                      n, n.getLoc(),
                      affine::makeComposedFoldedAffineApply(
                          n, n.getLoc(), AffineMap::get(2, 1, lo + hi * step),
                          {from, OpFoldResult(index), by})));
    for (Operation &op : forall.getBody()->without_terminator())
      n.clone(op, map);
    forall.erase();
    return finish(launch);
  }

  static std::pair<gpu::LaunchOp, OpBuilder>
  createLaunch(ImplicitLocOpBuilder &b, Value blocks, Value size) {
    Value one = arith::ConstantIndexOp::create(b, 1);
    auto launch = gpu::LaunchOp::create(b, blocks, one, one, size, one, one);
    OpBuilder inner = OpBuilder::atBlockEnd(&launch.getBody().front());
    auto end = gpu::TerminatorOp::create(inner, b.getLoc());
    inner.setInsertionPoint(end);
    return {launch, inner};
  }

  LogicalResult finish(gpu::LaunchOp launch) {
    copyElements(launch);
    takeConstants(launch);
    return takeBuffers(launch);
  }

  /// Buffers of a thread are its own.
  static LogicalResult takeBuffers(gpu::LaunchOp launch) {
    SmallVector<Operation *> buffers;
    launch.walk([&](Operation *op) {
      if (isa<memref::AllocaOp, memref::AllocOp>(op))
        buffers.push_back(op);
    });
    for (Operation *op : buffers) {
      auto type = cast<MemRefType>(op->getResultTypes()[0]);
      if (!type.hasStaticShape())
        return op->emitOpError("has a size that only a call knows: threads of "
                               "the device have no such memory");
      OpBuilder b = OpBuilder::atBlockBegin(&launch.getBody().front());
      auto local = memref::AllocaOp::create(b, op->getLoc(), type);
      for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
        if (isa<memref::DeallocOp>(user))
          user->erase();
      op->replaceAllUsesWith(ValueRange{local.getResult()});
      op->erase();
    }
    return success();
  }

  /// A copy by bytes would be one of unaligned ones.
  static void copyElements(gpu::LaunchOp launch) {
    SmallVector<memref::CopyOp> copies;
    launch.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      OpBuilder b(copy);
      linalg::makeMemRefCopyOp(b, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    }
  }

  /// Constants are the kernel's.
  static void takeConstants(gpu::LaunchOp launch) {
    llvm::SmallDenseMap<Operation *, Value> globals;
    launch.walk([&](Operation *op) {
      for (OpOperand &operand : op->getOpOperands()) {
        auto global = operand.get().getDefiningOp<memref::GetGlobalOp>();
        if (!global || launch->isProperAncestor(global))
          continue;
        Value &own = globals[global];
        if (!own)
          own = OpBuilder::atBlockBegin(&launch.getBody().front())
                    .clone(*global)
                    ->getResult(0);
        operand.set(own);
      }
    });
  }
};
} // namespace
