//===- LowerVectors.cpp - Vector operations to what LLVM has --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNLOWERVECTORS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

namespace {
/// e^x - 1 of f32 without cancellation, in place of upstream's, which takes a
/// logarithm and a division. With n = round(x / ln 2) and r = x - n ln 2,
///
///   e^x - 1 = 2^n (e^r - 1) + (2^n - 1),   |r| <= ln 2 / 2,
///
/// where e^r - 1 = r + r^2 q(r), q a polynomial of degree 4 (Taylor's, whose
/// rest is below 2^-24 relative to r), and 2^n - 1 is exact where it matters.
struct ExpM1Lowering : OpRewritePattern<math::ExpM1Op> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpM1Op op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto shaped = dyn_cast<VectorType>(type);
    auto constant = [&](double value) -> Value {
      FloatAttr scalar = b.getF32FloatAttr(value);
      if (!shaped)
        return arith::ConstantOp::create(b, scalar);
      return arith::ConstantOp::create(b,
                                       DenseElementsAttr::get(shaped, scalar));
    };
    auto integer = [&](int32_t value) -> Value {
      IntegerAttr scalar = b.getI32IntegerAttr(value);
      if (!shaped)
        return arith::ConstantOp::create(b, scalar);
      return arith::ConstantOp::create(
          b, DenseElementsAttr::get(shaped.clone(b.getI32Type()), scalar));
    };
    auto fma = [&](Value x, Value y, Value z) -> Value {
      return math::FmaOp::create(b, x, y, z);
    };
    // Below -18 the result is -1. NaN stays in x and goes from n.
    Value x = arith::MaximumFOp::create(b, op.getOperand(), constant(-18));
    Value n = math::RoundEvenOp::create(
        b, arith::MulFOp::create(b, x, constant(1.44269504088896341)));
    n = arith::MaxNumFOp::create(b, n, constant(-26));
    n = arith::MinNumFOp::create(b, n, constant(127));
    // ln 2 in two parts: the product with the first is exact.
    Value r = fma(n, constant(-0.693359375), x);
    r = fma(n, constant(2.12194440e-4), r);
    Value q = constant(1.0 / 5040);
    for (double factorial : {720.0, 120.0, 24.0, 6.0, 2.0})
      q = fma(q, r, constant(1 / factorial));
    Value p = fma(arith::MulFOp::create(b, r, r), q, r);
    // 2^n by its bits.
    Type intType =
        shaped ? Type(shaped.clone(b.getI32Type())) : Type(b.getI32Type());
    Value bits = arith::FPToSIOp::create(b, intType, n);
    bits = arith::ShLIOp::create(
        b, arith::AddIOp::create(b, bits, integer(127)), integer(23));
    Value power = arith::BitcastOp::create(b, type, bits);
    Value less = arith::SubFOp::create(b, power, constant(1.0));
    rewriter.replaceOpWithNewOp<math::FmaOp>(op, power, p, less);
    return success();
  }
};

struct LowerVectors : attn::impl::AttnLowerVectorsBase<LowerVectors> {
  using AttnLowerVectorsBase::AttnLowerVectorsBase;

  void runOnOperation() override {
    // Upstream's patterns, in the order in which one makes work for the next.
    using Populate = void (*)(RewritePatternSet &);
    Populate stages[] = {
        [](RewritePatternSet &p) {
          vector::populateVectorContractLoweringPatterns(
              p, vector::VectorContractLowering::OuterProduct);
          vector::populateVectorOuterProductLoweringPatterns(p);
        },
        [](RewritePatternSet &p) {
          vector::populateVectorMultiReductionLoweringPatterns(
              p, vector::VectorMultiReductionLowering::InnerReduction);
        },
        [](RewritePatternSet &p) {
          vector::populateVectorTransferPermutationMapLoweringPatterns(p);
          vector::populateVectorTransposeLoweringPatterns(
              p, vector::VectorTransposeLowering::Shuffle16x16);
          vector::populateVectorShapeCastLoweringPatterns(p);
          vector::populateVectorBroadcastLoweringPatterns(p);
        },
        // exp, tanh, ... of f32 as polynomials: libm has no vectors.
        [](RewritePatternSet &p) {
          p.add<ExpM1Lowering>(p.getContext(), /*benefit=*/2);
          populateMathPolynomialApproximationPatterns(p);
        },
    };
    for (Populate populate : stages) {
      RewritePatternSet patterns(&getContext());
      populate(patterns);
      if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
        return signalPassFailure();
    }
  }
};
} // namespace
