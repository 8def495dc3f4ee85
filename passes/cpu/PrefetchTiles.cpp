//===- PrefetchTiles.cpp - The next tiles of a loop -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNPREFETCHTILES
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

static constexpr int64_t kLine = 64;

/// What a view is of: an argument, or memory from the heap. Buffers on the
/// stack are in the cache.
static Value getRoot(Value memory) {
  while (auto view = memory.getDefiningOp<memref::SubViewOp>())
    memory = view.getSource();
  return isa<BlockArgument>(memory) || memory.getDefiningOp<memref::AllocOp>()
             ? memory
             : Value();
}

/// The dimension in which a tile moves with the loop: of static size, with rows
/// of unit stride, at an offset of the loop's own index.
static std::optional<int64_t> getMovingDim(memref::SubViewOp tile,
                                           scf::ForOp loop) {
  if (!loop.isDefinedOutsideOfLoop(tile.getSource()) ||
      !getRoot(tile.getSource()))
    return std::nullopt;
  MemRefType type = tile.getSourceType();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.empty() ||
      strides.back() != 1 || !type.getElementType().isIntOrFloat())
    return std::nullopt;
  std::optional<int64_t> moving;
  for (auto [i, at] : llvm::enumerate(tile.getMixedOffsets())) {
    auto value = dyn_cast<Value>(at);
    if (value == loop.getInductionVar()) {
      if (moving)
        return std::nullopt;
      moving = i;
    } else if (value && !loop.isDefinedOutsideOfLoop(value)) {
      return std::nullopt;
    }
    if (ShapedType::isDynamic(tile.getStaticSizes()[i]))
      return std::nullopt;
  }
  // Parts of a row follow each other within a page.
  if (moving == tile.getSourceType().getRank() - 1)
    return std::nullopt;
  return moving;
}

namespace {
struct PrefetchTiles : attn::impl::AttnPrefetchTilesBase<PrefetchTiles> {
  using AttnPrefetchTilesBase::AttnPrefetchTilesBase;

  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      std::optional<int64_t> step = getConstantIntValue(loop.getStep());
      if (step && *step > 1)
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      prefetch(loop);
  }

  void prefetch(scf::ForOp loop) {
    SmallVector<memref::SubViewOp> tiles(
        loop.getBody()->getOps<memref::SubViewOp>());
    OpBuilder b = OpBuilder::atBlockBegin(loop.getBody());
    Location loc = loop.getLoc();
    Value next;
    for (memref::SubViewOp tile : tiles) {
      std::optional<int64_t> moving = getMovingDim(tile, loop);
      if (!moving)
        continue;
      // The last tile is its own next one: nothing is touched past the end.
      if (!next) {
        Value ahead = arith::AddIOp::create(b, loc, loop.getInductionVar(),
                                            loop.getStep());
        Value isIn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           ahead, loop.getUpperBound());
        next = arith::SelectOp::create(b, loc, isIn, ahead,
                                       loop.getInductionVar());
      }
      prefetch(b, tile, *moving, next);
    }
  }

  /// One address for each line of each row.
  void prefetch(OpBuilder b, memref::SubViewOp tile, int64_t moving,
                Value next) {
    Location loc = tile.getLoc();
    ArrayRef<int64_t> sizes = tile.getStaticSizes();
    int64_t perLine = std::max<int64_t>(
        kLine * 8 / tile.getSourceType().getElementTypeBitWidth(), 1);
    int64_t lines = llvm::divideCeil(sizes.back(), perLine);
    for (int64_t size : sizes.drop_back())
      lines *= size;
    if (lines > maxLines)
      return;
    SmallVector<Value> indices;
    for (auto [i, at] : llvm::enumerate(tile.getMixedOffsets())) {
      Value begin = static_cast<int64_t>(i) == moving
                        ? next
                        : getValueOrCreateConstantIndexOp(b, loc, at);
      int64_t step = i + 1 == sizes.size() ? perLine : 1;
      if (sizes[i] > step) {
        auto loop = scf::ForOp::create(
            b, loc, arith::ConstantIndexOp::create(b, loc, 0),
            arith::ConstantIndexOp::create(b, loc, sizes[i]),
            arith::ConstantIndexOp::create(b, loc, step));
        b.setInsertionPointToStart(loop.getBody());
        begin = arith::AddIOp::create(b, loc, begin, loop.getInductionVar());
      }
      indices.push_back(begin);
    }
    bool isWrite = !isa<BlockArgument>(getRoot(tile.getSource()));
    memref::PrefetchOp::create(b, loc, tile.getSource(), indices, isWrite,
                               /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
};
} // namespace
