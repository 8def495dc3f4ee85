//===- RecurrencePlan.cpp - A recurrence before it is written -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/RecurrencePlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr char kQuery = AxisNames::kQuery, kKey = AxisNames::kKey,
                      kValue = AxisNames::kValue;

bool attn::appliesScores(ContractionOpInterface op) {
  SmallVector<char> summed = op.getSubscripts().getRoles().contracted;
  return summed.size() == 1 && Einsum::isTokenAxis(summed.front()) &&
         (findScores(op.getLhs()) || findScores(op.getRhs()));
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The names of a root's dimensions, from the first product below it.
EinsumOperand RecurrencePlanner::nameRoot(Operation *root) {
  Operation *op = root;
  while (!isa<ContractionOpInterface>(op)) {
    Operation *next = nullptr;
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      if (def && (isa<arith::AddFOp, arith::SubFOp>(def) ||
                  (isa<ContractionOpInterface>(def) &&
                   appliesScores(cast<ContractionOpInterface>(def)))))
        next = next ? next : def;
    }
    op = next;
  }
  auto product = cast<ContractionOpInterface>(op);
  Einsum einsum = product.getSubscripts();
  const EinsumOperand &scores =
      findScores(product.getLhs()) ? einsum.lhs : einsum.rhs;
  EinsumOperand axes;
  for (const EinsumDim &dim : einsum.result) {
    EinsumDim &named = axes.emplace_back();
    for (char letter : dim) {
      bool ofScores = Einsum::find(scores, letter) >= 0;
      if (ofScores && Einsum::isTokenAxis(letter) && dim.size() == 1)
        named.push_back(kQuery);
      else if (!ofScores && dim.size() == 1 && !hasAxis(axes, kValue))
        named.push_back(kValue);
      else
        named.push_back(names.create(letter));
    }
  }
  return axes;
}

LogicalResult RecurrencePlanner::addProduct(ContractionOpInterface op,
                                            const NamedTensor &value,
                                            double sign, bool strict,
                                            std::vector<Summand> &summands) {
  Einsum einsum = op.getSubscripts();
  bool left = findScores(op.getLhs()), right = findScores(op.getRhs());
  if (left && right)
    return reader.refuse(op, "a product of two scores has no state");
  AxisNames::Renaming renaming;
  char summed = einsum.getRoles().contracted.front();
  renaming[summed] = {kKey};
  if (failed(names.match(einsum.result, value.axes, renaming)))
    return reader.refuse(op, "its axes do not fit those of its user");
  EinsumOperand scoreAxes =
      names.rename(left ? einsum.lhs : einsum.rhs, renaming);
  renaming[summed] = {kQuery};
  Summand summand;
  summand.sign = sign;
  summand.values = {left ? op.getRhs() : op.getLhs(),
                    names.rename(left ? einsum.rhs : einsum.lhs, renaming)};
  if (hasAxis(scoreAxes, kValue))
    return reader.refuse(op, "scores have the axis of the values");
  FailureOr<ScoreTerm> score =
      reader.read(left ? op.getLhs() : op.getRhs(), scoreAxes, strict);
  if (failed(score))
    return failure();
  int64_t tokens = 0;
  for (const EinsumDim &dim : summand.values.axes)
    tokens += llvm::count(dim, kQuery);
  if (tokens != 1)
    return reader.refuse(op, tokens ? "the values differ for each query"
                                    : "the values have no token axis");
  summand.score = std::move(*score);
  summand.solve = summand.values.value.getDefiningOp<SolveOp>();
  summands.push_back(std::move(summand));
  return success();
}

LogicalResult RecurrencePlanner::collect(NamedTensor value, double sign,
                                         bool strict,
                                         std::vector<Summand> &summands) {
  Operation *op = value.value.getDefiningOp();
  if (op && isa<arith::AddFOp, arith::SubFOp>(op)) {
    double second = isa<arith::SubFOp>(op) ? -sign : sign;
    return success(succeeded(collect({op->getOperand(0), value.axes}, sign,
                                     strict, summands)) &&
                   succeeded(collect({op->getOperand(1), value.axes}, second,
                                     strict, summands)));
  }
  if (auto negate = dyn_cast_or_null<arith::NegFOp>(op))
    return collect({negate.getOperand(), value.axes}, -sign, strict, summands);
  if (auto product = dyn_cast_or_null<ContractionOpInterface>(op);
      product && appliesScores(product))
    return addProduct(product, value, sign, strict, summands);
  Summand local;
  local.local = value;
  local.sign = sign;
  summands.push_back(std::move(local));
  return success();
}

//===----------------------------------------------------------------------===//
// What belongs to one state
//===----------------------------------------------------------------------===//

bool RecurrencePlanner::isSame(const NamedTensor &a, const NamedTensor &b) {
  return a.value == b.value && names.resolve(a.axes) == names.resolve(b.axes);
}

bool RecurrencePlanner::isSame(const ScaledTokens &a, const ScaledTokens &b,
                               double factor) {
  if (!isSame(a.base, b.base) || a.gates.size() != b.gates.size() ||
      a.scale != factor * b.scale)
    return false;
  for (auto [x, y] : llvm::zip_equal(a.gates, b.gates))
    if (!isSame(x, y))
      return false;
  return true;
}

/// Whether two terms read one state: the same decay, segments and gates.
bool RecurrencePlanner::readsAlike(const ScoreTerm &a, const ScoreTerm &b) {
  return isSame(a.decay, b.decay) && isSame(a.logGate, b.logGate) &&
         a.cuSeqlens == b.cuSeqlens;
}

/// (I + L) U = B is an erasure if all scores of B read with the query of -L:
/// the rows of U are then r - p^T S, with S the state that all pairs are
/// written to.
LogicalResult RecurrencePlanner::planErasure(RecurrencePlan &plan) {
  SolveOp solve = plan.solve;
  const Summand *solved = nullptr;
  for (const Summand &write : plan.writes)
    if (write.solve)
      solved = &write;
  Einsum einsum = solve.getSubscripts();
  AxisNames::Renaming renaming;
  if (failed(names.match(einsum.result, solved->values.axes, renaming)))
    return reader.refuse(solve, "its axes do not fit those of its user");
  renaming[solve.getColumnAxis()] = {kKey};
  EinsumOperand lowerAxes = names.rename(einsum.lhs, renaming);
  renaming[solve.getColumnAxis()] = {kQuery};
  NamedTensor rhs{solve.getRhs(), names.rename(einsum.rhs, renaming)};
  FailureOr<ScoreTerm> lower =
      reader.read(solve.getLower(), lowerAxes, /*strict=*/true);
  if (failed(lower)) {
    if (getRefusal().reason.empty())
      return reader.refuse(solve, "what it solves has no causal scores");
    return failure();
  }
  if (lower->normalize)
    return reader.refuse(solve, "a normaliser of what it solves mixes its "
                                "keys");
  plan.erasure = std::move(*lower);
  if (!readsAlike(plan.erasure, plan.score))
    return reader.refuse(solve, "what it solves and what reads its result do "
                                "not decay alike");
  if (!isSame(plan.erasure.key, solved->score.key))
    return reader.refuse(solve, "what it solves and what reads its result have "
                                "different keys");
  std::vector<Summand> terms;
  if (failed(collect(rhs, 1, /*strict=*/true, terms)))
    return failure();
  SmallVector<const Summand *> read;
  for (Summand &term : terms) {
    if (term.local) {
      plan.inputs.push_back(term);
      continue;
    }
    // A right side that reads with another query is a value of its own.
    if (term.solve || term.score.normalize ||
        term.score.read != plan.erasure.read || term.score.hasOwnPair ||
        !readsAlike(term.score, plan.score) ||
        !isSame(term.score.query, plan.erasure.query, -term.sign))
      return reader.refuse(solve, "its right side reads another state, or with "
                                  "another query, than what it solves");
    read.push_back(&term);
  }
  // Every pair that the output reads is erased from, and the other way round.
  for (const Summand &write : plan.writes) {
    if (write.solve)
      continue;
    const Summand **it = llvm::find_if(read, [&](const Summand *term) {
      return isSame(term->score.key, write.score.key) &&
             isSame(term->values, write.values) && write.sign == 1;
    });
    if (it == read.end())
      return reader.refuse(write.score.chain.front(),
                           "the output reads a pair that the solve does not "
                           "erase from");
    read.erase(it);
  }
  if (!read.empty())
    return reader.refuse(solve, "the output does not read a pair that the "
                                "solve erases from");
  return success();
}

FailureOr<RecurrencePlan> RecurrencePlanner::plan(Operation *root) {
  RecurrencePlan plan;
  plan.root = root;
  plan.axes = nameRoot(root);
  std::vector<Summand> summands;
  if (failed(collect({root->getResult(0), plan.axes}, 1, /*strict=*/false,
                     summands)))
    return failure();
  for (Summand &summand : summands) {
    if (summand.local)
      return reader.refuse(root, "a summand has no scores");
    if (plan.writes.empty()) {
      plan.score = summand.score;
    } else {
      const ScoreTerm &first = plan.score;
      if (!readsAlike(summand.score, first) ||
          !isSame(summand.score.query, first.query) ||
          summand.score.read != first.read ||
          summand.score.hasOwnPair != first.hasOwnPair ||
          !isSame(summand.score.bonus, first.bonus) || first.normalize ||
          summand.score.normalize)
        return reader.refuse(root, "its summands do not read one state with "
                                   "one query");
    }
    if (summand.solve) {
      if (plan.solve || summand.sign != 1)
        return reader.refuse(root, "it has more than one solve");
      plan.solve = summand.solve;
    }
    plan.writes.push_back(std::move(summand));
  }
  if (plan.solve && (plan.score.bonus || plan.score.hasOwnPair))
    return reader.refuse(plan.solve, "the output reads what the token itself "
                                     "corrects, by a bonus");
  if (plan.solve && failed(planErasure(plan)))
    return failure();
  return plan;
}

std::string RecurrencePlan::describe() const {
  std::string text = "no decay";
  if (score.decay) {
    bool perKey = hasAxis(score.decay.axes, AxisNames::kFeature),
         perValue = hasAxis(score.decay.axes, AxisNames::kValue);
    text = perKey && perValue ? "a decay for each element of the state"
           : perKey           ? "a decay for each key channel"
           : perValue         ? "a decay for each value channel"
                              : "one decay";
  }
  if (solve)
    text += ", an erasure";
  if (writes.size() > 1)
    text += ", " + std::to_string(writes.size()) + " pairs a token";
  if (score.normalize)
    text += ", a normaliser";
  if (score.cuSeqlens)
    text += ", packed sequences";
  return text;
}
