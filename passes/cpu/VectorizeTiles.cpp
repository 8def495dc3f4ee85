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
#include "passes/algebra/CpuSpec.h"
#include "passes/cpu/Divisors.h"

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
  int64_t tile = getLargestDivisor(size, limit);
  if (tile * 4 >= limit)
    return tile;
  return size <= 4 * limit ? size : 1;
}

namespace {
struct VectorizeTiles : attn::impl::AttnVectorizeTilesBase<VectorizeTiles> {
  using AttnVectorizeTilesBase::AttnVectorizeTilesBase;

  void runOnOperation() override {
    // Accumulators take half of the registers, in rows of two vectors.
    CpuSpec cpu = CpuSpec::get(getOperation());
    lanes = cpu.getLanes();
    rows = registerRows > 0 ? int64_t(registerRows) : cpu.vectorRegisters / 4;
    cols = registerCols > 0 ? int64_t(registerCols) : 2 * lanes;
    length = vectorLength > 0 ? int64_t(vectorLength) : cpu.getMapLength();
    if (failed(fuseMaps()))
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (isTile(op))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (unsigned i = 0; i < ops.size(); ++i)
      splitRest(rewriter, ops, i);
    // From the consumers up: what a consumer has computed in its own tiles is
    // dead by its turn.
    for (linalg::LinalgOp op : llvm::reverse(ops)) {
      if (isOpTriviallyDead(op)) {
        rewriter.eraseOp(op);
        continue;
      }
      SmallVector<linalg::LinalgOp> tiles{op};
      if (failed(tile(rewriter, op, tiles)))
        return signalPassFailure();
      for (linalg::LinalgOp part : tiles)
        if (vectorize && failed(makeVectors(rewriter, part)))
          return signalPassFailure();
    }
    // This erases slices that fusion has left behind, too.
    RewritePatternSet patterns(&getContext());
    vector::populateVectorReductionToContractPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  /// Columns of which no tile of vectors is a divisor, as the 65 or 129 of a
  /// normaliser: as many as are whole vectors, and the rest.
  void splitRest(RewriterBase &rewriter, SmallVectorImpl<linalg::LinalgOp> &ops,
                 unsigned i) {
    linalg::LinalgOp op = ops[i];
    SmallVector<int64_t> ranges = op.getStaticLoopRanges();
    if (ranges.size() < 2 || isa<linalg::TransposeOp>(op))
      return;
    int64_t dim = 1, size = ranges[dim];
    if (op.getIteratorTypesArray()[dim] != utils::IteratorType::parallel ||
        size <= lanes || size % lanes == 0)
      return;
    rewriter.setInsertionPoint(op);
    auto [whole, rest] =
        linalg::splitOp(rewriter, cast<TilingInterface>(op.getOperation()), dim,
                        rewriter.getIndexAttr(size - size % lanes));
    if (!whole || !rest)
      return;
    ops[i] = cast<linalg::LinalgOp>(whole.getOperation());
    ops.insert(ops.begin() + i + 1,
               cast<linalg::LinalgOp>(rest.getOperation()));
  }

  /// Whether both compute as many elements.
  static bool haveEqualLoops(linalg::LinalgOp a, linalg::LinalgOp b) {
    if (a.getNumLoops() == b.getNumLoops())
      return true;
    auto count = [](linalg::LinalgOp op) {
      int64_t elements = 1;
      for (int64_t range : op.getStaticLoopRanges())
        elements *= range;
      return elements;
    };
    return !a.hasDynamicShape() && !b.hasDynamicShape() && count(a) == count(b);
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
                 haveEqualLoops(cast<linalg::LinalgOp>(producer), consumer);
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

  /// acc[x, y] += a[x, c] b[c, y]
  static bool isProduct(linalg::LinalgOp op) {
    return op && op.getNumLoops() == 3 && op.getNumReductionLoops() == 1;
  }

  /// out[x, y] = f(..), each element by itself; a turned tile is none.
  static bool isMap(linalg::LinalgOp op) {
    return op && op.getNumLoops() == 2 && op.getNumParallelLoops() == 2 &&
           op->getNumResults() == 1 && !isa<linalg::TransposeOp>(op);
  }

  /// The product whose sums `op` maps one by one, and which nothing else reads.
  static linalg::LinalgOp getMappedProduct(linalg::LinalgOp op) {
    if (!isMap(op))
      return nullptr;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto product = operand->get().getDefiningOp<linalg::LinalgOp>();
      if (isProduct(product) && isTile(product) && product->hasOneUse() &&
          product->getBlock() == op->getBlock() &&
          op.getMatchingIndexingMap(operand).isIdentity())
        return product;
    }
    return nullptr;
  }

  /// The map that makes the right side of a product of one row, as the update
  /// of a state that is read: both go over it together, row by row.
  static linalg::LinalgOp getReadUpdate(linalg::LinalgOp op) {
    if (!isProduct(op) || op.getStaticLoopRanges()[0] != 1)
      return nullptr;
    OpOperand *rhs = op.getDpsInputOperand(1);
    auto update = rhs->get().getDefiningOp<linalg::LinalgOp>();
    AffineMap map = op.getMatchingIndexingMap(rhs);
    bool isUpdate =
        isMap(update) && isTile(update) && !isa<linalg::FillOp>(update) &&
        update->getBlock() == op->getBlock() && map.getNumResults() == 2 &&
        map.getDimPosition(0) == 2 && map.getDimPosition(1) == 1 &&
        update.getMatchingIndexingMap(update.getDpsInitOperand(0)).isIdentity();
    // Others read the updated state once it is whole.
    isUpdate =
        isUpdate && llvm::all_of(update->getUsers(), [&](Operation *user) {
          Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
          return ancestor == op || (ancestor && op->isBeforeInBlock(ancestor));
        });
    return isUpdate ? update : nullptr;
  }

  /// Sizes of the register tile, a loop each; 0 where there is none.
  SmallVector<int64_t> getTileSizes(linalg::LinalgOp op) {
    SmallVector<int64_t> ranges = op.getStaticLoopRanges();
    SmallVector<int64_t> tiles(ranges.size(), 1);
    if (ranges.empty())
      return tiles;
    if (isa<linalg::TransposeOp>(op)) {
      for (auto [tile, range] : llvm::zip_equal(tiles, ranges))
        tile = getTile(range, 16);
    } else if (isProduct(op) || getMappedProduct(op)) {
      // x by y accumulators stay in registers; few rows have more columns, so
      // that there are sums enough to hide the latency of each.
      tiles[0] = getTile(ranges[0], rows);
      int64_t more = rows / tiles[0];
      // A row of an update stands beside the sums, and both go over the summed
      // axis together; otherwise the product walks it by itself.
      bool updates = getReadUpdate(op) != nullptr;
      if (updates)
        more /= 2;
      tiles[1] = getTile(ranges[1], cols * std::max<int64_t>(more, 1));
      if (isProduct(op) && !updates)
        tiles[2] = 0;
      return tiles;
    } else if (op.getNumReductionLoops() == 1 && ranges.size() == 2 &&
               op.getMatchingIndexingMap(op.getDpsInputOperand(0))
                   .isPermutation() &&
               !op.getMatchingIndexingMap(op.getDpsInputOperand(0))
                    .isIdentity()) {
      // Sums of columns: a row at a time.
      tiles[0] = getTile(ranges[0], length);
    } else {
      tiles.back() = getTile(ranges.back(), length);
    }
    for (auto [tile, range] : llvm::zip_equal(tiles, ranges))
      if (tile == range)
        tile = 0;
    return tiles;
  }

  /// Cuts into register tiles. A tile of a product starts from what its
  /// accumulators start from and is mapped as it leaves them: neither makes a
  /// pass over memory of its own.
  LogicalResult tile(IRRewriter &rewriter, linalg::LinalgOp op,
                     SmallVectorImpl<linalg::LinalgOp> &parts) {
    SmallVector<int64_t> sizes = getTileSizes(op);
    linalg::LinalgOp update = getReadUpdate(op);
    if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
      return success();
    rewriter.setInsertionPoint(op);
    llvm::SmallPtrSet<Operation *, 4> fused;
    if (update) {
      // The sums are carried along the rows: they start before.
      fused.insert(update);
    } else if (linalg::LinalgOp product = getMappedProduct(op)) {
      fused.insert(product);
      addStarts(product, fused);
    } else if (isProduct(op)) {
      addStarts(op, fused);
    }
    scf::SCFTileAndFuseOptions options;
    options.tilingOptions.setTileSizes(
        getAsIndexOpFoldResult(&getContext(), sizes));
    options.fusionControlFn = [&](tensor::ExtractSliceOp, OpResult producer,
                                  bool)
        -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
      if (!fused.contains(producer.getOwner()))
        return std::nullopt;
      scf::SCFTileAndFuseOptions::ControlFnResult result;
      result.yieldProducerReplacement = producer.getOwner() == update;
      return result;
    };
    FailureOr<scf::SCFTileAndFuseResult> tiled =
        scf::tileConsumerAndFuseProducersUsingSCF(
            rewriter, cast<TilingInterface>(op.getOperation()), options);
    if (failed(tiled))
      return op.emitOpError("cannot be tiled");
    for (auto [from, to] : tiled->replacements)
      rewriter.replaceAllUsesWith(from, to);
    rewriter.eraseOp(op);
    parts.clear();
    for (Operation *part : tiled->tiledAndFusedOps)
      parts.push_back(cast<linalg::LinalgOp>(part));
    return success();
  }

  /// What a product's accumulators start from: a constant, or a map that
  /// nothing else reads.
  static void addStarts(linalg::LinalgOp product,
                        llvm::SmallPtrSetImpl<Operation *> &starts) {
    auto start =
        product.getDpsInitOperand(0)->get().getDefiningOp<linalg::LinalgOp>();
    if (!start || !isTile(start))
      return;
    if (isa<linalg::FillOp>(start) ||
        (isMap(start) && start->hasOneUse() &&
         start->getBlock() == product->getBlock()))
      starts.insert(start);
  }

  LogicalResult makeVectors(IRRewriter &rewriter, linalg::LinalgOp op) {
    rewriter.setInsertionPoint(op);
    if (isProduct(op) && op.getStaticLoopRanges()[2] != 1) {
      // c is walked one by one: a is broadcast, b is a row.
      scf::SCFTilingOptions options;
      options.setTileSizes(getAsIndexOpFoldResult(&getContext(), {0, 0, 1}));
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

  /// Elements of the widest vectors, and what the options and the CPU make of a
  /// register tile and of a map's row.
  int64_t lanes = 0, rows = 0, cols = 0, length = 0;
};
} // namespace
