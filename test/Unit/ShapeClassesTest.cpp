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
