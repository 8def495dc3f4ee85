//===- VectorizeCopies.cpp - Static copies as vectors ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Passes.h"
#include "passes/cpu/Divisors.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNVECTORIZECOPIES
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

/// Rows of unit stride, of elements that vectors have; those of i1 are bits.
static bool hasRows(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.hasStaticShape() && type.getNumElements() > 0 &&
         VectorType::isValidElementType(type.getElementType()) &&
         !type.getElementType().isInteger(1) &&
         succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1 ||
          type.getShape().back() == 1);
}

namespace {
struct VectorizeCopies : attn::impl::AttnVectorizeCopiesBase<VectorizeCopies> {
  using AttnVectorizeCopiesBase::AttnVectorizeCopiesBase;

  void runOnOperation() override {
    getOperation().walk([&](memref::CopyOp copy) {
      auto from = dyn_cast<MemRefType>(copy.getSource().getType()),
           to = dyn_cast<MemRefType>(copy.getTarget().getType());
      if (!from || !to)
        return;
      if (hasRows(from) && hasRows(to))
        rewrite(copy, from);
      else if (!from.getLayout().isIdentity() || !to.getLayout().isIdentity())
        rewriteByElement(copy);
    });
  }

  /// LLVM finds the rows.
  static void rewriteByElement(memref::CopyOp copy) {
    OpBuilder b(copy);
    Location loc = copy.getLoc();
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    int64_t rank = cast<MemRefType>(copy.getSource().getType()).getRank();
    SmallVector<Value> indices;
    for (int64_t i = 0; i < rank; ++i) {
      Value size = memref::DimOp::create(b, loc, copy.getSource(), i);
      auto loop = scf::ForOp::create(b, loc, zero, size, one);
      indices.push_back(loop.getInductionVar());
      b.setInsertionPointToStart(loop.getBody());
    }
    Value element = memref::LoadOp::create(b, loc, copy.getSource(), indices);
    memref::StoreOp::create(b, loc, element, copy.getTarget(), indices);
    copy.erase();
  }

  void rewrite(memref::CopyOp copy, MemRefType type) {
    OpBuilder b(copy);
    Location loc = copy.getLoc();
    int64_t rank = type.getRank(), length = 1;
    SmallVector<Value> indices;
    for (auto [i, size] : llvm::enumerate(type.getShape())) {
      int64_t step = 1;
      if (static_cast<int64_t>(i) + 1 == rank)
        step = length = attn::getLargestDivisor(size, vectorLength);
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      if (step == size) {
        indices.push_back(zero);
        continue;
      }
      auto loop = scf::ForOp::create(
          b, loc, zero, arith::ConstantIndexOp::create(b, loc, size),
          arith::ConstantIndexOp::create(b, loc, step));
      indices.push_back(loop.getInductionVar());
      b.setInsertionPointToStart(loop.getBody());
    }
    if (length == 1) {
      Value element = memref::LoadOp::create(b, loc, copy.getSource(), indices);
      memref::StoreOp::create(b, loc, element, copy.getTarget(), indices);
    } else {
      auto vector = VectorType::get(length, type.getElementType());
      Value row =
          vector::LoadOp::create(b, loc, vector, copy.getSource(), indices);
      vector::StoreOp::create(b, loc, row, copy.getTarget(), indices);
    }
    copy.erase();
  }
};
} // namespace
