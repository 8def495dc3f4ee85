//===- Recurrence.h - Recurrences of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_RECURRENCE_H
#define ATTN_RUNTIME_DSL_RECURRENCE_H

#include "runtime/dsl/Causal.h"

namespace attn::dsl {

/// How a token changes the state before it writes: S, e^g S, diag(e^g) S,
/// e^G * S, M S.
enum class Transition {
  None,
  ScalarDecay,
  DiagonalDecay,
  ElementwiseDecay,
  Dense
};
/// The state that is read: after the token's write, before its decay, between.
enum class StateRead { Current, Previous, Decayed };

/// What is taken out of the state: u = input - query^T S, S += key u^T.
struct Erasure {
  Named query, key, input;
  StateRead read = StateRead::Decayed;
};

/// The clauses of attn.recurrence; docs/Spec.md has the equations. n is the
/// token, d and v are the channels of keys and values, other letters are batch.
struct RecurrenceClauses {
  Transition transition = Transition::None;
  /// The operand of the transition.
  std::optional<Named> by;
  StateRead read = StateRead::Current;
  /// Keys and values that are written.
  std::vector<std::pair<Named, Named>> writes;
  std::optional<Named> bonus, logGate;
  std::optional<Erasure> erase;
  /// The initial state and running maximum; zero and -inf without them.
  std::optional<Named> state, max;
  /// i32 or i64 [S + 1]: sequences that share nothing.
  std::optional<Expr> cuSeqlens;
  /// The axes of the final state, of the final maximum and of the scale: these
  /// are results only if they are named.
  std::string finalState, finalMax, logScale;
};

/// The results of a recurrence. One that is not asked for is an error to use.
struct RecurrenceResults {
  Expr output, logScale, state, max;
};

/// attn.recurrence: `recurrence({q, "bhnd"}, "bhnv", clauses)`.
RecurrenceResults recurrence(Named query, std::string outputAxes,
                             RecurrenceClauses clauses, SourceLine where = {});

/// A token's part of a recurrence of one's own: the state and the output.
struct Step {
  Expr state, output;
};
/// Gets the state before a token and the token's part of each input.
using StepFunction = std::function<Step(Expr state, std::vector<Expr> inputs)>;
struct ScanResults {
  Expr output, state;
};

/// attn.scan: a recurrence that `step` states for one token. It sees nothing
/// but its arguments. The final state is a result if an initial one is given.
ScanResults scan(std::vector<Named> inputs, std::string stateAxes,
                 std::string outputAxes, StepFunction step,
                 std::optional<Expr> initialState = std::nullopt,
                 SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_RECURRENCE_H
