//===- Expr.cpp - Arguments, constants and operators -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Expr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/dsl/GraphBuilder.h"
#include "runtime/dsl/Products.h"

using namespace mlir;

namespace attn::dsl {

//===----------------------------------------------------------------------===//
// Arguments and constants
//===----------------------------------------------------------------------===//

static Expr makeArgument(Argument argument, SourceLine where) {
  auto node = std::make_shared<Node>();
  node->where = where;
  node->emit = [name = argument.name](GraphBuilder &builder,
                                      ArrayRef<Tensor>) -> FailureOr<Tensors> {
    return builder.error() << "'" << name
                           << "' is not among the arguments of the program";
  };
  node->argument = std::move(argument);
  return Expr(std::move(node));
}

Expr input(std::string name, std::vector<Dim> shape, ElementType type,
           SourceLine where) {
  return makeArgument({std::move(name), std::move(shape), type, false}, where);
}

Expr state(std::string name, std::vector<Dim> shape, ElementType type,
           SourceLine where) {
  return makeArgument({std::move(name), std::move(shape), type, true}, where);
}

Expr constant(std::vector<double> values, std::vector<Dim> shape,
              ElementType type, SourceLine where) {
  return makeExpr(
      where, {},
      [=](GraphBuilder &builder, ArrayRef<Tensor>) -> FailureOr<Tensor> {
        RankedTensorType tensor =
            builder.getType(shape, builder.getElement(type));
        auto element = dyn_cast<FloatType>(tensor.getElementType());
        if (!element || !tensor.hasStaticShape() || tensor.getRank() == 0)
          return builder.error()
                 << "a constant has static sizes and elements of a "
                    "floating-point type, got "
                 << tensor;
        if (tensor.getNumElements() != static_cast<int64_t>(values.size()))
          return builder.error()
                 << "expected " << tensor.getNumElements() << " numbers for "
                 << tensor << ", got " << values.size();
        SmallVector<APFloat> numbers;
        for (double value : values) {
          numbers.emplace_back(value);
          bool losesInfo;
          numbers.back().convert(element.getFloatSemantics(),
                                 APFloat::rmNearestTiesToEven, &losesInfo);
        }
        auto op = arith::ConstantOp::create(
            builder, builder.getLoc(), DenseElementsAttr::get(tensor, numbers));
        return Tensor{op.getResult(), shape};
      });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Expr transpose(Expr x, SourceLine where) {
  return makeExpr(
      where, {std::move(x)},
      [](GraphBuilder &builder,
         ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        Tensor tensor = operands[0];
        if (tensor.getRank() < 2)
          return builder.error() << "a transposed tensor has rank 2 or more";
        tensor.isTransposed = !tensor.isTransposed;
        return tensor;
      },
      /*takesTransposed=*/true);
}

Expr operator*(Operand lhs, Operand rhs) {
  return multiply(std::move(lhs.expr), std::move(rhs.expr), lhs.where);
}

Expr operator*(double factor, Operand x) {
  return scale(std::move(x.expr), factor, x.where);
}
Expr operator*(Operand x, double factor) {
  return scale(std::move(x.expr), factor, x.where);
}
Expr operator/(Operand x, double divisor) {
  return scale(std::move(x.expr), 1 / divisor, x.where);
}
Expr operator-(Operand x) { return scale(std::move(x.expr), -1, x.where); }

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

template <typename Op> static Expr makeSum(Operand lhs, Operand rhs) {
  return makeExpr(
      lhs.where, {std::move(lhs.expr), std::move(rhs.expr)},
      [](GraphBuilder &builder,
         ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &left = operands[0], &right = operands[1];
        if (left.dims != right.dims || left.getType() != right.getType())
          return builder.error()
                 << "a sum takes two tensors of one type, got "
                 << describe(left) << " and " << describe(right);
        if (!isa<FloatType>(left.getType().getElementType()))
          return builder.error() << "a sum takes floating-point tensors, got "
                                 << describe(left);
        return builder.make<Op>(left.dims, left.getType().getElementType(),
                                left.isScores && right.isScores, left.value,
                                right.value);
      });
}

Expr operator+(Operand lhs, Operand rhs) {
  return makeSum<arith::AddFOp>(std::move(lhs), std::move(rhs));
}
Expr operator-(Operand lhs, Operand rhs) {
  return makeSum<arith::SubFOp>(std::move(lhs), std::move(rhs));
}

} // namespace attn::dsl
