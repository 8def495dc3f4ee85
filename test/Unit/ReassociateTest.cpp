//===- ReassociateTest.cpp - Every order gives the same numbers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Orders of small chains, evaluated by the f64 reference before and after.

#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "passes/algebra/Explain.h"
#include "runtime/engine/Engine.h"
#include "test/Unit/TestGraph.h"
#include <cmath>

using namespace attn;
using mlir::attn::OrderChoice;

static Array run(TestGraph &graph, llvm::ArrayRef<Array> arguments) {
  auto callable =
      llvm::cantFail(createReferenceEngine()->compile(graph.getModule(), "f"));
  return llvm::cantFail(callable->call(arguments))[0];
}

/// The relative error of the reordered graph; the order must have changed.
static double getError(llvm::StringRef text, OrderChoice order,
                       llvm::ArrayRef<Array> arguments) {
  TestGraph graph(text);
  Array expected = run(graph, arguments);
  mlir::PassManager passes(graph.getModule()->getContext());
  mlir::attn::AttnReassociateOptions options;
  options.order = order;
  passes.addNestedPass<mlir::func::FuncOp>(
      mlir::attn::createAttnReassociate(options));
  EXPECT_TRUE(mlir::succeeded(passes.run(graph.getModule())));
  bool changed = false;
  graph.getFunction().walk([&](mlir::attn::ContractOp) { changed = true; });
  EXPECT_TRUE(changed);
  Array got = run(graph, arguments);
  EXPECT_EQ(got.getShape(), expected.getShape());
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < expected.getNumElements(); ++i) {
    difference += std::pow(got.get(i) - expected.get(i), 2);
    norm += std::pow(expected.get(i), 2);
  }
  EXPECT_GT(norm, 0);
  return std::sqrt(difference / norm);
}

TEST(Reassociate, GroupedHeadsWithNormaliserAndScales) {
  EXPECT_LT(getError(R"mlir(
func.func @f(%q: tensor<2x7x4x3xf32>, %k: tensor<2x5x2x3xf32>, %v: tensor<2x5x2x6xf32>) -> tensor<2x7x4x6xf32> {
  %fq = attn.feature_map %q, #attn.elu1 token_dim = 1 : tensor<2x7x4x3xf32> -> tensor<2x7x4x3xf32>
  %fk = attn.feature_map %k, #attn.elu1 token_dim = 1 : tensor<2x5x2x3xf32> -> tensor<2x5x2x3xf32>
  %a = attn.score %fq, %fk subscripts "bn(gr)d,bmgd->b(gr)nm" : tensor<2x7x4x3xf32>, tensor<2x5x2x3xf32> -> tensor<2x4x7x5xf32>
  %s = attn.scale %a by 0.25 : tensor<2x4x7x5xf32> -> tensor<2x4x7x5xf32>
  %p = attn.normalize %s eps 0.5 : tensor<2x4x7x5xf32>
  %t = attn.scale %p by -3.0 : tensor<2x4x7x5xf32> -> tensor<2x4x7x5xf32>
  %o = attn.apply %t, %v subscripts "b(gr)nm,bmgv->bn(gr)v" : tensor<2x4x7x5xf32>, tensor<2x5x2x6xf32> -> tensor<2x7x4x6xf32>
  return %o : tensor<2x7x4x6xf32>
})mlir",
                     OrderChoice::Linear,
                     {makeNormal({2, 7, 4, 3}, 1), makeNormal({2, 5, 2, 3}, 2),
                      makeNormal({2, 5, 2, 6}, 3)}),
            1e-12);
}

TEST(Reassociate, SplitsHeads) {
  EXPECT_LT(getError(R"mlir(
func.func @f(%q: tensor<4x7x3xf32>, %k: tensor<2x5x3xf32>, %v: tensor<4x5x6xf32>) -> tensor<4x7x6xf32> {
  %a = attn.score %q, %k : tensor<4x7x3xf32>, tensor<2x5x3xf32> -> tensor<4x7x5xf32>
  %o = attn.apply %a, %v : tensor<4x7x5xf32>, tensor<4x5x6xf32> -> tensor<4x7x6xf32>
  return %o : tensor<4x7x6xf32>
})mlir",
                     OrderChoice::Linear,
                     {makeNormal({4, 7, 3}, 1), makeNormal({2, 5, 3}, 2),
                      makeNormal({4, 5, 6}, 3)}),
            1e-12);
}

TEST(Reassociate, FiveFactorsWithTransposes) {
  EXPECT_LT(getError(R"mlir(
func.func @f(%a: tensor<40x2xf32>, %b: tensor<30x2xf32>, %c: tensor<30x3xf32>, %d: tensor<20x3xf32>, %e: tensor<20x4xf32>) -> tensor<4x40xf32> {
  %ab = attn.contract %a, %b subscripts "ij,kj->ik" : tensor<40x2xf32>, tensor<30x2xf32> -> tensor<40x30xf32>
  %cd = attn.contract %d, %c subscripts "ij,kj->ik" : tensor<20x3xf32>, tensor<30x3xf32> -> tensor<20x30xf32>
  %s = attn.scale %cd by 0.5 : tensor<20x30xf32> -> tensor<20x30xf32>
  %abcd = attn.contract %ab, %s subscripts "xy,zy->zx" : tensor<40x30xf32>, tensor<20x30xf32> -> tensor<20x40xf32>
  %o = attn.contract %e, %abcd subscripts "ij,ik->jk" : tensor<20x4xf32>, tensor<20x40xf32> -> tensor<4x40xf32>
  return %o : tensor<4x40xf32>
})mlir",
                     OrderChoice::Auto,
                     {makeNormal({40, 2}, 1), makeNormal({30, 2}, 2),
                      makeNormal({30, 3}, 3), makeNormal({20, 3}, 4),
                      makeNormal({20, 4}, 5)}),
            1e-12);
}

/// The second-order map is softmax's Taylor series: close for small scores.
TEST(Reassociate, ApproximatesADeclaredSoftmax) {
  Array q = makeNormal({7, 4}, 1), k = makeNormal({5, 4}, 2);
  for (Array *array : {&q, &k})
    for (int64_t i = 0; i < array->getNumElements(); ++i)
      array->set(i, 0.3 * array->get(i));
  double error = getError(R"mlir(
func.func @f(%q: tensor<7x4xf32>, %k: tensor<5x4xf32>, %v: tensor<5x6xf32>) -> tensor<7x6xf32> {
  %a = attn.score %q, %k : tensor<7x4xf32>, tensor<5x4xf32> -> tensor<7x5xf32>
  %s = attn.scale %a by 0.5 : tensor<7x5xf32> -> tensor<7x5xf32>
  %p = attn.softmax %s approximated_by #attn.taylor2 : tensor<7x5xf32>
  %o = attn.apply %p, %v : tensor<7x5xf32>, tensor<5x6xf32> -> tensor<7x6xf32>
  return %o : tensor<7x6xf32>
})mlir",
                          OrderChoice::Linear, {q, k, makeNormal({5, 6}, 3)});
  EXPECT_GT(error, 0);
  EXPECT_LT(error, 0.1);
}

static constexpr char kDynamic[] = R"mlir(
func.func @f(%q: tensor<?x64xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = attn.score %q, %k : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x64xf32> -> tensor<?x64xf32>
  return %o : tensor<?x64xf32>
})mlir";

TEST(Explain, MarksTheWinnerOnBothSidesOfTheCrossover) {
  TestGraph graph(kDynamic);
  for (int64_t size : {8, 4096}) {
    std::string text =
        mlir::attn::explainPlan(graph.getModule(), "f", [&](llvm::StringRef) {
          return std::optional(size);
        });
    EXPECT_CONTAINS(text, size == 8 ? "->  (arg0 arg1^T) arg2"
                                    : "->  arg0 (arg1^T arg2)");
  }
}

TEST(Explain, PrintsPolynomialsOfUnknownSizes) {
  TestGraph graph(kDynamic);
  std::string text = mlir::attn::explainPlan(
      graph.getModule(), "f", [&](llvm::StringRef) { return std::nullopt; });
  EXPECT_CONTAINS(text, "256*n*m");
  EXPECT_CONTAINS(text, "8192*n + 8192*m");
  EXPECT_CONTAINS(text, "chosen at run time");
}
