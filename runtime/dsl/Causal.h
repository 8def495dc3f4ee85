//===- Causal.h - Decays, gates and solves of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_CAUSAL_H
#define ATTN_RUNTIME_DSL_CAUSAL_H

#include "runtime/dsl/Expr.h"
#include "runtime/dsl/Scalar.h"
#include <optional>

namespace attn::dsl {

/// A tensor and the letters of its dimensions, "bhnd". Where an operation has
/// default axes, no letters mean these.
struct Named {
  Named(Expr expr, std::string axes = "")
      : expr(std::move(expr)), axes(std::move(axes)) {}

  Expr expr;
  std::string axes;
};

//===----------------------------------------------------------------------===//
// Scores under a decay
//===----------------------------------------------------------------------===//

/// A clause of attn.causal_score.
struct CausalClause {
  enum Kind {
    Decay,
    Unbounded,
    Exclusive,
    Strict,
    Bonus,
    LogGate,
    Subscripts
  } kind;
  std::optional<Expr> operand;
  std::string axes;
};

/// The log decay g <= 0, scalar or one a channel by its axes.
CausalClause decay(Named g);
/// The decay may be positive: no linear form is derived.
CausalClause unbounded();
/// The decay of the query's own token is left out.
CausalClause exclusive();
/// A token does not see itself.
CausalClause strict();
/// The weight of a token's own key, one a channel.
CausalClause bonus(Named u);
/// Key m is multiplied by e^i[m].
CausalClause logGate(Named i);
CausalClause subscripts(std::string text);

/// attn.causal_score, scores of keys before their query:
/// `causalScore(q, k, {decay(g), exclusive()})`.
Expr causalScore(Expr lhs, Expr rhs, std::vector<CausalClause> clauses = {},
                 SourceLine where = {});

//===----------------------------------------------------------------------===//
// Gates and solves
//===----------------------------------------------------------------------===//

/// How a gate goes with its input: by subscripts, the default ones if empty.
struct GateAxes {
  GateAxes(std::string subscripts = "") : subscripts(std::move(subscripts)) {}
  GateAxes(const char *subscripts) : subscripts(subscripts) {}

  std::string subscripts;
  /// What calls check, and passes may count on.
  std::optional<std::pair<double, double>> range;
};

/// A gate whose elements are from lo to hi; others are an error of a call.
GateAxes within(double lo, double hi, std::string subscripts = "");

/// attn.gate: input * gate, element by element: `gate(v, beta, within(0, 1))`,
/// `gate(x, y, "nv,vd->nvd")`.
Expr gate(Expr input, Expr gate, GateAxes axes = {}, SourceLine where = {});
/// A gate of one's own, a function of the elements of two tensors of the same
/// sizes: `gate(y, z, [](Scalar y, Scalar z) { return y * tanh(z); })`.
Expr gate(Expr input, Expr gate, ScalarGate map, SourceLine where = {});

/// attn.solve: (I + lower)^-1 rhs, `..nm,..mv->..nv` or as the subscripts say.
Expr solve(Expr lower, Expr rhs, std::string subscripts = "",
           SourceLine where = {});

//===----------------------------------------------------------------------===//
// Several steps a token
//===----------------------------------------------------------------------===//

/// attn.expand_steps and attn.take_steps along a dimension of tokens, by
/// default the last but one.
Expr expandSteps(Expr x, int64_t steps,
                 std::optional<int64_t> tokenDim = std::nullopt,
                 SourceLine where = {});
Expr takeSteps(Expr x, int64_t steps,
               std::optional<int64_t> tokenDim = std::nullopt,
               SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_CAUSAL_H
