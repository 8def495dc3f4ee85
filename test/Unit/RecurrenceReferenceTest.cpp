//===- RecurrenceReferenceTest.cpp - Recurrences and scans in f64 -*- C++
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
using llvm::SmallVector;
using llvm::StringRef;

static Array makeF64(ArrayRef<int64_t> shape, ArrayRef<double> values) {
  return makeArray(ElementType::F64, shape, values);
}

static SmallVector<Array> run(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  auto results = evaluate(graph.getFunction(), arguments);
  if (!results) {
    ADD_FAILURE() << llvm::toString(results.takeError());
    return SmallVector<Array>(
        4, Array::wrap(ElementType::F64, {0}, nullptr, nullptr));
  }
  return *results;
}

static std::string runBad(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  return getMessage(evaluate(graph.getFunction(), arguments));
}

static void expectValues(const Array &array, ArrayRef<int64_t> shape,
                         ArrayRef<double> values) {
  ASSERT_EQ(array.getShape(), shape);
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(array.get(i), values[i], 1e-14 * (1 + std::fabs(values[i])))
        << i;
}

static void expectSame(const Array &a, const Array &b) {
  ASSERT_EQ(a.getShape(), b.getShape());
  for (int64_t i = 0; i < a.getNumElements(); ++i)
    EXPECT_NEAR(a.get(i), b.get(i), 1e-11 * (1 + std::fabs(b.get(i)))) << i;
}

//===----------------------------------------------------------------------===//
// By hand
//===----------------------------------------------------------------------===//

/// Three tokens with one channel, keys 1, values 1, 2, 4, decays to a half.
static SmallVector<Array> runHand(StringRef clauses, StringRef results = "",
                                  StringRef types = "") {
  std::string text = R"mlir(
func.func @f(%g: tensor<3xf64>, %x: tensor<3x1xf64>, %v: tensor<3x1xf64>, %w: tensor<1xf64>, %s0: tensor<1x1xf64>) -> (tensor<3x1xf64>, tensor<1x1xf64>) {
  %o, %s = attn.recurrence #attn.scalar_decay by(%g "n") )mlir" +
                     clauses.str() +
                     R"mlir( state(%s0 "dv") -> "nv", state "dv" : )mlir" +
                     types.str() + R"mlir( -> (tensor<3x1xf64>, tensor<1x1xf64>)
  return %o, %s : tensor<3x1xf64>, tensor<1x1xf64>
})mlir";
  double half = std::log(0.5);
  return run(text, {makeF64({3}, {half, half, half}),
                    makeF64({3, 1}, {1, 1, 1}), makeF64({3, 1}, {1, 2, 4}),
                    makeF64({1}, {10}), makeF64({1, 1}, {8})});
}

TEST(Recurrence, ReadsByHand) {
  StringRef types = "(tensor<3xf64>, tensor<3x1xf64>, tensor<3x1xf64>, "
                    "tensor<3x1xf64>, tensor<1x1xf64>)";
  // S = 8; 4 + 1; 2.5 + 2; 2.25 + 4
  auto current =
      runHand(R"(read(%x "nd" current) write(%x "nd", %v "nv"))", "", types);
  expectValues(current[0], {3, 1}, {5, 4.5, 6.25});
  expectValues(current[1], {1, 1}, {6.25});
  auto decayed =
      runHand(R"(read(%x "nd" decayed) write(%x "nd", %v "nv"))", "", types);
  expectValues(decayed[0], {3, 1}, {4, 2.5, 2.25});
  auto previous =
      runHand(R"(read(%x "nd" previous) write(%x "nd", %v "nv"))", "", types);
  expectValues(previous[0], {3, 1}, {8, 5, 4.5});
  auto bonus = runHand(
      R"(read(%x "nd" previous) write(%x "nd", %v "nv") bonus(%w "d"))", "",
      "(tensor<3xf64>, tensor<3x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>, "
      "tensor<1xf64>, tensor<1x1xf64>)");
  expectValues(bonus[0], {3, 1}, {18, 25, 44.5});
  expectValues(bonus[1], {1, 1}, {6.25});
}

TEST(Recurrence, ErasesByHand) {
  // u = v - S~, S' = S~ + u = v
  StringRef types = "(tensor<3xf64>, tensor<3x1xf64>, tensor<3x1xf64>, "
                    "tensor<3x1xf64>, tensor<3x1xf64>, tensor<1x1xf64>)";
  auto decayed = runHand(
      R"(read(%x "nd" current) erase(%x "nd", %x "nd", %v "nv" decayed))", "",
      types);
  expectValues(decayed[0], {3, 1}, {1, 2, 4});
  // S' = S / 2 + v - S: 8; 4 + 1 - 8; -1.5 + 2 + 3; 1.75 + 4 - 3.5
  auto previous = runHand(
      R"(read(%x "nd" current) erase(%x "nd", %x "nd", %v "nv" previous))", "",
      types);
  expectValues(previous[0], {3, 1}, {-3, 3.5, 2.25});
}

TEST(Recurrence, PackedSegmentsStartAnew) {
  StringRef text = R"mlir(
func.func @f(%x: tensor<4x1xf64>, %v: tensor<4x1xf64>, %s0: tensor<?x1x1xf64>, %cu: tensor<?xi32>) -> (tensor<4x1xf64>, tensor<?x1x1xf64>) {
  %o, %s = attn.recurrence #attn.no_decay read(%x "nd" current) write(%x "nd", %v "nv") state(%s0 "sdv") packed(%cu) -> "nv", state "sdv" : (tensor<4x1xf64>, tensor<4x1xf64>, tensor<4x1xf64>, tensor<?x1x1xf64>, tensor<?xi32>) -> (tensor<4x1xf64>, tensor<?x1x1xf64>)
  return %o, %s : tensor<4x1xf64>, tensor<?x1x1xf64>
})mlir";
  Array x = makeF64({4, 1}, {1, 1, 1, 1}), v = makeF64({4, 1}, {1, 2, 3, 4});
  Array s0 = makeF64({3, 1, 1}, {10, 20, 30});
  auto cu = [](ArrayRef<double> values) {
    return makeArray(ElementType::I32, {static_cast<int64_t>(values.size())},
                     values);
  };
  // The second segment is empty.
  auto results = run(text, {x, v, s0, cu({0, 3, 3, 4})});
  expectValues(results[0], {4, 1}, {11, 13, 16, 34});
  expectValues(results[1], {3, 1, 1}, {16, 20, 34});
  EXPECT_EQ(runBad(text, {x, v, s0, cu({0, 3, 2, 4})}),
            "graph.mlir:3:12: 'attn.recurrence': cu_seqlens does not increase "
            "at position 2: 2 after 3");
  EXPECT_CONTAINS(runBad(text, {x, v, s0, cu({0, 1, 2, 3})}),
                  "cu_seqlens ends at 3, expected the number of queries, 4");
  EXPECT_CONTAINS(runBad(text, {x, v, s0, cu({1, 2, 3, 4})}),
                  "cu_seqlens starts at 1, expected 0");
  EXPECT_CONTAINS(runBad(text, {x, v, s0, cu({0, 2, 4})}),
                  "axis 's' has the sizes 2 and 3");
}

TEST(Recurrence, PositiveDecaysAreErrors) {
  StringRef text = R"mlir(
func.func @f(%g: tensor<2x1xf64>, %x: tensor<2x1xf64>, %v: tensor<2x1xf64>) -> tensor<2x1xf64> {
  %o = attn.recurrence #attn.diagonal_decay by(%g "nd") read(%x "nd" current) write(%x "nd", %v "nv") -> "nv" : (tensor<2x1xf64>, tensor<2x1xf64>, tensor<2x1xf64>, tensor<2x1xf64>) -> tensor<2x1xf64>
  return %o : tensor<2x1xf64>
})mlir";
  Array x = makeF64({2, 1}, {1, 1});
  EXPECT_EQ(runBad(text, {makeF64({2, 1}, {0, 0.25}), x, x}),
            "graph.mlir:3:8: 'attn.recurrence': decay [1, 0] is 0.25, expected "
            "0 or less");
}

//===----------------------------------------------------------------------===//
// Against the quadratic statement
//===----------------------------------------------------------------------===//

TEST(Recurrence, GatedDeltaRuleIsASolve) {
  Array z = makeNormal({2, 17}, 1), k = makeNormal({2, 17, 4}, 2),
        q = makeNormal({2, 17, 4}, 3), v = makeNormal({2, 17, 3}, 4),
        b = makeNormal({2, 17}, 5);
  auto results = run(R"mlir(
func.func @f(%z: tensor<2x?xf64>, %x: tensor<2x?x4xf64>, %q: tensor<2x?x4xf64>, %v: tensor<2x?x3xf64>, %y: tensor<2x?xf64>) -> (tensor<2x?x3xf64>, tensor<2x?x3xf64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<2x?xf64> -> tensor<2x?xf64>
  %b = attn.feature_map %y, #attn.sigmoid : tensor<2x?xf64> -> tensor<2x?xf64>
  %k = attn.feature_map %x, #attn.l2_norm : tensor<2x?x4xf64> -> tensor<2x?x4xf64>
  %bk = attn.gate %k, %b in [0.0, 1.0] : tensor<2x?x4xf64>, tensor<2x?xf64> -> tensor<2x?x4xf64>
  %bv = attn.gate %v, %b : tensor<2x?x3xf64>, tensor<2x?xf64> -> tensor<2x?x3xf64>
  %l = attn.causal_score %bk, %k decay(%g : tensor<2x?xf64>) strict : tensor<2x?x4xf64>, tensor<2x?x4xf64> -> tensor<2x?x?xf64>
  %u = attn.solve %l, %bv : tensor<2x?x?xf64>, tensor<2x?x3xf64> -> tensor<2x?x3xf64>
  %a = attn.causal_score %q, %k decay(%g : tensor<2x?xf64>) : tensor<2x?x4xf64>, tensor<2x?x4xf64> -> tensor<2x?x?xf64>
  %o = attn.apply %a, %u : tensor<2x?x?xf64>, tensor<2x?x3xf64> -> tensor<2x?x3xf64>
  %p = attn.recurrence #attn.scalar_decay by(%g "hn") read(%q "hnd" current) erase(%bk "hnd", %k "hnd", %bv "hnv" decayed) -> "hnv" : (tensor<2x?xf64>, tensor<2x?x4xf64>, tensor<2x?x4xf64>, tensor<2x?x4xf64>, tensor<2x?x3xf64>) -> tensor<2x?x3xf64>
  return %o, %p : tensor<2x?x3xf64>, tensor<2x?x3xf64>
})mlir",
                     {z, k, q, v, b});
  expectSame(results[0], results[1]);
}

TEST(Recurrence, DiagonalPlusRankOneIsASolve) {
  // S' = diag(w) S + b (a^T S) + k v^T, a reads the state before its decay:
  // (I - N_ab) U = N_ak V and O = P_qk V + P_qb U.
  Array z = makeNormal({9, 4}, 1), a = makeNormal({9, 4}, 2),
        b = makeNormal({9, 4}, 3), k = makeNormal({9, 4}, 4),
        q = makeNormal({9, 4}, 5), v = makeNormal({9, 3}, 6);
  auto results = run(R"mlir(
func.func @f(%z: tensor<9x4xf64>, %a: tensor<9x4xf64>, %b: tensor<9x4xf64>, %k: tensor<9x4xf64>, %q: tensor<9x4xf64>, %v: tensor<9x3xf64>) -> (tensor<9x3xf64>, tensor<9x3xf64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<9x4xf64> -> tensor<9x4xf64>
  %m = attn.scale %a by -1.0 : tensor<9x4xf64> -> tensor<9x4xf64>
  %l = attn.causal_score %m, %b decay(%g : tensor<9x4xf64>) exclusive strict : tensor<9x4xf64>, tensor<9x4xf64> -> tensor<9x9xf64>
  %n = attn.causal_score %a, %k decay(%g : tensor<9x4xf64>) exclusive strict : tensor<9x4xf64>, tensor<9x4xf64> -> tensor<9x9xf64>
  %r = attn.apply %n, %v : tensor<9x9xf64>, tensor<9x3xf64> -> tensor<9x3xf64>
  %u = attn.solve %l, %r : tensor<9x9xf64>, tensor<9x3xf64> -> tensor<9x3xf64>
  %x = attn.causal_score %q, %k decay(%g : tensor<9x4xf64>) : tensor<9x4xf64>, tensor<9x4xf64> -> tensor<9x9xf64>
  %y = attn.causal_score %q, %b decay(%g : tensor<9x4xf64>) : tensor<9x4xf64>, tensor<9x4xf64> -> tensor<9x9xf64>
  %xv = attn.apply %x, %v : tensor<9x9xf64>, tensor<9x3xf64> -> tensor<9x3xf64>
  %yu = attn.apply %y, %u : tensor<9x9xf64>, tensor<9x3xf64> -> tensor<9x3xf64>
  %o = arith.addf %xv, %yu : tensor<9x3xf64>
  %zero = attn.scale %v by 0.0 : tensor<9x3xf64> -> tensor<9x3xf64>
  %p = attn.recurrence #attn.diagonal_decay by(%g "nd") read(%q "nd" current) write(%k "nd", %v "nv") erase(%m "nd", %b "nd", %zero "nv" previous) -> "nv" : (tensor<9x4xf64>, tensor<9x4xf64>, tensor<9x4xf64>, tensor<9x3xf64>, tensor<9x4xf64>, tensor<9x4xf64>, tensor<9x3xf64>) -> tensor<9x3xf64>
  return %o, %p : tensor<9x3xf64>, tensor<9x3xf64>
})mlir",
                     {z, a, b, k, q, v});
  expectSame(results[0], results[1]);
}

TEST(Recurrence, ElementwiseDecaysAndSharedStates) {
  // Two query heads read one state; the decay has every channel, in an order
  // of its own, and a bonus reads the state before the token.
  Array z = makeNormal({7, 2, 3, 4}, 1), q = makeNormal({7, 4, 4}, 2),
        k = makeNormal({7, 2, 4}, 3), v = makeNormal({2, 7, 3}, 4),
        w = makeNormal({4, 4}, 5);
  auto results = run(R"mlir(
func.func @f(%z: tensor<7x2x3x4xf64>, %q: tensor<7x4x4xf64>, %k: tensor<7x2x4xf64>, %v: tensor<2x7x3xf64>, %w: tensor<4x4xf64>) -> (tensor<4x7x3xf64>, tensor<4x7x3xf64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<7x2x3x4xf64> -> tensor<7x2x3x4xf64>
  %a = attn.causal_score %q, %k subscripts "n(gr)d,mgd->(gr)vnm" decay(%g "ngvd" : tensor<7x2x3x4xf64>) exclusive bonus(%w "(gr)d" : tensor<4x4xf64>) : tensor<7x4x4xf64>, tensor<7x2x4xf64> -> tensor<4x3x7x7xf64>
  %o = attn.contract %a, %v subscripts "(gr)vnm,gmv->(gr)nv" : tensor<4x3x7x7xf64>, tensor<2x7x3xf64> -> tensor<4x7x3xf64>
  %p = attn.recurrence #attn.elementwise_decay by(%g "ngvd") read(%q "n(gr)d" previous) write(%k "ngd", %v "gnv") bonus(%w "(gr)d") -> "(gr)nv" : (tensor<7x2x3x4xf64>, tensor<7x4x4xf64>, tensor<7x2x4xf64>, tensor<2x7x3xf64>, tensor<4x4xf64>) -> tensor<4x7x3xf64>
  return %o, %p : tensor<4x7x3xf64>, tensor<4x7x3xf64>
})mlir",
                     {z, q, k, v, w});
  expectSame(results[0], results[1]);
}

TEST(Recurrence, RunningMaximumCancels) {
  // mLSTM: divided by max(|n.q|, e^-m), gates beyond the range of exp.
  Array z = makeNormal({13}, 1), q = makeNormal({13, 4}, 2),
        k = makeNormal({13, 4}, 3), v = makeNormal({13, 3}, 4),
        i = makeNormal({13}, 5);
  for (int64_t n = 0; n < 13; ++n)
    i.set(n, i.get(n) * 3);
  StringRef text = R"mlir(
func.func @f(%z: tensor<13xf64>, %q: tensor<13x4xf64>, %k: tensor<13x4xf64>, %v: tensor<13x3xf64>, %i: tensor<13xf64>) -> (tensor<13x3xf64>, tensor<13x3xf64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<13xf64> -> tensor<13xf64>
  %a = attn.causal_score %q, %k decay(%g : tensor<13xf64>) log_gate(%i : tensor<13xf64>) : tensor<13x4xf64>, tensor<13x4xf64> -> tensor<13x13xf64>
  %n = attn.normalize %a floor 1.0 : tensor<13x13xf64>
  %o = attn.apply %n, %v : tensor<13x13xf64>, tensor<13x3xf64> -> tensor<13x3xf64>
  %one = attn.append_ones %v : tensor<13x3xf64> -> tensor<13x4xf64>
  %x, %m = attn.recurrence #attn.scalar_decay by(%g "n") read(%q "nd" current) write(%k "nd", %one "nv") log_gate(%i "n") -> "nv", log_scale "n" : (tensor<13xf64>, tensor<13x4xf64>, tensor<13x4xf64>, tensor<13x4xf64>, tensor<13xf64>) -> (tensor<13x4xf64>, tensor<13xf64>)
  %p = attn.divide_by_last %x floor 1.0 log_scale(%m : tensor<13xf64>) : tensor<13x4xf64> -> tensor<13x3xf64>
  return %o, %p : tensor<13x3xf64>, tensor<13x3xf64>
})mlir";
  auto results = run(text, {z, q, k, v, i});
  expectSame(results[0], results[1]);
  for (int64_t n = 0; n < 13; ++n)
    i.set(n, i.get(n) * 300);
  for (double value : {0, 5, 11})
    EXPECT_TRUE(std::isfinite(run(text, {z, q, k, v, i})[1].get(value)));
}

TEST(Recurrence, RunningMaximaOfChannelsAndReads) {
  // RWKV-4: a gate a channel, e^k; numerator over denominator, both read before
  // the token with a bonus.
  Array w = makeF64({3}, {-0.1, -0.5, -2}), k = makeNormal({11, 3}, 1),
        v = makeNormal({11, 3}, 2), u = makeNormal({3}, 3);
  Array ones = makeF64({3}, {1, 1, 1}), one = makeF64({}, {1});
  auto results = run(R"mlir(
func.func @f(%w: tensor<3xf64>, %k: tensor<11x3xf64>, %v: tensor<11x3xf64>, %u: tensor<3xf64>, %ones: tensor<3xf64>, %one: tensor<f64>) -> (tensor<11x3xf64>, tensor<11x3xf64>, tensor<11x3xf64>, tensor<3xf64>) {
  %b = math.exp %u : tensor<3xf64>
  %x, %mx, %m = attn.recurrence #attn.elementwise_decay by(%w "v") read(%one "" previous) write(%one "", %v "nv") bonus(%b "v") log_gate(%k "nv") -> "nv", log_scale "nv", max "v" : (tensor<3xf64>, tensor<f64>, tensor<f64>, tensor<11x3xf64>, tensor<3xf64>, tensor<11x3xf64>) -> (tensor<11x3xf64>, tensor<11x3xf64>, tensor<3xf64>)
  %y = attn.recurrence #attn.elementwise_decay by(%w "v") read(%one "" previous) write(%one "", %ones "v") bonus(%b "v") log_gate(%k "nv") -> "nv" : (tensor<3xf64>, tensor<f64>, tensor<f64>, tensor<3xf64>, tensor<3xf64>, tensor<11x3xf64>) -> tensor<11x3xf64>
  %o = attn.divide %x, %y : tensor<11x3xf64>
  return %o, %x, %mx, %m : tensor<11x3xf64>, tensor<11x3xf64>, tensor<11x3xf64>, tensor<3xf64>
})mlir",
                     {w, k, v, u, ones, one});
  for (int64_t c = 0; c < 3; ++c) {
    double max = -std::numeric_limits<double>::infinity();
    for (int64_t n = 0; n < 11; ++n) {
      double numerator = 0, denominator = 0, own = k.get(n * 3 + c);
      for (int64_t m = 0; m <= n; ++m) {
        double weight =
            std::exp(m == n ? u.get(c) + own
                            : w.get(c) * (n - m - 1) + k.get(m * 3 + c));
        numerator += weight * v.get(m * 3 + c);
        denominator += weight;
      }
      EXPECT_NEAR(results[0].get(n * 3 + c), numerator / denominator, 1e-13);
      // The output is divided by e^scale, scale = max(m, k).
      double scale = std::max(max, own);
      EXPECT_NEAR(results[2].get(n * 3 + c), scale, 1e-14);
      EXPECT_NEAR(results[1].get(n * 3 + c), numerator * std::exp(-scale),
                  1e-13);
      max = std::max(max + w.get(c), own);
    }
    EXPECT_NEAR(results[3].get(c), max, 1e-14);
  }
}

TEST(Recurrence, StatesAreCutAnywhere) {
  // The second part from the state and maximum of the first.
  Array z = makeNormal({8}, 1), q = makeNormal({8, 4}, 2),
        v = makeNormal({8, 3}, 3);
  auto results =
      run(R"mlir(
func.func private @part(%z: tensor<4xf64>, %q: tensor<4x4xf64>, %v: tensor<4x3xf64>, %s0: tensor<4x3xf64>, %m0: tensor<f64>) -> (tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<4xf64> -> tensor<4xf64>
  %o, %m, %s, %x = attn.recurrence #attn.scalar_decay by(%g "n") read(%q "nd" decayed) write(%q "nd", %v "nv") log_gate(%z "n") state(%s0 "dv") max(%m0 "") -> "nv", log_scale "n", state "dv", max "" : (tensor<4xf64>, tensor<4x4xf64>, tensor<4x4xf64>, tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>) -> (tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>)
  return %o, %m, %s, %x : tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>
}
func.func @f(%z: tensor<4xf64>, %q: tensor<4x4xf64>, %v: tensor<4x3xf64>, %s0: tensor<4x3xf64>, %m0: tensor<f64>) -> (tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>) {
  %0:4 = call @part(%z, %q, %v, %s0, %m0) : (tensor<4xf64>, tensor<4x4xf64>, tensor<4x3xf64>, tensor<4x3xf64>, tensor<f64>) -> (tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>)
  %1:4 = call @part(%z, %q, %v, %0#2, %0#3) : (tensor<4xf64>, tensor<4x4xf64>, tensor<4x3xf64>, tensor<4x3xf64>, tensor<f64>) -> (tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>)
  return %1#0, %1#1, %1#2, %1#3 : tensor<4x3xf64>, tensor<4xf64>, tensor<4x3xf64>, tensor<f64>
})mlir",
          {makeNormal({4}, 1), makeNormal({4, 4}, 2), makeNormal({4, 3}, 3),
           makeNormal({4, 3}, 4), makeF64({}, {0.5})});
  auto twice = [](const Array &x) {
    SmallVector<int64_t> shape(x.getShape());
    SmallVector<double> values;
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t i = 0; i < x.getNumElements(); ++i)
        values.push_back(x.get(i));
    shape[0] *= 2;
    return makeF64(shape, values);
  };
  auto whole = run(R"mlir(
func.func @f(%z: tensor<8xf64>, %q: tensor<8x4xf64>, %v: tensor<8x3xf64>, %s0: tensor<4x3xf64>, %m0: tensor<f64>) -> (tensor<8x3xf64>, tensor<8xf64>, tensor<4x3xf64>, tensor<f64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<8xf64> -> tensor<8xf64>
  %o, %m, %s, %x = attn.recurrence #attn.scalar_decay by(%g "n") read(%q "nd" decayed) write(%q "nd", %v "nv") log_gate(%z "n") state(%s0 "dv") max(%m0 "") -> "nv", log_scale "n", state "dv", max "" : (tensor<8xf64>, tensor<8x4xf64>, tensor<8x4xf64>, tensor<8x3xf64>, tensor<8xf64>, tensor<4x3xf64>, tensor<f64>) -> (tensor<8x3xf64>, tensor<8xf64>, tensor<4x3xf64>, tensor<f64>)
  return %o, %m, %s, %x : tensor<8x3xf64>, tensor<8xf64>, tensor<4x3xf64>, tensor<f64>
})mlir",
                   {twice(makeNormal({4}, 1)), twice(makeNormal({4, 4}, 2)),
                    twice(makeNormal({4, 3}, 3)), makeNormal({4, 3}, 4),
                    makeF64({}, {0.5})});
  for (int64_t i = 0; i < 12; ++i)
    EXPECT_NEAR(results[0].get(i), whole[0].get(12 + i), 1e-14);
  for (int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(results[1].get(i), whole[1].get(4 + i), 1e-14);
  expectSame(results[2], whole[2]);
  expectSame(results[3], whole[3]);
}

TEST(Recurrence, DenseTransition) {
  // S' = M S + k v^T with M = [[0, 1], [1, 0]]: channels change places.
  auto results = run(R"mlir(
func.func @f(%m: tensor<2x2xf64>, %q: tensor<2xf64>, %k: tensor<2xf64>, %v: tensor<3x1xf64>) -> tensor<3x1xf64> {
  %o = attn.recurrence #attn.dense_transition by(%m "ed") read(%q "d" current) write(%k "d", %v "nv") -> "nv" : (tensor<2x2xf64>, tensor<2xf64>, tensor<2xf64>, tensor<3x1xf64>) -> tensor<3x1xf64>
  return %o : tensor<3x1xf64>
})mlir",
                     {makeF64({2, 2}, {0, 1, 1, 0}), makeF64({2}, {1, 0}),
                      makeF64({2}, {1, 0}), makeF64({3, 1}, {1, 2, 4})});
  expectValues(results[0], {3, 1}, {1, 2, 5});
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

TEST(Scan, IsTheRecurrenceThatItsRegionStates) {
  Array q = makeNormal({2, 6, 4}, 1), k = makeNormal({6, 2, 4}, 2),
        v = makeNormal({2, 6, 3}, 3), z = makeNormal({2, 6, 4}, 4),
        s0 = makeNormal({2, 3, 4}, 5);
  auto results = run(R"mlir(
func.func @f(%q: tensor<2x?x4xf64>, %k: tensor<?x2x4xf64>, %v: tensor<2x?x3xf64>, %z: tensor<2x?x4xf64>, %s0: tensor<2x3x4xf64>) -> (tensor<2x?x3xf64>, tensor<2x?x3xf64>, tensor<2x3x4xf64>, tensor<2x3x4xf64>) {
  %g = attn.feature_map %z, #attn.log_sigmoid : tensor<2x?x4xf64> -> tensor<2x?x4xf64>
  %o, %s = attn.scan inputs(%q "hnd", %k "nhd", %v "hnv", %g "hnd") state(%s0) over "hvd" {
  ^bb0(%x: tensor<3x4xf64>, %qt: tensor<4xf64>, %kt: tensor<4xf64>, %vt: tensor<3xf64>, %gt: tensor<4xf64>):
    %w = math.exp %gt : tensor<4xf64>
    %d = attn.gate %x, %w subscripts "vd,d->vd" : tensor<3x4xf64>, tensor<4xf64> -> tensor<3x4xf64>
    %kv = attn.gate %vt, %kt subscripts "v,d->vd" : tensor<3xf64>, tensor<4xf64> -> tensor<3x4xf64>
    %n = arith.addf %d, %kv : tensor<3x4xf64>
    %y = attn.contract %n, %qt subscripts "vd,d->v" : tensor<3x4xf64>, tensor<4xf64> -> tensor<3xf64>
    attn.yield %n, %y : tensor<3x4xf64>, tensor<3xf64>
  } -> "hnv", state : (tensor<2x?x4xf64>, tensor<?x2x4xf64>, tensor<2x?x3xf64>, tensor<2x?x4xf64>, tensor<2x3x4xf64>) -> (tensor<2x?x3xf64>, tensor<2x3x4xf64>)
  %p, %t = attn.recurrence #attn.diagonal_decay by(%g "hnd") read(%q "hnd" current) write(%k "nhd", %v "hnv") state(%s0 "hvd") -> "hnv", state "hvd" : (tensor<2x?x4xf64>, tensor<2x?x4xf64>, tensor<?x2x4xf64>, tensor<2x?x3xf64>, tensor<2x3x4xf64>) -> (tensor<2x?x3xf64>, tensor<2x3x4xf64>)
  return %o, %p, %s, %t : tensor<2x?x3xf64>, tensor<2x?x3xf64>, tensor<2x3x4xf64>, tensor<2x3x4xf64>
})mlir",
                     {q, k, v, z, s0});
  expectSame(results[0], results[1]);
  expectSame(results[2], results[3]);
}
