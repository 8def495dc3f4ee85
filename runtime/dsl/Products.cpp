//===- Products.cpp - Products of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Products.h"
#include "runtime/dsl/AxisSizes.h"

using namespace mlir;
using mlir::attn::ApplyOp;
using mlir::attn::ContractOp;
using mlir::attn::Einsum;
using mlir::attn::EinsumOperand;
using mlir::attn::ScoreOp;

namespace attn::dsl {

/// Subscripts that are given, or the default ones of a matrix product.
static FailureOr<Einsum> getSubscripts(GraphBuilder &builder, StringRef text,
                                       const Tensor &lhs, const Tensor &rhs,
                                       Einsum (*getDefault)(RankedTensorType,
                                                            RankedTensorType)) {
  if (!text.empty())
    return Einsum::parse(text, [&] { return builder.error(); });
  for (const Tensor &operand : {lhs, rhs})
    if (operand.getRank() < 2 || operand.getRank() > Einsum::kMaxRank)
      return builder.error()
             << "expected a tensor of rank 2 to " << Einsum::kMaxRank
             << ", got " << describe(operand);
  return getDefault(lhs.getType(), rhs.getType());
}

template <typename Op>
static FailureOr<Tensor> makeProduct(GraphBuilder &builder,
                                     const Einsum &einsum, StringRef subscripts,
                                     const Tensor &lhs, const Tensor &rhs) {
  AxisSizes sizes(builder);
  if (failed(sizes.add(einsum.lhs, lhs)) || failed(sizes.add(einsum.rhs, rhs)))
    return failure();
  FailureOr<std::vector<Dim>> dims = sizes.get(einsum.result);
  if (failed(dims))
    return failure();
  auto isToken = [](const mlir::attn::EinsumDim &dim) {
    return dim.size() == 1 && Einsum::isTokenAxis(dim.front());
  };
  bool isScores = dims->size() >= 2 &&
                  llvm::all_of(ArrayRef(einsum.result).take_back(2), isToken);
  return builder.make<Op>(*dims, builder.getWideElement({lhs, rhs}), isScores,
                          lhs.value, rhs.value, builder.getText(subscripts));
}

template <typename Op>
static Expr
makeProductExpr(Expr lhs, Expr rhs, std::string subscripts, SourceLine where,
                Einsum (*getDefault)(RankedTensorType, RankedTensorType)) {
  return makeExpr(where, {std::move(lhs), std::move(rhs)},
                  [=](GraphBuilder &builder,
                      ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    FailureOr<Einsum> einsum =
                        getSubscripts(builder, subscripts, operands[0],
                                      operands[1], getDefault);
                    if (failed(einsum))
                      return failure();
                    return makeProduct<Op>(builder, *einsum, subscripts,
                                           operands[0], operands[1]);
                  });
}

Expr score(Expr lhs, Expr rhs, std::string subscripts, SourceLine where) {
  return makeProductExpr<ScoreOp>(std::move(lhs), std::move(rhs),
                                  std::move(subscripts), where,
                                  Einsum::forScore);
}

Expr apply(Expr scores, Expr values, std::string subscripts, SourceLine where) {
  return makeProductExpr<ApplyOp>(std::move(scores), std::move(values),
                                  std::move(subscripts), where,
                                  Einsum::forApply);
}

Expr contract(Expr lhs, Expr rhs, std::string subscripts, SourceLine where) {
  return makeExpr(where, {std::move(lhs), std::move(rhs)},
                  [=](GraphBuilder &builder,
                      ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    FailureOr<Einsum> einsum = Einsum::parse(
                        subscripts, [&] { return builder.error(); });
                    if (failed(einsum))
                      return failure();
                    return makeProduct<ContractOp>(builder, *einsum, subscripts,
                                                   operands[0], operands[1]);
                  });
}

/// The product of two matrices that are not scores of queries and keys: their
/// letters say which dimensions are tokens.
static FailureOr<Tensor> makeContract(GraphBuilder &builder, const Tensor &lhs,
                                      const Tensor &rhs) {
  FailureOr<Einsum> einsum =
      getSubscripts(builder, "", lhs, rhs, Einsum::forApply);
  if (failed(einsum))
    return failure();
  auto set = [](EinsumOperand &operand, char row, char column) {
    operand[operand.size() - 2] = {row};
    operand.back() = {column};
  };
  if (lhs.isTransposed) {
    // Summed over tokens: scores or features at the transposed side.
    char row = lhs.isScores ? 'n' : 'd';
    set(einsum->lhs, 'm', row);
    set(einsum->rhs, 'm', 'v');
    set(einsum->result, row, 'v');
  } else {
    set(einsum->lhs, 'n', 'd');
    set(einsum->rhs, 'd', 'v');
    set(einsum->result, 'n', 'v');
  }
  return makeProduct<ContractOp>(builder, *einsum, einsum->str(), lhs, rhs);
}

Expr multiply(Expr lhs, Expr rhs, SourceLine where) {
  return makeExpr(
      where, {std::move(lhs), std::move(rhs)},
      [](GraphBuilder &builder,
         ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &left = operands[0], &right = operands[1];
        if (left.isTransposed && right.isTransposed)
          return builder.error() << "expected a product with one side "
                                    "transposed at most";
        bool isPlain = !left.isScores && !right.isTransposed;
        if (left.isTransposed || isPlain)
          return makeContract(builder, left, right);
        auto getDefault =
            right.isTransposed ? Einsum::forScore : Einsum::forApply;
        FailureOr<Einsum> einsum =
            getSubscripts(builder, "", left, right, getDefault);
        if (failed(einsum))
          return failure();
        if (right.isTransposed)
          return makeProduct<ScoreOp>(builder, *einsum, "", left, right);
        return makeProduct<ApplyOp>(builder, *einsum, "", left, right);
      },
      /*takesTransposed=*/true);
}

Expr scale(Expr x, double factor, SourceLine where) {
  return makeExpr(where, {std::move(x)},
                  [=](GraphBuilder &builder,
                      ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    const Tensor &input = operands[0];
                    return builder.make<mlir::attn::ScaleOp>(
                        input.dims, builder.getWideElement(operands),
                        input.isScores, input.value,
                        builder.getF64FloatAttr(factor));
                  });
}

} // namespace attn::dsl
