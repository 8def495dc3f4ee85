//===- Scores.cpp - Masks, normalisers and softmax of expressions -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Scores.h"
#include "runtime/dsl/GraphBuilder.h"

using namespace mlir;
using mlir::attn::MaskOp;

namespace attn::dsl {

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

static Expr makeMask(Expr scores, std::vector<Expr> maskOperands,
                     std::string text, Fill fill, SourceLine where) {
  std::vector<Expr> operands{std::move(scores)};
  llvm::append_range(operands, maskOperands);
  return makeExpr(
      where, std::move(operands),
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        auto mask = builder.parse<mlir::attn::MaskAttrInterface>(text);
        if (failed(mask))
          return failure();
        SmallVector<Value> values;
        for (const Tensor &operand : operands.drop_front())
          values.push_back(operand.value);
        double number =
            fill == Fill::Zero ? 0 : -std::numeric_limits<double>::infinity();
        const Tensor &scores = operands[0];
        return builder.make<MaskOp>(
            scores.dims, scores.getType().getElementType(), /*isScores=*/true,
            scores.value, values, *mask, builder.getF64FloatAttr(number));
      });
}

Expr causal(Expr scores, Fill fill, int64_t offset, SourceLine where) {
  return makeMask(std::move(scores), {},
                  "#attn.causal<offset = " + std::to_string(offset) + ">", fill,
                  where);
}

Expr strictlyCausal(Expr scores, Fill fill, SourceLine where) {
  return makeMask(std::move(scores), {}, "#attn.strictly_causal", fill, where);
}

Expr slidingWindow(Expr scores, int64_t left, int64_t right, Fill fill,
                   SourceLine where) {
  return makeMask(std::move(scores), {},
                  "#attn.sliding_window<left = " + std::to_string(left) +
                      ", right = " + std::to_string(right) + ">",
                  fill, where);
}

Expr packed(Expr scores, Expr cuSeqlens, Fill fill, SourceLine where) {
  return makeMask(std::move(scores), {std::move(cuSeqlens)}, "#attn.packed",
                  fill, where);
}

Expr packed(Expr scores, Expr cuQueries, Expr cuKeys, Fill fill,
            SourceLine where) {
  return makeMask(std::move(scores), {std::move(cuQueries), std::move(cuKeys)},
                  "#attn.packed", fill, where);
}

Expr masked(Expr scores, Expr mask, Fill fill, SourceLine where) {
  return makeMask(std::move(scores), {std::move(mask)}, "#attn.dense", fill,
                  where);
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Whether excluded scores are zeros, which an exponential makes 1.
static bool hasZeroFill(Value scores) {
  while (Operation *op = scores.getDefiningOp()) {
    if (auto mask = dyn_cast<MaskOp>(op)) {
      if (mask.getFill().isZero())
        return true;
      scores = mask.getScores();
    } else if (auto scale = dyn_cast<mlir::attn::ScaleOp>(op)) {
      scores = scale.getInput();
    } else {
      return false;
    }
  }
  return false;
}

static Expr makeSoftmax(Expr scores, std::optional<FeatureMap> map,
                        SourceLine where) {
  std::vector<Expr> operands{std::move(scores)};
  if (map)
    llvm::append_range(operands, map->operands);
  return makeExpr(
      where, std::move(operands),
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &scores = operands[0];
        if (hasZeroFill(scores.value))
          return builder.error()
                 << "the softmax of scores that a mask fills with 0; give the "
                    "mask Fill::MinusInfinity";
        mlir::attn::FeatureMapAttrInterface attribute;
        if (map) {
          auto parsed = builder.parse<mlir::attn::FeatureMapAttrInterface>(
              map->attribute);
          if (failed(parsed))
            return failure();
          attribute = *parsed;
        }
        SmallVector<Value> values;
        for (const Tensor &operand : operands.drop_front())
          values.push_back(operand.value);
        return builder.make<mlir::attn::SoftmaxOp>(
            scores.dims, scores.getType().getElementType(), /*isScores=*/true,
            scores.value, values, attribute);
      });
}

Expr softmax(Expr scores, SourceLine where) {
  return makeSoftmax(std::move(scores), std::nullopt, where);
}

Expr softmax(Expr scores, FeatureMap approximatedBy, SourceLine where) {
  return makeSoftmax(std::move(scores), std::move(approximatedBy), where);
}

//===----------------------------------------------------------------------===//
// Divisors
//===----------------------------------------------------------------------===//

namespace {
/// A divisor's attributes, and its operand behind the others.
struct DivisorOperands {
  DivisorOperands(GraphBuilder &builder, const Divisor &divisor,
                  ArrayRef<Tensor> operands)
      : eps(builder.getF64FloatAttr(divisor.eps)) {
    if (divisor.floor)
      floor = builder.getF64FloatAttr(*divisor.floor);
    if (divisor.logScale)
      logScale = operands.back().value;
  }

  FloatAttr eps, floor;
  Value logScale;
};
} // namespace

static std::vector<Expr> addLogScale(std::vector<Expr> operands,
                                     const Divisor &divisor) {
  if (divisor.logScale)
    operands.push_back(*divisor.logScale);
  return operands;
}

Expr normalize(Expr scores, Divisor divisor, SourceLine where) {
  return makeExpr(
      where, {std::move(scores)},
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        if (divisor.logScale)
          return builder.error() << "a normaliser takes no log scale";
        DivisorOperands parts(builder, divisor, operands);
        const Tensor &scores = operands[0];
        return builder.make<mlir::attn::NormalizeOp>(
            scores.dims, scores.getType().getElementType(), /*isScores=*/true,
            scores.value, parts.floor, parts.eps);
      });
}

/// Changes the size of a dimension, the last one by default; reports one that
/// is not there or has no static size.
static FailureOr<std::vector<Dim>> resize(GraphBuilder &builder,
                                          const Tensor &tensor,
                                          std::optional<int64_t> dim,
                                          int64_t by) {
  int64_t position = dim.value_or(tensor.getRank() - 1);
  if (position < 0 || position >= tensor.getRank() ||
      !tensor.dims[position].isStatic() ||
      tensor.dims[position].getFactor() + by < 0)
    return builder.error() << "expected a dimension " << position
                           << " of static size 1 or more, got "
                           << describe(tensor);
  std::vector<Dim> dims = tensor.dims;
  dims[position] = Dim(dims[position].getFactor() + by);
  return dims;
}

static IntegerAttr getDim(GraphBuilder &builder, std::optional<int64_t> dim) {
  return dim ? builder.getI64IntegerAttr(*dim) : IntegerAttr();
}

Expr appendOnes(Expr x, std::optional<int64_t> dim, SourceLine where) {
  return makeExpr(where, {std::move(x)},
                  [=](GraphBuilder &builder,
                      ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    auto dims = resize(builder, operands[0], dim, 1);
                    if (failed(dims))
                      return failure();
                    return builder.make<mlir::attn::AppendOnesOp>(
                        std::move(*dims), builder.getWideElement(operands),
                        /*isScores=*/false, operands[0].value,
                        getDim(builder, dim));
                  });
}

Expr divideByLast(Expr x, Divisor divisor, std::optional<int64_t> dim,
                  SourceLine where) {
  return makeExpr(where, addLogScale({std::move(x)}, divisor),
                  [=](GraphBuilder &builder,
                      ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    auto dims = resize(builder, operands[0], dim, -1);
                    if (failed(dims))
                      return failure();
                    DivisorOperands parts(builder, divisor, operands);
                    return builder.make<mlir::attn::DivideByLastOp>(
                        std::move(*dims),
                        operands[0].getType().getElementType(),
                        /*isScores=*/false, operands[0].value, parts.logScale,
                        getDim(builder, dim), parts.floor, parts.eps);
                  });
}

Expr divide(Expr numerator, Expr denominator, Divisor divisor,
            SourceLine where) {
  return makeExpr(
      where,
      addLogScale({std::move(numerator), std::move(denominator)}, divisor),
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &x = operands[0], &y = operands[1];
        if (x.dims != y.dims || x.getType() != y.getType())
          return builder.error()
                 << "a quotient takes two tensors of one type, "
                 << "got " << describe(x) << " and " << describe(y);
        DivisorOperands parts(builder, divisor, operands);
        return builder.make<mlir::attn::DivideOp>(
            x.dims, x.getType().getElementType(), x.isScores, x.value, y.value,
            parts.logScale, parts.floor, parts.eps);
      });
}

} // namespace attn::dsl
