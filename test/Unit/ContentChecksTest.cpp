//===- ContentChecksTest.cpp - Decays, gates, segments and steps of calls -*-
// C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Bounds.h"
#include "runtime/engine/CheckContents.h"
#include "test/Unit/TestGraph.h"
#include <cmath>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;

/// What the checks of @f say about a call, "" for nothing.
static std::string check(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  auto checks = ContentChecks::create(graph.getFunction());
  if (!checks)
    return llvm::toString(checks.takeError());
  llvm::Error error = checks->check(arguments);
  return error ? llvm::toString(std::move(error)) : "";
}

/// Bounds on the only result of @f.
static Bounds bounds(StringRef body) {
  TestGraph graph(("func.func @f(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> "
                   "tensor<4x4xf32> {\n" +
                   body + "\nreturn %r : tensor<4x4xf32>\n}")
                      .str());
  return getBounds(graph.getFunction().front().getTerminator()->getOperand(0));
}

static constexpr StringRef kMap = "attn.feature_map %x, #attn.";
static constexpr StringRef kMapType = " : tensor<4x4xf32> -> tensor<4x4xf32>\n";

TEST(Bounds, FollowFromTheGraph) {
  auto map = [](StringRef result, StringRef name) {
    return (result + " = " + kMap + name + kMapType).str();
  };
  Bounds unknown = bounds("%r = arith.addf %x, %y : tensor<4x4xf32>");
  EXPECT_FALSE(unknown.isWithin(-1e300, 1e300));
  EXPECT_TRUE(bounds(map("%r", "log_sigmoid")).isWithin(-HUGE_VAL, 0));
  EXPECT_TRUE(bounds(map("%r", "sigmoid")).isWithin(0, 1));
  // Delta A = -(softplus) times exp.
  std::string softplus = map("%s", "softplus"), exp = map("%e", "exp");
  EXPECT_TRUE(bounds(softplus +
                     "%r = attn.scale %s by -2.0 : tensor<4x4xf32> -> "
                     "tensor<4x4xf32>")
                  .isWithin(-HUGE_VAL, 0));
  EXPECT_TRUE(bounds(softplus + map("%n", "negative_exp") +
                     "%r = attn.gate %s, %n : tensor<4x4xf32>, "
                     "tensor<4x4xf32> -> tensor<4x4xf32>")
                  .isWithin(-HUGE_VAL, 0));
  EXPECT_FALSE(
      bounds(softplus + exp + "%r = arith.subf %s, %e : tensor<4x4xf32>")
          .isWithin(-HUGE_VAL, 0));
  // log(lo + (1 - lo) sigmoid(x)), HGRN2.
  EXPECT_TRUE(bounds(map("%s", "sigmoid") + R"mlir(
  %c = arith.constant dense<0.25> : tensor<4x4xf32>
  %t = attn.scale %s by 0.75 : tensor<4x4xf32> -> tensor<4x4xf32>
  %a = arith.addf %t, %c : tensor<4x4xf32>
  %r = math.log %a : tensor<4x4xf32>)mlir")
                  .isWithin(-HUGE_VAL, 0));
}

TEST(ContentChecks, DecaysOfArguments) {
  StringRef text = R"mlir(
func.func @f(%q: tensor<2x1xf32>, %g: tensor<2xf32>) -> tensor<2x2xf32> {
  %a = attn.causal_score %q, %q decay(%g : tensor<2xf32>) : tensor<2x1xf32>, tensor<2x1xf32> -> tensor<2x2xf32>
  return %a : tensor<2x2xf32>
})mlir";
  Array q = makeArray({2, 1}, {1, 1});
  EXPECT_EQ(check(text, {q, makeArray({2}, {-1, 0})}), "");
  EXPECT_EQ(check(text, {q, makeArray({2}, {-1, 0.5})}),
            "graph.mlir:3:8: decay [1] is 0.5, expected 0 or less");
  EXPECT_CONTAINS(check(text, {q, makeArray({2}, {std::nan(""), 0})}),
                  "decay [0] is nan, expected 0 or less");
}

TEST(ContentChecks, DecaysThatTheGraphComputes) {
  StringRef text = R"mlir(
func.func @f(%q: tensor<2x1xf32>, %z: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %c = arith.constant dense<1.0> : tensor<2x1xf32>
  %g = arith.subf %z, %c : tensor<2x1xf32>
  %o = attn.recurrence #attn.diagonal_decay by(%g "nd") read(%q "nd" current) write(%q "nd", %c "nv") -> "nv" : (tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %o : tensor<2x1xf32>
})mlir";
  Array q = makeArray({2, 1}, {1, 1});
  EXPECT_EQ(check(text, {q, makeArray({2, 1}, {0.5, 1})}), "");
  EXPECT_EQ(check(text, {q, makeArray({2, 1}, {0.5, 1.5})}),
            "graph.mlir:5:8: decay [1, 0] is 0.5, expected 0 or less");
}

TEST(ContentChecks, RangesOfGates) {
  StringRef text = R"mlir(
func.func @f(%v: tensor<2x1xf32>, %b: tensor<2xf32>) -> tensor<2x1xf32> {
  %t = attn.scale %b by 2.0 : tensor<2xf32> -> tensor<2xf32>
  %r = attn.gate %v, %t in [0.0, 1.0] : tensor<2x1xf32>, tensor<2xf32> -> tensor<2x1xf32>
  return %r : tensor<2x1xf32>
})mlir";
  Array v = makeArray({2, 1}, {1, 1});
  EXPECT_EQ(check(text, {v, makeArray({2}, {0, 0.5})}), "");
  EXPECT_EQ(check(text, {v, makeArray({2}, {0, 0.75})}),
            "graph.mlir:4:8: gate [1] is 1.5, expected a value in [0, 1]");
}

TEST(ContentChecks, SegmentsOfRecurrences) {
  StringRef text = R"mlir(
func.func @f(%q: tensor<?x1xf32>, %v: tensor<?x1xf32>, %s: tensor<?x1x1xf32>, %cu: tensor<?xi32>) -> tensor<?x1xf32> {
  %o = attn.recurrence #attn.no_decay read(%q "nd" current) write(%q "nd", %v "nv") state(%s "sdv") packed(%cu) -> "nv" : (tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>, tensor<?x1x1xf32>, tensor<?xi32>) -> tensor<?x1xf32>
  return %o : tensor<?x1xf32>
})mlir";
  Array q = makeArray({3, 1}, {1, 2, 3}), s = makeArray({2, 1, 1}, {0, 0});
  auto cu = [](ArrayRef<double> values) {
    return makeArray(ElementType::I32, {static_cast<int64_t>(values.size())},
                     values);
  };
  EXPECT_EQ(check(text, {q, q, s, cu({0, 1, 3})}), "");
  EXPECT_EQ(check(text, {q, q, s, cu({0, 2, 1})}),
            "graph.mlir:3:8: cu_seqlens does not increase at position 2: 1 "
            "after 2");
  EXPECT_CONTAINS(check(text, {q, q, s, cu({0, 1, 2})}),
                  "cu_seqlens ends at 2, expected the number of queries, 3");
  EXPECT_CONTAINS(check(text, {q, q, s, cu({0, 3})}),
                  "cu_seqlens has 1 segments, expected 2");
}

TEST(ContentChecks, Steps) {
  StringRef text = R"mlir(
func.func @f(%q: tensor<?x1xf32>, %k: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %s = attn.expand_steps %q steps 2 : tensor<?x1xf32> -> tensor<?x1xf32>
  %p = arith.mulf %s, %k : tensor<?x1xf32>
  %t = attn.take_steps %p steps 2 : tensor<?x1xf32> -> tensor<?x1xf32>
  return %t : tensor<?x1xf32>
})mlir";
  Array q = makeArray({2, 1}, {1, 2});
  EXPECT_EQ(check(text, {q, makeArray({4, 1}, {1, 2, 3, 4})}), "");
  EXPECT_EQ(check(text, {q, makeArray({2, 1}, {1, 2})}),
            "graph.mlir:3:8: expected 2 steps for each of 2 tokens, got 2");
  EXPECT_EQ(check(text, {q, makeArray({3, 1}, {1, 2, 3})}),
            "graph.mlir:3:8: 3 steps are not a multiple of 2");
}
