//===- Gates.cpp - Gates, solves and steps of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/AxisSizes.h"
#include "runtime/dsl/Causal.h"
#include "runtime/dsl/Maps.h"

using namespace mlir;
using mlir::attn::Einsum;

namespace attn::dsl {

GateAxes within(double lo, double hi, std::string subscripts) {
  GateAxes axes(std::move(subscripts));
  axes.range = {lo, hi};
  return axes;
}

Expr gate(Expr input, Expr gate, GateAxes axes, SourceLine where) {
  return makeExpr(where, {std::move(input), std::move(gate)},
                  [axes](GraphBuilder &builder,
                         ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    const Tensor &input = operands[0], &factor = operands[1];
                    std::vector<Dim> dims = input.dims;
                    bool isScores = input.isScores;
                    if (axes.subscripts.empty()) {
                      // A factor for each element, or for each row.
                      ArrayRef<Dim> expected(input.dims);
                      if (factor.getRank() + 1 == input.getRank())
                        expected = expected.drop_back();
                      if (expected != ArrayRef<Dim>(factor.dims))
                        return builder.error()
                               << "a gate has the sizes of its input, or "
                               << "all but the last, got " << describe(factor)
                               << " for " << describe(input);
                    } else {
                      auto einsum = Einsum::parse(
                          axes.subscripts, [&] { return builder.error(); });
                      if (failed(einsum))
                        return failure();
                      AxisSizes sizes(builder);
                      if (failed(sizes.add(einsum->lhs, input)) ||
                          failed(sizes.add(einsum->rhs, factor)))
                        return failure();
                      auto result = sizes.get(einsum->result);
                      if (failed(result))
                        return failure();
                      dims = std::move(*result);
                      isScores &= einsum->lhs == einsum->result;
                    }
                    FloatAttr lo, hi;
                    if (axes.range) {
                      lo = builder.getF64FloatAttr(axes.range->first);
                      hi = builder.getF64FloatAttr(axes.range->second);
                    }
                    return builder.make<mlir::attn::GateOp>(
                        std::move(dims), builder.getWideElement(operands),
                        isScores, input.value, factor.value,
                        builder.getText(axes.subscripts), lo, hi);
                  });
}

Expr gate(Expr input, Expr gate, ScalarGate map, SourceLine where) {
  return makeExpr(where, {std::move(input), std::move(gate)},
                  [body = map(makeArgument(0), makeArgument(1))](
                      GraphBuilder &builder, ArrayRef<Tensor> operands) {
                    return makeElementwise(builder, body, operands);
                  });
}

Expr solve(Expr lower, Expr rhs, std::string subscripts, SourceLine where) {
  return makeExpr(
      where, {std::move(lower), std::move(rhs)},
      [subscripts](GraphBuilder &builder,
                   ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &lower = operands[0], &rhs = operands[1];
        FailureOr<Einsum> einsum = failure();
        if (!subscripts.empty()) {
          einsum = Einsum::parse(subscripts, [&] { return builder.error(); });
          if (failed(einsum))
            return failure();
        } else if (lower.getRank() < 2 || rhs.getRank() < 2 ||
                   std::max(lower.getRank(), rhs.getRank()) >
                       Einsum::kMaxRank) {
          return builder.error()
                 << "expected tensors of rank 2 to " << Einsum::kMaxRank
                 << ", got " << describe(lower) << " and " << describe(rhs);
        } else {
          einsum = Einsum::forApply(lower.getType(), rhs.getType());
        }
        AxisSizes sizes(builder);
        if (failed(sizes.add(einsum->lhs, lower)) ||
            failed(sizes.add(einsum->rhs, rhs)))
          return failure();
        auto dims = sizes.get(einsum->result);
        if (failed(dims))
          return failure();
        return builder.make<mlir::attn::SolveOp>(
            std::move(*dims), builder.getWideElement(operands),
            /*isScores=*/false, lower.value, rhs.value,
            builder.getText(subscripts));
      });
}

//===----------------------------------------------------------------------===//
// Several steps a token
//===----------------------------------------------------------------------===//

template <typename Op>
static Expr makeSteps(Expr x, int64_t steps, std::optional<int64_t> tokenDim,
                      bool expands, SourceLine where) {
  return makeExpr(
      where, {std::move(x)},
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        const Tensor &input = operands[0];
        int64_t dim = tokenDim.value_or(input.getRank() - 2);
        if (dim < 0 || dim >= input.getRank() || steps < 1)
          return builder.error() << "expected 1 or more steps along a dimension"
                                 << " of " << describe(input) << ", got "
                                 << steps << " along " << dim;
        std::vector<Dim> dims = input.dims;
        std::optional<Dim> size =
            expands ? dims[dim].times(Dim(steps)) : dims[dim].over(Dim(steps));
        if (!size)
          return builder.error() << dims[dim].str() << " steps are not "
                                 << steps << " for each token";
        dims[dim] = *size;
        IntegerAttr position =
            tokenDim ? builder.getI64IntegerAttr(dim) : IntegerAttr();
        return builder.make<Op>(std::move(dims),
                                builder.getWideElement(operands),
                                /*isScores=*/false, input.value,
                                builder.getI64IntegerAttr(steps), position);
      });
}

Expr expandSteps(Expr x, int64_t steps, std::optional<int64_t> tokenDim,
                 SourceLine where) {
  return makeSteps<mlir::attn::ExpandStepsOp>(std::move(x), steps, tokenDim,
                                              /*expands=*/true, where);
}

Expr takeSteps(Expr x, int64_t steps, std::optional<int64_t> tokenDim,
               SourceLine where) {
  return makeSteps<mlir::attn::TakeStepsOp>(std::move(x), steps, tokenDim,
                                            /*expands=*/false, where);
}

} // namespace attn::dsl
