//===- VectorizeTiles.cpp - Linalg tiles to register tiles and vectors ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNVECTORIZETILES
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// The largest divisor of `size` that is at most `limit`, so that no register
/// tile is partial; `size` itself if all divisors are small.
static int64_t getTile(int64_t size, int64_t limit) {
  if (size <= limit)
    return size;
  for (int64_t tile = limit; tile * 4 >= limit; --tile)
    if (size % tile == 0)
      return tile;
  return size <= 4 * limit ? size : 1;
}

namespace {
struct VectorizeTiles : attn::impl::AttnVectorizeTilesBase<VectorizeTiles> {
  using AttnVectorizeTilesBase::AttnVectorizeTilesBase;

  void runOnOperation() override {
    if (failed(fuseMaps()))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isTile(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops)
      if (failed(vectorize(rewriter, op)))
        return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    vector::populateVectorReductionToContractPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  /// Element-wise maps are fused with each other, and with nothing that would
  /// compute them more than once.
  LogicalResult fuseMaps() {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *operand) {
          auto consumer = dyn_cast<linalg::LinalgOp>(operand->getOwner());
          Operation *producer = operand->get().getDefiningOp();
          return consumer && producer && producer->hasOneUse() &&
                 consumer.getNumLoops() == consumer.getNumParallelLoops() &&
                 cast<linalg::LinalgOp>(producer).getNumLoops() ==
                     consumer.getNumLoops();
        });
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  /// Static, of floating-point or wide integer elements: vectors of i1 would be
  /// read as packed bits.
  static bool isTile(linalg::LinalgOp op) {
    if (op.hasDynamicShape())
      return false;
    return llvm::all_of(op->getOperands(), [](Value operand) {
      return !getElementTypeOrSelf(operand.getType()).isInteger(1) ||
             !isa<ShapedType>(operand.getType());
    });
  }

  /// Sizes of the register tile, a loop each.
  SmallVector<int64_t> getTileSizes(linalg::LinalgOp op) {
    SmallVector<int64_t> ranges = op.getStaticLoopRanges();
    SmallVector<int64_t> tiles(ranges.size(), 1);
    if (ranges.empty())
      return tiles;
    if (isa<linalg::TransposeOp>(op)) {
      for (auto [tile, range] : llvm::zip_equal(tiles, ranges))
        tile = getTile(range, 16);
    } else if (ranges.size() == 3 && op.getNumReductionLoops() == 1) {
      // acc[x, y] += a[x, c] b[c, y]: x by y accumulators stay in registers,
      // c is walked one by one: a is broadcast, b is a row.
      tiles[0] = getTile(ranges[0], registerRows);
      tiles[1] = getTile(ranges[1], registerCols);
    } else if (op.getNumReductionLoops() == 1 && ranges.size() == 2 &&
               op.getMatchingIndexingMap(op.getDpsInputOperand(0))
                   .isPermutation() &&
               !op.getMatchingIndexingMap(op.getDpsInputOperand(0))
                    .isIdentity()) {
      // Sums of columns: a row at a time.
      tiles[0] = getTile(ranges[0], vectorLength);
    } else {
      tiles.back() = getTile(ranges.back(), vectorLength);
    }
    return tiles;
  }

  LogicalResult vectorize(IRRewriter &rewriter, linalg::LinalgOp op) {
    SmallVector<int64_t> ranges = op.getStaticLoopRanges();
    SmallVector<int64_t> tiles = getTileSizes(op);
    for (auto [tile, range] : llvm::zip_equal(tiles, ranges))
      if (tile == range)
        tile = 0; // no loop
    rewriter.setInsertionPoint(op);
    if (llvm::any_of(tiles, [](int64_t tile) { return tile != 0; })) {
      scf::SCFTilingOptions options;
      options.setTileSizes(getAsIndexOpFoldResult(&getContext(), tiles));
      FailureOr<scf::SCFTilingResult> tiled = scf::tileUsingSCF(
          rewriter, cast<TilingInterface>(op.getOperation()), options);
      if (failed(tiled))
        return op.emitOpError("cannot be tiled");
      rewriter.replaceOp(op, tiled->replacements);
      op = cast<linalg::LinalgOp>(tiled->tiledOps.front());
      rewriter.setInsertionPoint(op);
    }
    FailureOr<linalg::VectorizationResult> result =
        linalg::vectorize(rewriter, op, /*inputVectorSizes=*/{},
                          /*inputScalableVecDims=*/{},
                          /*vectorizeNDExtract=*/false,
                          /*flatten1DDepthwiseConv=*/false,
                          /*assumeDynamicDimsMatchVecSizes=*/false,
                          /*createNamedContraction=*/true);
    // What has no vector form stays a loop: convert-linalg-to-loops follows.
    if (succeeded(result))
      rewriter.replaceOp(op, result->replacements);
    return success();
  }
};
} // namespace
