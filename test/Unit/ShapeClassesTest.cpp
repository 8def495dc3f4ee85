//===- ShapeClassesTest.cpp - Dimensions of equal size -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ShapeClasses.h"
#include "test/Unit/TestGraph.h"

using namespace attn;
using mlir::attn::ShapeClasses;

static ShapeClasses analyze(TestGraph &graph) {
  auto classes = ShapeClasses::analyze(graph.getFunction());
  EXPECT_TRUE(mlir::succeeded(classes));
  return *classes;
}

TEST(ShapeClasses, TiesByLettersOfArgumentsAndProducts) {
  TestGraph graph(R"mlir(
func.func @f(%q: tensor<?x?x64xf32> {attn.axes = "bnd"}, %k: tensor<?x?x64xf32>, %v: tensor<?x?x8xf32> {attn.axes = "bnv"}) -> tensor<?x?x8xf32> {
  %a = attn.score %q, %k : tensor<?x?x64xf32>, tensor<?x?x64xf32> -> tensor<?x?x?xf32>
  %p = attn.normalize %a : tensor<?x?x?xf32>
  %o = attn.apply %p, %v : tensor<?x?x?xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return %o : tensor<?x?x8xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  mlir::Value q = func.getArgument(0), k = func.getArgument(1);
  // Queries are tied to values by the attribute, values to keys by the product.
  EXPECT_EQ(classes.getClass(q, 1), classes.getClass(k, 1));
  EXPECT_EQ(classes.getClass(q, 0), classes.getClass(k, 0));
  EXPECT_NE(classes.getClass(q, 0), classes.getClass(q, 1));
  EXPECT_EQ(classes.getName(classes.getClass(k, 1)), "n");
  EXPECT_EQ(classes.getStaticSize(classes.getClass(q, 2)), 64);
  EXPECT_TRUE(classes.getMismatches().empty());
  // b and n of three arguments: two equalities each.
  EXPECT_EQ(classes.getSizeConstraints().size(), 4u);
}

TEST(ShapeClasses, NumbersASecondClassOfALetter) {
  TestGraph graph(R"mlir(
func.func @f(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %r: tensor<?x4xf32>) -> tensor<?x?xf32> {
  %a = attn.score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %b = attn.score %r, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  return %b : tensor<?x?xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  EXPECT_EQ(classes.getName(classes.getClass(func.getArgument(0), 0)), "n");
  EXPECT_EQ(classes.getName(classes.getClass(func.getArgument(2), 0)), "n2");
}

TEST(ShapeClasses, DividesGroups) {
  TestGraph graph(R"mlir(
func.func @f(%q: tensor<?x?x4xf32>, %k: tensor<?x?x4xf32>) -> tensor<?x?x?xf32> {
  %a = attn.score %q, %k subscripts "(gr)nd,gmd->(gr)nm" : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x?xf32>
  return %a : tensor<?x?x?xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  mlir::Operation *score = &func.front().front();
  EXPECT_EQ(classes.getAxisClass(score, 'g'),
            classes.getClass(func.getArgument(1), 0));
  // Queries and result have the same group.
  EXPECT_EQ(classes.getClass(score->getResult(0), 0),
            classes.getClass(func.getArgument(0), 0));
  auto constraints = classes.getGroupConstraints();
  ASSERT_FALSE(constraints.empty());
  EXPECT_EQ(constraints[0].whole.argument, 0u);
  EXPECT_EQ(constraints[0].part.argument, 1u);
  // r = (gr) / g
  mlir::OpBuilder builder(func.front().getTerminator());
  mlir::Value r = classes.materializeSize(builder, func.getLoc(),
                                          classes.getAxisClass(score, 'r'));
  ASSERT_TRUE(r);
  EXPECT_TRUE(r.getDefiningOp<mlir::arith::DivUIOp>());
}

TEST(ShapeClasses, FindsStaticContradictions) {
  TestGraph graph(R"mlir(
func.func @f(%q: tensor<3x4xf32> {attn.axes = "nd"}, %k: tensor<5x4xf32> {attn.axes = "nd"}) {
  return
})mlir");
  ShapeClasses classes = analyze(graph);
  ASSERT_EQ(classes.getMismatches().size(), 1u);
  EXPECT_EQ(
      classes.getMismatches()[0].first + classes.getMismatches()[0].second, 8);
}

TEST(ShapeClasses, TiesNamedAxes) {
  TestGraph graph(R"mlir(
func.func @f(%q: tensor<?x?x4xf32>, %k: tensor<?x?x4xf32>, %g: tensor<?x?xf32>, %b: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %w = attn.gate %b, %g : tensor<?x?x8xf32>, tensor<?x?xf32> -> tensor<?x?x8xf32>
  %a = attn.causal_score %q, %k subscripts "(gr)nd,gmd->(gr)nm" decay(%g "gn" : tensor<?x?xf32>) : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x?xf32>
  %l = attn.causal_score %k, %k strict : tensor<?x?x4xf32>, tensor<?x?x4xf32> -> tensor<?x?x?xf32>
  %u = attn.solve %l, %w : tensor<?x?x?xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  %o = attn.apply %a, %u subscripts "(gr)nm,gmv->(gr)nv" : tensor<?x?x?xf32>, tensor<?x?x8xf32> -> tensor<?x?x8xf32>
  return %o : tensor<?x?x8xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  mlir::Value q = func.getArgument(0), k = func.getArgument(1),
              g = func.getArgument(2), b = func.getArgument(3);
  // As many queries as keys, and a decay for each of them.
  EXPECT_EQ(classes.getClass(q, 1), classes.getClass(k, 1));
  EXPECT_EQ(classes.getClass(g, 1), classes.getClass(k, 1));
  EXPECT_EQ(classes.getClass(b, 1), classes.getClass(k, 1));
  EXPECT_EQ(classes.getClass(g, 0), classes.getClass(k, 0));
  EXPECT_NE(classes.getClass(q, 0), classes.getClass(k, 0));
  EXPECT_EQ(classes.getName(classes.getClass(k, 1)), "n");
  EXPECT_EQ(classes.getName(classes.getClass(k, 0)), "g");
  ASSERT_FALSE(classes.getGroupConstraints().empty());
}

TEST(ShapeClasses, TiesStepsAndNormalizers) {
  TestGraph graph(R"mlir(
func.func @f(%x: tensor<?x?x4xf32>, %m: tensor<?x?xf32>, %y: tensor<?x?x3xf32>) -> (tensor<?x?x3xf32>, tensor<?x?x4xf32>, tensor<?x?xf32>) {
  %d = attn.divide_by_last %x floor 1.0 log_scale(%m : tensor<?x?xf32>) : tensor<?x?x4xf32> -> tensor<?x?x3xf32>
  %r = attn.divide %d, %y : tensor<?x?x3xf32>
  %s = attn.expand_steps %x steps 2 : tensor<?x?x4xf32> -> tensor<?x?x4xf32>
  %f = attn.feature_scale %s, #attn.exp : tensor<?x?x4xf32> -> tensor<?x?xf32>
  return %r, %s, %f : tensor<?x?x3xf32>, tensor<?x?x4xf32>, tensor<?x?xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  mlir::Operation *ret = func.front().getTerminator();
  mlir::Value x = func.getArgument(0), m = func.getArgument(1),
              y = func.getArgument(2), steps = ret->getOperand(1),
              scale = ret->getOperand(2);
  for (int64_t i : {0, 1}) {
    EXPECT_EQ(classes.getClass(x, i), classes.getClass(m, i));
    EXPECT_EQ(classes.getClass(x, i), classes.getClass(y, i));
    EXPECT_EQ(classes.getClass(steps, i), classes.getClass(scale, i));
  }
  EXPECT_EQ(classes.getClass(x, 0), classes.getClass(steps, 0));
  EXPECT_NE(classes.getClass(x, 1), classes.getClass(steps, 1));
}

TEST(ShapeClasses, TiesRecurrences) {
  TestGraph graph(R"mlir(
func.func @f(%g: tensor<?xf32>, %q: tensor<?x?x4xf32>, %k: tensor<?x?x4xf32>, %v: tensor<?x?x8xf32>, %s0: tensor<?x?x4x8xf32>, %cu: tensor<?xi32>) -> (tensor<?x?x8xf32>, tensor<?x?x4x8xf32>) {
  %o, %s = attn.recurrence #attn.scalar_decay by(%g "n") read(%q "nhd" current) write(%k "hnd", %v "hnv") state(%s0 "shdv") packed(%cu) -> "hnv", state "shdv" : (tensor<?xf32>, tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x8xf32>, tensor<?x?x4x8xf32>, tensor<?xi32>) -> (tensor<?x?x8xf32>, tensor<?x?x4x8xf32>)
  return %o, %s : tensor<?x?x8xf32>, tensor<?x?x4x8xf32>
})mlir");
  ShapeClasses classes = analyze(graph);
  auto func = graph.getFunction();
  mlir::Value g = func.getArgument(0), q = func.getArgument(1),
              v = func.getArgument(3), s0 = func.getArgument(4);
  EXPECT_EQ(classes.getClass(g, 0), classes.getClass(q, 0));
  EXPECT_EQ(classes.getClass(v, 1), classes.getClass(q, 0));
  EXPECT_EQ(classes.getClass(s0, 1), classes.getClass(q, 1));
  mlir::Value state = func.front().getTerminator()->getOperand(1);
  EXPECT_EQ(classes.getClass(s0, 0), classes.getClass(state, 0));
}
