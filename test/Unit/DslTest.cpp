//===- DslTest.cpp - Each operation as an expression -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Unit/DslTest.h"

using namespace attn;
using namespace attn::dsl;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

TEST_F(DslTest, TheFormulaOfAPaper) {
  Expr o = normalize(causal(elu1(q) * transpose(elu1(k)))) * v;
  check({q, k, v}, {o}, "attn.mask %2, #attn.causal else 0.000000e+00");
}

TEST_F(DslTest, ProductsByWhatIsTransposed) {
  Expr keys = input("keys", {2, m, 4}), values = input("values", {2, m, 3});
  Expr matrix = input("matrix", {2, 4, 3});
  check({q, keys}, {q * transpose(keys)}, "attn.score %arg0, %arg1 :");
  check({q, keys, values}, {(q * transpose(keys)) * values},
        "attn.apply %0, %arg2 :");
  check({keys, values}, {transpose(keys) * values},
        "attn.contract %arg0, %arg1 subscripts \"hmd,hmv->hdv\"");
  check({q, matrix}, {q * matrix},
        "attn.contract %arg0, %arg1 subscripts \"hnd,hdv->hnv\"");
  check({q, keys, v}, {transpose(q * transpose(keys)) * v},
        "attn.contract %0, %arg2 subscripts \"hmn,hmv->hnv\"");
}

TEST_F(DslTest, ProductsBySubscripts) {
  Expr x = input("x", {n, 2, 4}), y = input("y", {m, 2, 4});
  Expr z = input("z", {m, 2, 3});
  Expr scores = score(x, y, "nhd,mhd->hnm");
  check({x, y}, {scores}, "attn.score %arg0, %arg1 subscripts");
  check({x, y, z}, {apply(scores, z, "hnm,mhv->nhv")},
        "attn.apply %0, %arg2 subscripts");
  check({y, z}, {contract(y, z, "mhd,mhv->hdv")}, "tensor<2x4x3xf32>");
}

TEST_F(DslTest, GroupedHeadsShareKeys) {
  Expr many = input("many", {4, n, 4});
  check({many, k, v}, {normalize(relu(many) * transpose(relu(k))) * v},
        "tensor<4x?x3xf32>");
}

TEST_F(DslTest, NumbersAndSums) {
  check({q, k}, {0.5 * q + k / 4 - q * 2.0},
        "attn.scale %arg0 by 5.000000e-01");
  check({q}, {-q}, "attn.scale %arg0 by -1.000000e+00");
  Expr c = constant({1, 2, 3}, {3}), x = input("x", {3});
  check({x}, {x + c}, "dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]>");
}

//===----------------------------------------------------------------------===//
// Feature maps
//===----------------------------------------------------------------------===//

TEST_F(DslTest, NamedFeatureMaps) {
  Expr p = input("p", {5, 4});
  std::pair<Expr, const char *> cases[] = {
      {identity(q), "#attn.identity"},
      {elu1(q), "#attn.elu1"},
      {relu(q), "#attn.relu"},
      {squaredRelu(q), "#attn.squared_relu"},
      {dsl::exp(q), "#attn.exp"},
      {sigmoid(q), "#attn.sigmoid"},
      {logSigmoid(q), "#attn.log_sigmoid"},
      {softplus(q), "#attn.softplus"},
      {silu(q), "#attn.silu"},
      {negativeExp(q), "#attn.negative_exp"},
      {l2Norm(q), "#attn.l2_norm"},
      {featureMap(q, maps::l2Norm(0.5)), "#attn.l2_norm<eps = 5.000000e-01>"},
      {taylor2(q), "#attn.taylor2"},
      {hedgehog(q), "#attn.hedgehog"},
      {cosformer(q, 64), "#attn.cosformer<max_len = 64>"}};
  for (auto &[expr, text] : cases)
    check({q}, {expr}, text);
  check({q, p}, {favor(q, p)}, "#attn.favor(%arg1 : tensor<5x4xf32>)");
  check({q, p}, {hedgehog(q, p)}, "tensor<2x?x10xf32>");
  Expr x = input("x", {n, 2, 4}), start = input("start", {}, ElementType::I64);
  contents["start"] = makeArray(ElementType::I64, {}, 9);
  check({x, start},
        {featureMap(x, maps::cosformer(64), FeatureDims{0, 2}, start)},
        "token_dim = 0");
  // Compiled only where a normaliser cancels it.
  auto program = llvm::cantFail(
      Program::create({q, p}, {featureScale(q, maps::favor(p))}));
  EXPECT_CONTAINS(program.getText(), "attn.feature_scale %arg0, #attn.favor");
  EXPECT_EQ(llvm::cantFail(
                program.evaluate({makeArgument(q, 1), makeArgument(p, 2)}))[0]
                .getShape(),
            llvm::ArrayRef<int64_t>({2, 7}));
}

TEST_F(DslTest, FeatureMapsOfOnesOwn) {
  auto map = [](Scalar x) {
    Scalar bell = dsl::exp(-x * x / 2.0);
    return select(x > 0.5, bell + tanh(x), max(x, -1.0));
  };
  check({q, k, v}, {normalize(featureMap(q, map) * transpose(k)) * v},
        "math.tanh", 1e-4);
  auto all = [](Scalar x) {
    Scalar y = dsl::abs(x) + 0.5;
    return cos(x) + erf(x) + exp2(x) + expm1(x) + log(y) + log1p(y) +
           min(x, y) + pow(y, 1.5) + rsqrt(y) + sin(x) + sqrt(y) - x / y +
           select(x < 0.0, x, y);
  };
  check({q}, {featureMap(q, all)}, "attn.yield");
}

TEST_F(DslTest, GatesOfOnesOwn) {
  auto map = [](Scalar x, Scalar z) {
    return x * tanh(z) + 1.0 - select(x > z, x, z + 0.25);
  };
  check({q, k}, {gate(q, k, map)}, "arith.select");
  auto one = [](Scalar, Scalar z) { return 2.0 * z; };
  check({q, k}, {gate(q, k, one)}, "attn.feature_map %arg1");
  Expr half = input("half", {2, n, 4}, ElementType::F16);
  check({q, half}, {gate(q, half, [](Scalar x, Scalar z) { return x - z; })},
        "arith.subf");
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

TEST_F(DslTest, Masks) {
  Expr s = q * transpose(k);
  Expr cu = input("cu", {3}, ElementType::I32);
  contents["cu"] = makeArray(ElementType::I32, {3}, {0, 4, 7});
  Expr b = input("b", {n, n}, ElementType::I1);
  Array pairs = llvm::cantFail(Array::create(ElementType::I1, {7, 7}));
  for (int64_t i = 0; i < 49; ++i)
    pairs.set(i, i % 3 == 0);
  contents["b"] = pairs;
  check({q, k, v}, {causal(s, Fill::Zero, 1) * v}, "#attn.causal<offset = 1>");
  check({q, k, v}, {strictlyCausal(s) * v},
        "#attn.strictly_causal else 0.000000e+00");
  check({q, k, v}, {slidingWindow(s, 2, 1) * v},
        "#attn.sliding_window<left = 2, right = 1>");
  check({q, k, v, cu}, {packed(s, cu) * v}, "#attn.packed(%arg3");
  check({q, k, v, cu}, {packed(s, cu, cu) * v}, "#attn.packed(%arg3, %arg3");
  check({q, k, v, b}, {masked(s, b) * v}, "#attn.dense(%arg3");
}

TEST_F(DslTest, Softmax) {
  Expr s = 0.5 * (q * transpose(k)), p = input("p", {5, 4});
  check({q, k, v}, {softmax(s) * v}, "attn.softmax");
  check({q, k, v}, {softmax(causal(s, Fill::MinusInfinity)) * v}, "else -inf");
  // The permission is part of the graph, and taken: no result is compared.
  auto program = llvm::cantFail(
      Program::create({q, k, v, p}, {softmax(s, maps::favor(p)) * v}));
  EXPECT_CONTAINS(program.getText(), "approximated_by #attn.favor(%arg3");
}

TEST_F(DslTest, Normalisers) {
  Expr s = elu1(q) * transpose(elu1(k));
  check({q, k, v}, {normalize(s, Divisor{0.5}) * v}, "eps 5.000000e-01");
  check({q, k, v}, {normalize(q * transpose(k), Divisor{0, 1.0}) * v},
        "floor 1.000000e+00");
  check({q, k, v}, {divideByLast(s * appendOnes(v))}, "attn.divide_by_last");
  check({q}, {appendOnes(q, 2)}, "attn.append_ones %arg0 dim 2");
  check({q, k}, {divide(q, elu1(k))}, "attn.divide ");
  check({q, k, g}, {divideByLast(q, Divisor{0, 1.0, g})}, "log_scale(%arg2");
}

//===----------------------------------------------------------------------===//
// Decays, gates, solves, steps
//===----------------------------------------------------------------------===//

TEST_F(DslTest, CausalScores) {
  Expr u = input("u", {2, 4}), i = input("i", {2, n});
  check({q, k, v}, {causalScore(q, k) * v}, "attn.causal_score %arg0, %arg1 :");
  check({q, k, v, g}, {causalScore(q, k, {decay(g)}) * v}, "decay(%arg3 :");
  check({q, k, v, w}, {causalScore(q, k, {decay({w, "hnd"}), strict()}) * v},
        "decay(%arg3 \"hnd\" : tensor<2x?x4xf32>) strict");
  check({q, k, v, w, u},
        {causalScore(q, k, {decay(w), exclusive(), bonus(u)}) * v},
        "exclusive bonus(%arg4");
  check({q, k, v, g, i}, {causalScore(q, k, {decay(g), logGate(i)}) * v},
        "log_gate(%arg4");
  auto program = llvm::cantFail(Program::create(
      {q, k, v, g}, {causalScore(q, k, {decay(g), unbounded()}) * v}));
  EXPECT_CONTAINS(program.getText(), "unbounded");
  Expr c = input("c", {n, 4}), b = input("b", {n, 4}), x = input("x", {n, 3});
  Expr a = input("a", {n, 3, 4});
  negative.insert("a");
  Expr scores =
      causalScore(c, b, {subscripts("nd,md->vnm"), decay({a, "nvd"})});
  check({c, b, x, a}, {apply(scores, x, "vnm,mv->nv")}, "decay(%arg3 \"nvd\"");
}

TEST_F(DslTest, TheDeltaRule) {
  Expr b = sigmoid(beta), key = l2Norm(k);
  Expr lower = gate(causalScore(key, key, {decay(g), strict()}), b);
  Expr u = solve(lower, gate(v, b));
  check({q, k, v, g, beta}, {causalScore(q, key, {decay(g)}) * u},
        "attn.solve");
}

TEST_F(DslTest, Gates) {
  Expr x = input("x", {n, 3}), y = input("y", {3, 4}), open = sigmoid(beta);
  check({v, beta}, {gate(v, open, within(0, 1))},
        "in [0.000000e+00, 1.000000e+00]");
  check({x, y}, {gate(x, y, "nv,vd->nvd")},
        "attn.gate %arg0, %arg1 subscripts \"nv,vd->nvd\"");
}

TEST_F(DslTest, SeveralStepsAToken) {
  Dim steps = *n.times(2);
  Expr x = input("x", {2, steps, 4});
  check({q, x}, {expandSteps(q, 2) + x}, "attn.expand_steps %arg0 steps 2");
  check({x, q}, {takeSteps(x, 2) + q}, "attn.take_steps %arg0 steps 2");
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

TEST_F(DslTest, ProgramsPrintIrPlanAndPtx) {
  Expr o = normalize(elu1(q) * transpose(elu1(k))) * v;
  auto program = llvm::cantFail(Program::create({q, k, v}, {o}, "attention"));
  EXPECT_CONTAINS(program.getText(),
                  "func.func @attention(%arg0: tensor<2x?x4xf32>");
  EXPECT_CONTAINS(program.getPlan(), "phi(arg0)");
  // The cheaper order follows the sizes of symbols, whatever their names.
  Dim queries("queries"), keys("keys");
  Expr x = input("x", {queries, 64}), y = input("y", {keys, 64});
  auto wide = llvm::cantFail(Program::create({x, y}, {(x * transpose(y)) * y}));
  EXPECT_CONTAINS(wide.getPlan(), "chosen at run time");
  llvm::StringMap<int64_t> sizes;
  sizes["queries"] = sizes["keys"] = 4096;
  EXPECT_CONTAINS(wide.getPlan(sizes), "->  arg0 (arg1^T arg1)");
  sizes["queries"] = sizes["keys"] = 2;
  EXPECT_CONTAINS(wide.getPlan(sizes), "->  (arg0 arg1^T) arg1");
  EXPECT_CONTAINS(getMessage(program.getPtx("sm_1")), "unknown GPU 'sm_1'");
  Expr z = input("z", {8, n, 64});
  auto kernel = llvm::cantFail(Program::create({z}, {causalScore(z, z) * z}));
  auto ptx = kernel.getPtx("sm_90");
  ASSERT_TRUE(bool(ptx)) << llvm::toString(ptx.takeError());
  EXPECT_CONTAINS(*ptx, ".target sm_90");
}
