//===- Causal.cpp - Scores under a decay -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Causal.h"
#include "runtime/dsl/AxisSizes.h"

using namespace mlir;
using mlir::attn::CausalScoreOp;
using mlir::attn::Einsum;
using mlir::attn::EinsumOperand;

namespace attn::dsl {

static CausalClause makeClause(CausalClause::Kind kind, Named operand) {
  return {kind, std::move(operand.expr), std::move(operand.axes)};
}

CausalClause decay(Named g) {
  return makeClause(CausalClause::Decay, std::move(g));
}
CausalClause bonus(Named u) {
  return makeClause(CausalClause::Bonus, std::move(u));
}
CausalClause logGate(Named i) {
  return makeClause(CausalClause::LogGate, std::move(i));
}
CausalClause unbounded() { return {CausalClause::Unbounded, {}, ""}; }
CausalClause exclusive() { return {CausalClause::Exclusive, {}, ""}; }
CausalClause strict() { return {CausalClause::Strict, {}, ""}; }
CausalClause subscripts(std::string text) {
  return {CausalClause::Subscripts, {}, std::move(text)};
}

namespace {
/// The clauses as the operation takes them.
struct CausalParts {
  Value operands[3];
  StringAttr axes[3], einsum;
  bool flags[3] = {false, false, false};
};
} // namespace

static FailureOr<CausalParts> collect(GraphBuilder &builder,
                                      ArrayRef<CausalClause> clauses,
                                      ArrayRef<Tensor> operands) {
  CausalParts parts;
  unsigned next = 2;
  for (const CausalClause &clause : clauses) {
    auto place = [&](int index) {
      parts.operands[index] = operands[next++].value;
      parts.axes[index] = builder.getText(clause.axes);
    };
    switch (clause.kind) {
    case CausalClause::Decay:
      place(0);
      break;
    case CausalClause::Bonus:
      place(1);
      break;
    case CausalClause::LogGate:
      place(2);
      break;
    case CausalClause::Unbounded:
      parts.flags[0] = true;
      break;
    case CausalClause::Exclusive:
      parts.flags[1] = true;
      break;
    case CausalClause::Strict:
      parts.flags[2] = true;
      break;
    case CausalClause::Subscripts:
      parts.einsum = builder.getText(clause.axes);
      break;
    }
  }
  for (const CausalClause &clause : clauses)
    if (llvm::count_if(clauses, [&](const CausalClause &other) {
          return other.kind == clause.kind;
        }) > 1)
      return builder.error() << "a clause is given twice";
  return parts;
}

Expr causalScore(Expr lhs, Expr rhs, std::vector<CausalClause> clauses,
                 SourceLine where) {
  std::vector<Expr> operands{std::move(lhs), std::move(rhs)};
  for (const CausalClause &clause : clauses)
    if (clause.operand)
      operands.push_back(*clause.operand);
  return makeExpr(
      where, std::move(operands),
      [clauses](GraphBuilder &builder,
                ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        FailureOr<CausalParts> parts = collect(builder, clauses, operands);
        if (failed(parts))
          return failure();
        const Tensor &lhs = operands[0], &rhs = operands[1];
        FailureOr<Einsum> einsum = failure();
        if (parts->einsum) {
          einsum = Einsum::parse(parts->einsum.getValue(),
                                 [&] { return builder.error(); });
          if (failed(einsum))
            return failure();
        } else if (lhs.getRank() < 2 || rhs.getRank() < 2 ||
                   std::max(lhs.getRank(), rhs.getRank()) > Einsum::kMaxRank) {
          return builder.error() << "expected queries and keys of rank 2 to "
                                 << Einsum::kMaxRank << ", got "
                                 << describe(lhs) << " and " << describe(rhs);
        } else {
          einsum = Einsum::forScore(lhs.getType(), rhs.getType());
        }
        AxisSizes sizes(builder);
        if (failed(sizes.add(einsum->lhs, lhs)) ||
            failed(sizes.add(einsum->rhs, rhs)))
          return failure();
        // The operands that name their axes may have some that others lack.
        unsigned next = 2;
        for (const CausalClause &clause : clauses)
          if (clause.operand) {
            const Tensor &operand = operands[next++];
            if (!clause.axes.empty() && failed(sizes.add(clause.axes, operand)))
              return failure();
          }
        // As many queries as keys, whichever operand says how many.
        const EinsumOperand &result = einsum->result;
        if (result.size() < 2 || result.back().size() != 1 ||
            result[result.size() - 2].size() != 1)
          return builder.error()
                 << "expected subscripts whose result ends in two token axes";
        if (failed(sizes.equate(result[result.size() - 2].front(),
                                result.back().front())))
          return failure();
        FailureOr<std::vector<Dim>> dims = sizes.get(result);
        if (failed(dims))
          return failure();
        SmallVector<Tensor> floats(operands);
        return builder.make<CausalScoreOp>(
            *dims, builder.getWideElement(floats), /*isScores=*/true, lhs.value,
            rhs.value, parts->operands[0], parts->operands[1],
            parts->operands[2], parts->einsum, parts->axes[0], parts->axes[1],
            parts->axes[2], parts->flags[0], parts->flags[1], parts->flags[2]);
      });
}

} // namespace attn::dsl
