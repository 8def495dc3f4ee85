//===- ReferenceEngineTest.cpp - The reference as an engine -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Engine.h"
#include "test/Unit/TestGraph.h"

using namespace attn;

static constexpr char kScore[] = R"mlir(
func.func private @outside(tensor<2xf32>)
func.func @f(%q: tensor<?x4xf32>, %n: index) -> tensor<?x?xf32> {
  %s = attn.score %q, %q : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
})mlir";

TEST(ReferenceEngine, RunsAnEntry) {
  TestGraph graph(kScore);
  auto callable =
      llvm::cantFail(createReferenceEngine()->compile(graph.getModule(), "f"));
  // The callable has its own copy.
  graph.getFunction().erase();
  Array q = makeArray({2, 4}, {1, 2, 3, 4, 0, -1, 0, 2});
  Array n = makeArray(ElementType::I64, {}, 7);
  auto results = llvm::cantFail(callable->call({q, n}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].getShape(), llvm::ArrayRef<int64_t>({2, 2}));
  double expected[] = {30, 6, 6, 5};
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(results[0].get(i), expected[i]);
}

TEST(ReferenceEngine, NamesTheFunctionsThereAre) {
  TestGraph graph(kScore);
  for (const char *entry : {"g", "outside"})
    EXPECT_CONTAINS(
        getMessage(createReferenceEngine()->compile(graph.getModule(), entry)),
        (llvm::Twine("no function '") + entry + "' to run; there is f").str());
}

TEST(ReferenceEngine, ChecksArguments) {
  TestGraph graph(kScore);
  auto callable =
      llvm::cantFail(createReferenceEngine()->compile(graph.getModule(), "f"));
  Array q = makeArray({1, 4}, {1, 2, 3, 4});
  Array n = makeArray(ElementType::I64, {}, 7);
  EXPECT_EQ(getMessage(callable->call(q)),
            "graph.mlir:3:1: 'f' takes 2 arguments, got 1");
  EXPECT_EQ(getMessage(callable->call({makeArray({1, 3}, {1, 2, 3}), n})),
            "graph.mlir:3:1: 'f', argument 0: expected tensor<?x4xf32>, got "
            "f32 of shape [1, 3]");
  EXPECT_EQ(getMessage(callable->call({makeArray({4}, {1, 2, 3, 4}), n})),
            "graph.mlir:3:1: 'f', argument 0: expected tensor<?x4xf32>, got "
            "f32 of shape [4]");
  Array wide = llvm::cantFail(convert(q, ElementType::F64));
  EXPECT_EQ(getMessage(callable->call({wide, n})),
            "graph.mlir:3:1: 'f', argument 0: expected tensor<?x4xf32>, got "
            "f64 of shape [1, 4]");
  EXPECT_EQ(getMessage(callable->call({q, q})),
            "graph.mlir:3:1: 'f', argument 1: expected i64, got f32 of "
            "shape [1, 4]");
}
