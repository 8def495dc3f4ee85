//===- DslRecurrenceTest.cpp - Recurrences and states as expressions -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Unit/DslTest.h"

using namespace attn;
using namespace attn::dsl;

namespace {
using DslRecurrenceTest = DslTest;
} // namespace

TEST_F(DslRecurrenceTest, TransitionsAndReads) {
  RecurrenceClauses c;
  c.writes = {{{k, "hnd"}, {v, "hnv"}}};
  check({q, k, v}, {recurrence({q, "hnd"}, "hnv", c).output},
        "#attn.no_decay read(%arg0 \"hnd\" current) write(");
  c.transition = Transition::ScalarDecay;
  c.by = Named(g, "hn");
  c.read = StateRead::Decayed;
  check({q, k, v, g}, {recurrence({q, "hnd"}, "hnv", c).output},
        "#attn.scalar_decay by(%arg3 \"hn\") read(%arg0 \"hnd\" decayed)");
  c.transition = Transition::DiagonalDecay;
  c.by = Named(w, "hnd");
  c.read = StateRead::Previous;
  Expr u = input("u", {2, 4});
  c.bonus = Named(u, "hd");
  check({q, k, v, w, u}, {recurrence({q, "hnd"}, "hnv", c).output},
        "bonus(%arg4 \"hd\")");
  c.transition = Transition::ElementwiseDecay;
  Expr a = input("a", {2, n, 3, 4});
  negative.insert("a");
  c.by = Named(a, "hnvd");
  c.bonus.reset();
  check({q, k, v, a}, {recurrence({q, "hnd"}, "hnv", c).output},
        "#attn.elementwise_decay");
  c.transition = Transition::Dense;
  Expr matrix = input("matrix", {2, n, 4, 4});
  c.by = Named(0.1 * matrix, "hned");
  check({q, k, v, matrix}, {recurrence({q, "hnd"}, "hnv", c).output},
        "#attn.dense_transition");
}

TEST_F(DslRecurrenceTest, ErasuresGatesAndSegments) {
  RecurrenceClauses c;
  Expr key = l2Norm(k);
  c.erase =
      Erasure{{gate(key, sigmoid(beta)), "hnd"}, {key, "hnd"}, {v, "hnv"}};
  check({q, k, v, beta}, {recurrence({q, "hnd"}, "hnv", c).output},
        "erase(%2 \"hnd\", %0 \"hnd\", %arg2 \"hnv\" decayed)");
  c.erase.reset();
  c.writes = {{{k, "hnd"}, {v, "hnv"}}};
  Expr cu = input("cu", {3}, ElementType::I64);
  contents["cu"] = makeArray(ElementType::I64, {3}, {0, 2, 7});
  c.cuSeqlens = cu;
  check({q, k, v, cu}, {recurrence({q, "hnd"}, "hnv", c).output},
        "packed(%arg3");
  c.cuSeqlens.reset();
  Expr i = input("i", {2, n});
  c.logGate = Named(i, "hn");
  c.logScale = "hn";
  RecurrenceResults r = recurrence({q, "hnd"}, "hnv", c);
  check({q, k, v, i}, {r.output, r.logScale}, "log_scale");
}

TEST_F(DslRecurrenceTest, StatesAreUpdatedInPlace) {
  Expr s = state("s", {2, 4, 3});
  RecurrenceClauses c;
  c.writes = {{{k, "hnd"}, {v, "hnv"}}};
  c.state = Named(s, "hdv");
  c.finalState = "hdv";
  RecurrenceResults r = recurrence({q, "hnd"}, "hnv", c);
  auto program =
      llvm::cantFail(Program::create({q, k, v, s}, {r.output, r.state}));
  EXPECT_CONTAINS(program.getText(), "attn.state");
  std::vector<Array> arguments;
  for (const Expr &input : {q, k, v, s})
    arguments.push_back(makeArgument(input, arguments.size() + 1));
  auto exact = llvm::cantFail(program.evaluate(arguments));
  auto results =
      llvm::cantFail(llvm::cantFail(program.compile())->call(arguments));
  EXPECT_EQ(results[1].getData(), arguments[3].getData());
  for (auto [result, expected] : llvm::zip_equal(results, exact))
    EXPECT_LE(llvm::cantFail(getRelativeError(result, expected)), 1e-5);
}

TEST_F(DslRecurrenceTest, AStepHasTheStatesOfAGraph) {
  Expr o = causalScore(q, k, {decay(g)}) * v;
  auto whole = llvm::cantFail(Program::create({q, k, v, g}, {o}));
  auto step = llvm::cantFail(whole.withStates());
  std::vector<Array> arguments;
  for (const Expr &input : {q, k, v, g})
    arguments.push_back(makeArgument(input, arguments.size() + 1));
  auto exact = llvm::cantFail(whole.evaluate(arguments));
  arguments.push_back(
      llvm::cantFail(Array::create(ElementType::F32, {2, 4, 3})));
  for (int64_t i = 0; i < 24; ++i)
    arguments.back().set(i, 0);
  auto results =
      llvm::cantFail(llvm::cantFail(step.compile())->call(arguments));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_LE(llvm::cantFail(getRelativeError(results[0], exact[0])), 1e-5);
  auto plain = llvm::cantFail(Program::create({q, k}, {q + k}));
  EXPECT_CONTAINS(getMessage(plain.withStates()), "has no state");
}

static Step decayAndWrite(Expr s, std::vector<Expr> x) {
  Expr kept = gate(s, x[3], within(0, 1, "dv,d->dv"));
  Expr next = kept + gate(x[1], x[2], "d,v->dv");
  return {next, contract(x[0], next, "d,dv->v")};
}

TEST_F(DslRecurrenceTest, Scans) {
  std::vector<Named> inputs{
      {q, "hnd"}, {k, "hnd"}, {v, "hnv"}, {sigmoid(w), "hnd"}};
  check({q, k, v, w}, {scan(inputs, "hdv", "hnv", decayAndWrite).output},
        "attn.scan inputs(");
  Expr s = input("s", {2, 4, 3});
  ScanResults r = scan(inputs, "hdv", "hnv", decayAndWrite, s);
  check({q, k, v, w, s}, {r.output, r.state}, "state(%arg4)");
}
