//===- DslErrorsTest.cpp - What is wrong with expressions, and where -*- C++
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
class DslErrorsTest : public DslTest {
protected:
  /// The program fails with `text` at `line` of this file.
  void expectError(std::vector<Expr> inputs, std::vector<Expr> outputs,
                   int line, llvm::StringRef text) {
    std::string message = getMessage(Program::create(inputs, outputs));
    std::string place = __FILE__ + (":" + std::to_string(line) + ": ");
    EXPECT_EQ(message.substr(0, place.size()), place) << message;
    EXPECT_CONTAINS(message, text.str());
  }
};
} // namespace

TEST_F(DslErrorsTest, SizesThatDisagree) {
  Expr wide = input("wide", {2, n, 5}), other = input("other", {2, m, 4});
  Expr bad = q * transpose(wide);
  expectError({q, wide}, {bad}, __LINE__ - 1, "axis 'd' has the sizes 4 and 5");
  Expr scores = causalScore(q, other);
  expectError({q, other}, {scores}, __LINE__ - 1,
              "expected as many queries as keys, got n and m");
  Expr sum = q + other;
  expectError({q, other}, {sum}, __LINE__ - 1,
              "a sum takes two tensors of one type, got f32 [2, n, 4] and f32 "
              "[2, m, 4]");
  bad = gate(q, other);
  expectError({q, other}, {bad}, __LINE__ - 1, "got f32 [2, m, 4] for");
  bad = gate(q, other, [](Scalar x, Scalar y) { return x + y; });
  expectError({q, other}, {bad}, __LINE__ - 1,
              "expected tensors of the same sizes");
  bad = divide(q, other);
  expectError({q, other}, {bad}, __LINE__ - 1, "a quotient takes");
  Expr odd = input("odd", {2, 7, 4});
  bad = takeSteps(odd, 2);
  expectError({odd}, {bad}, __LINE__ - 1, "7 steps are not 2 for each token");
}

TEST_F(DslErrorsTest, SubscriptsAndAxes) {
  Expr bad = contract(q, k, "hnd,hmd");
  expectError({q, k}, {bad}, __LINE__ - 1, "[P1]");
  bad = score(q, k, "nd,md->nm");
  expectError({q, k}, {bad}, __LINE__ - 1,
              "axes 'nd' do not fit f32 [2, n, 4]");
  bad = contract(q, k, "hnd,hmd->hnx");
  expectError({q, k}, {bad}, __LINE__ - 1, "no operand has the axis 'x'");
  bad = causalScore(q, k, {decay({g, "hnd"})});
  expectError({q, k, g}, {bad}, __LINE__ - 1, "axes 'hnd' do not fit");
  bad = causalScore(q, k, {strict(), strict()});
  expectError({q, k}, {bad}, __LINE__ - 1, "a clause is given twice");
  Expr x = input("x", {4});
  bad = x * transpose(q);
  expectError({x, q}, {bad}, __LINE__ - 1, "expected a tensor of rank 2 to 18");
  bad = transpose(x) * q;
  expectError({x, q}, {bad}, __LINE__ - 1, "has rank 2 or more");
}

TEST_F(DslErrorsTest, WhatTheVerifierRefuses) {
  Expr bad = slidingWindow(q * transpose(k), -1, 0);
  expectError({q, k}, {bad}, __LINE__ - 1, "[M6]");
  bad = normalize(q * transpose(k), Divisor{-1});
  expectError({q, k}, {bad}, __LINE__ - 1, "[N2]");
  bad = cosformer(q, 0);
  expectError({q}, {bad}, __LINE__ - 1, "[F7]");
  bad = gate(v, beta, within(1, 0));
  expectError({v, beta}, {bad}, __LINE__ - 1, "[G4]");
  bad = recurrence({q, "hnd"}, "hnd", RecurrenceClauses()).output;
  expectError({q}, {bad}, __LINE__ - 1, "[R2]");
}

TEST_F(DslErrorsTest, TransposedOperands) {
  Expr bad = elu1(transpose(q));
  expectError({q}, {bad}, __LINE__ - 1,
              "only a product takes a transposed operand");
  bad = transpose(q) * transpose(k);
  expectError({q, k}, {bad}, __LINE__ - 1, "one side transposed at most");
  EXPECT_CONTAINS(getMessage(Program::create({q}, {transpose(q)})),
                  "only a product takes a transposed operand");
}

TEST_F(DslErrorsTest, SoftmaxOfZeros) {
  Expr bad = softmax(0.5 * causal(q * transpose(k)));
  expectError({q, k}, {bad}, __LINE__ - 1, "give the mask Fill::MinusInfinity");
  bad = normalize(q * transpose(k), Divisor{0, 1.0, g});
  expectError({q, k, g}, {bad}, __LINE__ - 1, "takes no log scale");
}

TEST_F(DslErrorsTest, InputsOfPrograms) {
  Expr missing = input("missing", {2, n, 4});
  expectError({q}, {q + missing}, __LINE__ - 1,
              "'missing' is not among the arguments of the program");
  Expr twice = input("q", {2, n, 4});
  expectError({q, twice}, {q}, __LINE__ - 1, "two inputs of the program are");
  Expr sum = q + k;
  expectError({q, k, sum}, {sum}, __LINE__ - 1, "input 2 of the program is no");
  Expr negative = input("negative", {-2, 4});
  expectError({negative}, {negative}, __LINE__ - 1, "has a size of -2");
}

TEST_F(DslErrorsTest, ValuesThatAreNotThere) {
  Expr bad = elu1(Expr());
  expectError({}, {bad}, __LINE__ - 1, "an expression without a value");
  RecurrenceClauses c;
  c.writes = {{{k, "hnd"}, {v, "hnv"}}};
  Expr none = recurrence({q, "hnd"}, "hnv", c).state;
  bad = 2.0 * none;
  expectError({q, k, v}, {bad}, __LINE__ - 1, "has no such result");
  bad = constant({1, 2}, {3});
  expectError({}, {bad}, __LINE__ - 1,
              "expected 3 numbers for 'tensor<3xf32>'");
  bad = constant({1, 2}, {n});
  expectError({}, {bad}, __LINE__ - 1, "a constant has static sizes");
  bad = featureMap(q, FeatureMap{"#attn.causal", {}});
  expectError({q}, {bad}, __LINE__ - 1,
              "'#attn.causal' is not what the operation takes");
  bad = appendOnes(q, 1);
  expectError({q}, {bad}, __LINE__ - 1,
              "expected a dimension 1 of static size");
}

TEST_F(DslErrorsTest, StepsOfScans) {
  Expr leaked;
  Expr bad = scan({{q, "hnd"}, {v, "hnv"}}, "hdv", "hnv",
                  [&](Expr s, std::vector<Expr> x) {
                    leaked = x[0];
                    return Step{s, contract(k, s, "hnd,dv->v")};
                  })
                 .output;
  std::string message = getMessage(Program::create({q, k, v}, {bad}));
  EXPECT_CONTAINS(message, "'k' is not among the arguments of the program");
  bad = elu1(leaked);
  EXPECT_CONTAINS(getMessage(Program::create({q, k, v}, {bad})),
                  "the argument of a step is used outside of it");
}

TEST_F(DslErrorsTest, SymbolsAreCheckedInCalls) {
  // Nothing but the symbol ties the sizes of the two.
  Dim tokens("tokens");
  Expr x = input("x", {tokens, 4}), y = input("y", {tokens, 3});
  auto callable = llvm::cantFail(compile({x, y}, {elu1(x), elu1(y)}));
  EXPECT_EQ(llvm::cantFail(
                callable->call({makeNormal({6, 4}, 1), makeNormal({6, 3}, 2)}))
                .size(),
            2u);
  EXPECT_CONTAINS(getMessage(callable->call(
                      {makeNormal({6, 4}, 1), makeNormal({5, 3}, 2)})),
                  "expected equal sizes");
}
