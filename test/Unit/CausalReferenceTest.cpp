//===- CausalReferenceTest.cpp - Decays, gates and solves in f64 -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Reference.h"
#include "test/Unit/TestGraph.h"
#include <cmath>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;

static Array makeF64(ArrayRef<int64_t> shape, ArrayRef<double> values) {
  return makeArray(ElementType::F64, shape, values);
}

static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
static constexpr double kInf = std::numeric_limits<double>::infinity();

/// The only result of @f, or no array and what went wrong.
static Array run(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  auto results = evaluate(graph.getFunction(), arguments);
  if (!results) {
    ADD_FAILURE() << llvm::toString(results.takeError());
    return Array::wrap(ElementType::F64, {0}, nullptr, nullptr);
  }
  return results->front();
}

static std::string runBad(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  return getMessage(evaluate(graph.getFunction(), arguments));
}

static void expectValues(const Array &array, ArrayRef<int64_t> shape,
                         ArrayRef<double> values) {
  ASSERT_EQ(array.getShape(), shape);
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i])) {
      EXPECT_TRUE(std::isnan(array.get(i))) << i << ": " << array.get(i);
    } else {
      EXPECT_NEAR(array.get(i), values[i], 1e-14 * (1 + std::fabs(values[i])))
          << i;
    }
}

//===----------------------------------------------------------------------===//
// Scores under a decay
//===----------------------------------------------------------------------===//

/// A causal score of three tokens with one feature and `clauses`; %g, %u and %i
/// are a decay, a bonus and a gate.
static Array score(StringRef clauses, ArrayRef<double> decay = {0, -1, -2}) {
  std::string text =
      R"mlir(
func.func @f(%q: tensor<3x1xf64>, %k: tensor<3x1xf64>, %g: tensor<3xf64>, %u: tensor<1xf64>, %i: tensor<3xf64>) -> tensor<3x3xf64> {
  %a = attn.causal_score %q, %k )mlir" +
      clauses.str() +
      R"mlir( : tensor<3x1xf64>, tensor<3x1xf64> -> tensor<3x3xf64>
  return %a : tensor<3x3xf64>
})mlir";
  return run(text, {makeF64({3, 1}, {1, 2, 3}), makeF64({3, 1}, {5, 7, 11}),
                    makeF64({3}, decay), makeF64({1}, {10}),
                    makeF64({3}, {0, std::log(2.0), std::log(3.0)})});
}

TEST(CausalScore, WithoutDecay) {
  expectValues(score(""), {3, 3}, {5, 0, 0, 10, 14, 0, 15, 21, 33});
  expectValues(score("strict"), {3, 3}, {0, 0, 0, 10, 0, 0, 15, 21, 0});
}

TEST(CausalScore, DecayByHand) {
  double e1 = std::exp(-1), e2 = std::exp(-2), e3 = std::exp(-3);
  StringRef decay = "decay(%g : tensor<3xf64>)";
  // Key m has decayed in the tokens m + 1 to n.
  expectValues(score(decay), {3, 3},
               {5, 0, 0, 10 * e1, 14, 0, 15 * e3, 21 * e2, 33});
  // Not in the query's own token.
  expectValues(score((decay + " exclusive").str()), {3, 3},
               {5, 0, 0, 10, 14, 0, 15 * e1, 21, 33});
  expectValues(score((decay + " exclusive strict").str()), {3, 3},
               {0, 0, 0, 10, 0, 0, 15 * e1, 21, 0});
  expectValues(score((decay + " exclusive bonus(%u : tensor<1xf64>)").str()),
               {3, 3}, {50, 0, 0, 10, 140, 0, 15 * e1, 21, 330});
}

TEST(CausalScore, LogGateScalesKeys) {
  expectValues(score("log_gate(%i : tensor<3xf64>)"), {3, 3},
               {5, 0, 0, 10, 28, 0, 15, 42, 99});
}

TEST(CausalScore, HarshDecaysStayFinite) {
  expectValues(score("decay(%g : tensor<3xf64>)", {-kInf, -1e5, -1e5}), {3, 3},
               {5, 0, 0, 0, 14, 0, 0, 0, 33});
}

TEST(CausalScore, PositiveDecaysNeedPermission) {
  StringRef text = R"mlir(
func.func @f(%q: tensor<2x1xf32>, %g: tensor<2xf32>) -> tensor<2x2xf32> {
  %a = attn.causal_score %q, %q decay(%g : tensor<2xf32>) : tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
  return %a : tensor<2x2xf32>
})mlir";
  Array q = makeF64({2, 1}, {1, 1});
  EXPECT_EQ(runBad(text, {q, makeF64({2}, {-1, 0.5})}),
            "graph.mlir:3:8: 'attn.causal_score': decay [1] is 0.5, expected 0 "
            "or less");
  EXPECT_EQ(runBad(text, {q, makeF64({2}, {kNaN, 0})}),
            "graph.mlir:3:8: 'attn.causal_score': decay [0] is nan, expected 0 "
            "or less");
  expectValues(score("decay(%g : tensor<3xf64>) unbounded", {0, 1, 0}), {3, 3},
               {5, 0, 0, 10 * std::exp(1), 14, 0, 15 * std::exp(1), 21, 33});
}

TEST(CausalScore, AnyAxes) {
  // Two query heads share a key head; a constant decay a value channel; a
  // bonus a head and channel.
  int64_t N = 5, D = 3, V = 2;
  Array q = makeNormal({N, 4, D}, 1), k = makeNormal({2, N, D}, 2);
  Array u = makeNormal({4, D}, 3);
  Array g = makeF64({V, D}, {-0.1, -0.2, -0.3, -0.4, -0.5, -0.6});
  Array result = run(R"mlir(
func.func @f(%q: tensor<?x4x3xf64>, %k: tensor<2x?x3xf64>, %g: tensor<2x3xf64>, %u: tensor<4x3xf64>) -> tensor<4x2x?x?xf64> {
  %a = attn.causal_score %q, %k subscripts "n(gr)d,gmd->(gr)vnm" decay(%g "vd" : tensor<2x3xf64>) exclusive bonus(%u "(gr)d" : tensor<4x3xf64>) : tensor<?x4x3xf64>, tensor<2x?x3xf64> -> tensor<4x2x?x?xf64>
  return %a : tensor<4x2x?x?xf64>
})mlir",
                     {q, k, g, u});
  ASSERT_EQ(result.getShape(), ArrayRef<int64_t>({4, V, N, N}));
  for (int64_t h = 0; h < 4; ++h)
    for (int64_t v = 0; v < V; ++v)
      for (int64_t n = 0; n < N; ++n)
        for (int64_t m = 0; m < N; ++m) {
          double expected = 0;
          for (int64_t d = 0; d < D && m <= n; ++d)
            expected += q.get((n * 4 + h) * D + d) *
                        k.get((h / 2 * N + m) * D + d) *
                        (m == n ? u.get(h * D + d)
                                : std::exp(g.get(v * D + d) * (n - m - 1)));
          ASSERT_NEAR(result.get(((h * V + v) * N + n) * N + m), expected,
                      1e-14);
        }
}

TEST(CausalScore, AsManyQueriesAsKeys) {
  EXPECT_CONTAINS(
      runBad(R"mlir(
func.func @f(%q: tensor<?x1xf32>, %k: tensor<?x1xf32>) -> tensor<?x?xf32> {
  %a = attn.causal_score %q, %k : tensor<?x1xf32>, tensor<?x1xf32> -> tensor<?x?xf32>
  return %a : tensor<?x?xf32>
})mlir",
             {makeF64({2, 1}, {1, 1}), makeF64({1, 1}, {1})}),
      "axes 'n' and 'm' have the sizes 2 and 1, expected equal ones");
}

//===----------------------------------------------------------------------===//
// Gates and solves
//===----------------------------------------------------------------------===//

TEST(Gate, FactorsATokenAndOuterProducts) {
  Array v = makeF64({2, 2}, {1, 2, 3, 4}), beta = makeF64({2}, {10, -1});
  expectValues(run(R"mlir(
func.func @f(%v: tensor<2x2xf32>, %b: tensor<2xf32>) -> tensor<2x2xf32> {
  %r = attn.gate %v, %b : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
})mlir",
                   {v, beta}),
               {2, 2}, {10, 20, -3, -4});
  expectValues(run(R"mlir(
func.func @f(%v: tensor<2x2xf32>, %b: tensor<2xf32>) -> tensor<2x2x2xf32> {
  %r = attn.gate %v, %b subscripts "tc,d->dct" : tensor<2x2xf32>, tensor<2xf32> -> tensor<2x2x2xf32>
  return %r : tensor<2x2x2xf32>
})mlir",
                   {v, beta}),
               {2, 2, 2}, {10, 30, 20, 40, -1, -3, -2, -4});
}

TEST(Gate, RangeIsChecked) {
  StringRef text = R"mlir(
func.func @f(%v: tensor<2x1xf32>, %b: tensor<2xf32>) -> tensor<2x1xf32> {
  %r = attn.gate %v, %b in [0.0, 1.0] : tensor<2x1xf32>, tensor<2xf32> -> tensor<2x1xf32>
  return %r : tensor<2x1xf32>
})mlir";
  Array v = makeF64({2, 1}, {1, 2});
  expectValues(run(text, {v, makeF64({2}, {0, 1})}), {2, 1}, {0, 2});
  EXPECT_EQ(runBad(text, {v, makeF64({2}, {0, 1.5})}),
            "graph.mlir:3:8: 'attn.gate': gate [1] is 1.5, expected a value in "
            "[0, 1]");
  EXPECT_CONTAINS(runBad(text, {v, makeF64({2}, {kNaN, 1})}),
                  "gate [0] is nan, expected a value in [0, 1]");
}

TEST(Solve, ReadsBelowTheDiagonalAlone) {
  // u0 = 1, u1 = 2 - 3 u0, u2 = 3 - 4 u0 - 5 u1
  expectValues(run(R"mlir(
func.func @f(%l: tensor<3x3xf32>, %b: tensor<3x1xf32>) -> tensor<3x1xf32> {
  %u = attn.solve %l, %b : tensor<3x3xf32>, tensor<3x1xf32> -> tensor<3x1xf32>
  return %u : tensor<3x1xf32>
})mlir",
                   {makeF64({3, 3}, {9, 9, kNaN, 3, 9, 9, 4, 5, 9}),
                    makeF64({3, 1}, {1, 2, 3})}),
               {3, 1}, {1, -1, 4});
}

TEST(Solve, UndoesItsProduct) {
  // B = U + L U in [N, H, V], L in [H, N, N]
  Array l = makeNormal({2, 6, 6}, 1), u = makeNormal({6, 2, 3}, 2);
  Array result = run(R"mlir(
func.func @f(%l: tensor<2x?x?xf64>, %u: tensor<?x2x3xf64>) -> tensor<?x2x3xf64> {
  %s = attn.mask %l, #attn.strictly_causal else 0.0 : tensor<2x?x?xf64>
  %p = attn.apply %s, %u subscripts "hnm,mhv->nhv" : tensor<2x?x?xf64>, tensor<?x2x3xf64> -> tensor<?x2x3xf64>
  %b = arith.addf %p, %u : tensor<?x2x3xf64>
  %x = attn.solve %l, %b subscripts "hnm,mhv->nhv" : tensor<2x?x?xf64>, tensor<?x2x3xf64> -> tensor<?x2x3xf64>
  return %x : tensor<?x2x3xf64>
})mlir",
                     {l, u});
  for (int64_t i = 0; i < u.getNumElements(); ++i)
    EXPECT_NEAR(result.get(i), u.get(i), 1e-9);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

TEST(Steps, ExpandAndTakeTheLastStep) {
  Array x = makeF64({2, 2}, {1, 2, 3, 4});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %r = attn.expand_steps %x steps 3 : tensor<2x2xf32> -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
})mlir",
                   x),
               {6, 2}, {0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 4});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<2x2xf32>) -> tensor<2x4xf32> {
  %r = attn.expand_steps %x steps 2 token_dim = 1 : tensor<2x2xf32> -> tensor<2x4xf32>
  return %r : tensor<2x4xf32>
})mlir",
                   x),
               {2, 4}, {0, 1, 0, 2, 0, 3, 0, 4});
  StringRef take = R"mlir(
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %r = attn.take_steps %x steps 2 : tensor<?x1xf32> -> tensor<?x1xf32>
  return %r : tensor<?x1xf32>
})mlir";
  expectValues(run(take, makeF64({4, 1}, {1, 2, 3, 4})), {2, 1}, {2, 4});
  EXPECT_CONTAINS(runBad(take, makeF64({3, 1}, {1, 2, 3})),
                  "3 steps are not a multiple of 2");
}

//===----------------------------------------------------------------------===//
// Normalisers
//===----------------------------------------------------------------------===//

TEST(Normalizers, FloorOfWeightsOfEitherSign) {
  expectValues(run(R"mlir(
func.func @f(%a: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %r = attn.normalize %a floor 1.0 : tensor<3x2xf32>
  return %r : tensor<3x2xf32>
})mlir",
                   makeF64({3, 2}, {-3, -1, 0.25, 0.25, kNaN, 1})),
               {3, 2}, {-0.75, -0.25, 0.25, 0.25, kNaN, kNaN});
}

TEST(Normalizers, LogScaleOfTheFloor) {
  // Divisors max(|x|, 2 e^-m) + 1
  Array m = makeF64({2}, {0, std::log(4.0)});
  expectValues(run(R"mlir(
func.func @f(%a: tensor<2x3xf64>, %m: tensor<2xf64>) -> tensor<2x2xf64> {
  %r = attn.divide_by_last %a floor 2.0 eps 1.0 log_scale(%m : tensor<2xf64>) : tensor<2x3xf64> -> tensor<2x2xf64>
  return %r : tensor<2x2xf64>
})mlir",
                   {makeF64({2, 3}, {3, 6, 1, 3, 6, 0.5}), m}),
               {2, 2}, {1, 2, 2, 4});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<2xf64>, %y: tensor<2xf64>, %m: tensor<2xf64>) -> tensor<2xf64> {
  %r = attn.divide %x, %y floor 2.0 eps 1.0 log_scale(%m : tensor<2xf64>) : tensor<2xf64>
  return %r : tensor<2xf64>
})mlir",
                   {makeF64({2}, {3, 3}), makeF64({2}, {-5, -0.5}), m}),
               {2}, {0.5, 2});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<3xf64>, %y: tensor<3xf64>) -> tensor<3xf64> {
  %r = attn.divide %x, %y : tensor<3xf64>
  return %r : tensor<3xf64>
})mlir",
                   {makeF64({3}, {3, 1, kNaN}), makeF64({3}, {-2, 0, 0})}),
               {3}, {-1.5, 0, 0});
}

TEST(Normalizers, FeatureScale) {
  // psi = x for exp, along the feature dimension.
  expectValues(run(R"mlir(
func.func @f(%x: tensor<3x2xf64>) -> tensor<2xf64> {
  %r = attn.feature_scale %x, #attn.exp token_dim = 1 feature_dim = 0 : tensor<3x2xf64> -> tensor<2xf64>
  return %r : tensor<2xf64>
})mlir",
                   makeF64({3, 2}, {1, -3, 2, -5, 0, -4})),
               {2}, {2, -3});
}

TEST(FeatureMaps, ElementwiseMapsNeedNoTokens) {
  expectValues(run(R"mlir(
func.func @f(%x: tensor<2xf64>) -> tensor<2xf64> {
  %r = attn.feature_map %x, #attn.negative_exp : tensor<2xf64> -> tensor<2xf64>
  return %r : tensor<2xf64>
})mlir",
                   makeF64({2}, {0, std::log(3.0)})),
               {2}, {-1, -3});
}
