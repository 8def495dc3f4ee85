//===- TranslateProducts.cpp - Products as reductions ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/Translator.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

/// Tokens of a part of a sum over tokens.
static constexpr int64_t kPartTokens = 128;

Tensor Translator::sumProducts(const Tensor &lhs, const EinsumOperand &lhsAxes,
                               const Tensor &rhs, const EinsumOperand &rhsAxes,
                               const EinsumOperand &resultAxes, char summed,
                               const AxisTerms &sizes, Kind kind,
                               StringRef hints) {
  Term zero = program.constant(kind, 0);
  SmallVector<Term> shape = getShape(resultAxes, sizes);
  // result[i, j] += lhs[i, k] rhs[k, j]
  auto accumulate = [&](const Tensor &result, ArrayRef<Term> index,
                        ArrayRef<Term> resultIndex, Term k) {
    AxisTerms at;
    unpack(resultAxes, resultIndex, sizes, at);
    at.set(summed, k);
    Term a = read(lhs, getIndex(lhsAxes, at, sizes), kind);
    Term b = read(rhs, getIndex(rhsAxes, at, sizes), kind);
    Term sum = program.load(result.source, kind, index);
    program.update(result.source, index, program.muladd(a, b, sum));
  };

  Term extent = sizes.get(summed);
  bool isLong =
      program.getInteger(extent).value_or(INT64_MAX) > 2 * kPartTokens &&
      llvm::none_of(resultAxes, [&](const EinsumDim &dim) {
        return llvm::any_of(dim, mlir::attn::Einsum::isTokenAxis);
      });
  if (!isLong) {
    Tensor result = makeFunc(
        shape, [&](ArrayRef<Term>) { return zero; }, hints);
    SmallVector<Term> index(program.getVars(result.source));
    Term k = program.makeLoop(program.makeDomain(extent), 0);
    accumulate(result, index, index, k);
    return result;
  }
  // A sum over tokens alone: of parts, each in registers and in a task.
  Term size = program.integer(kPartTokens);
  Term count =
      program.div(program.add(extent, program.integer(kPartTokens - 1)), size);
  SmallVector<Term> partShape{count};
  partShape.append(shape);
  Tensor parts = makeFunc(
      partShape, [&](ArrayRef<Term>) { return zero; }, "product");
  SmallVector<Term> index(program.getVars(parts.source));
  int domain = program.makeDomain(size);
  Term k = program.add(program.mul(index.front(), size),
                       program.makeLoop(domain, 0));
  program.where(domain, program.lt(k, extent));
  accumulate(parts, index, ArrayRef(index).drop_front(), k);
  Tensor result = makeFunc(
      shape, [&](ArrayRef<Term>) { return zero; }, "root");
  SmallVector<Term> there(program.getVars(result.source));
  SmallVector<Term> point{program.makeLoop(program.makeDomain(count), 0)};
  point.append(there);
  Term sum = program.load(result.source, kind, there);
  program.update(result.source, there,
                 program.add(sum, program.load(parts.source, kind, point)));
  return result;
}

LogicalResult Translator::translateProduct(ContractionOpInterface op) {
  auto lhs = getTensor(op.getLhs()), rhs = getTensor(op.getRhs());
  if (failed(lhs) || failed(rhs))
    return failure();
  mlir::attn::Einsum einsum = op.getSubscripts();
  auto found = getSizes(op, einsum, *lhs, *rhs);
  if (failed(found))
    return failure();
  AxisTerms &sizes = *found;
  Kind kind = getKind(op.getResult().getType());
  // What runs along vectors lies along memory.
  std::optional<char> innermost;
  if (!einsum.result.empty())
    innermost = einsum.result.back().back();
  auto prepare = [&](Value value, Tensor &tensor, EinsumOperand &axes) {
    if (isQuadratic(value))
      return;
    tensor = materialize(tensor, kind);
    if (innermost)
      moveInnermost(tensor, axes, *innermost);
  };
  prepare(op.getLhs(), *lhs, einsum.lhs);
  prepare(op.getRhs(), *rhs, einsum.rhs);
  char summed = einsum.getRoles().contracted.front();
  setTensor(
      op.getResult(),
      sumProducts(*lhs, einsum.lhs, *rhs, einsum.rhs, einsum.result, summed,
                  sizes, kind,
                  isQuadratic(op.getResult()) ? "tile product" : "product"));
  return success();
}

} // namespace attn::halide
