//===- HalideTest.cpp - Two code generators in one process ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Compile.h"
#include "test/Unit/TestGraph.h"
#include <cmath>
#include <dlfcn.h>
#include <thread>

using namespace attn;
using llvm::StringRef;

namespace {

constexpr StringRef kGraph = R"mlir(
func.func @main(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>, %g: tensor<2x?xf32>) -> tensor<2x?x3xf32> {
  %m = attn.feature_map %g, #attn.negative_exp : tensor<2x?xf32> -> tensor<2x?xf32>
  %a = attn.causal_score %q, %k decay(%m : tensor<2x?xf32>) : tensor<2x?x4xf32>, tensor<2x?x4xf32> -> tensor<2x?x?xf32>
  %o = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x3xf32> -> tensor<2x?x3xf32>
  return %o : tensor<2x?x3xf32>
}
)mlir";

constexpr StringRef kStep = R"mlir(
func.func @main(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>, %s: tensor<4x3xf32> {attn.state}) -> (tensor<?x3xf32>, tensor<4x3xf32>) {
  %o, %t = attn.recurrence #attn.no_decay read(%q "nd" current) write(%k "nd", %v "nv") state(%s "dv") -> "nv", state "dv" : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>, tensor<4x3xf32>) -> (tensor<?x3xf32>, tensor<4x3xf32>)
  return %o, %t : tensor<?x3xf32>, tensor<4x3xf32>
}
)mlir";

/// Tests are skipped in a build without Halide.
class HalideTest : public testing::Test {
protected:
  void SetUp() override {
    auto callable = compileText(kGraph, "halide");
    if (!callable) {
      std::string message = llvm::toString(callable.takeError());
      EXPECT_CONTAINS(message, "no Halide here");
      GTEST_SKIP() << message;
    }
  }

  static void compare(const Array &a, const Array &b) {
    ASSERT_EQ(a.getShape(), b.getShape());
    for (int64_t i = 0; i < a.getNumElements(); ++i)
      EXPECT_NEAR(a.get(i), b.get(i), 1e-5 * (1 + std::fabs(b.get(i))));
  }
};

/// Compiles for the targets in order, runs each several times and compares.
void runAll(llvm::ArrayRef<StringRef> targets) {
  Array q = makeNormal({2, 21, 4}, 1), k = makeNormal({2, 21, 4}, 2),
        v = makeNormal({2, 21, 3}, 3), g = makeNormal({2, 21}, 4);
  llvm::SmallVector<Array> first;
  for (StringRef target : targets) {
    auto callable = llvm::cantFail(compileText(kGraph, target));
    for (int i = 0; i < 3; ++i) {
      auto results = llvm::cantFail(callable->call({q, k, v, g}));
      if (first.empty())
        first = results;
      for (int64_t j = 0; j < first[0].getNumElements(); ++j)
        EXPECT_NEAR(results[0].get(j), first[0].get(j), 1e-5);
    }
  }
}

TEST_F(HalideTest, LivesWithMlirInBothOrders) {
  runAll({"cpu", "halide", "cpu"});
  runAll({"halide", "cpu", "halide"});
}

TEST_F(HalideTest, LivesWithMlirInTwoThreads) {
  std::thread one([] { runAll({"cpu", "halide", "cpu", "halide"}); });
  std::thread two([] { runAll({"halide", "cpu", "halide", "cpu"}); });
  one.join();
  two.join();
}

TEST_F(HalideTest, SharesNoSymbol) {
  // What the plugin brings is visible to itself alone.
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "attn_halide_get_api"), nullptr);
  EXPECT_EQ(dlsym(RTLD_DEFAULT, "halide_error"), nullptr);
}

TEST_F(HalideTest, UpdatesAStateInPlace) {
  auto halide = llvm::cantFail(compileText(kStep, "halide")),
       cpu = llvm::cantFail(compileText(kStep, "cpu"));
  Array q = makeNormal({5, 4}, 1), k = makeNormal({5, 4}, 2),
        v = makeNormal({5, 3}, 3), s = makeNormal({4, 3}, 4),
        t = makeNormal({4, 3}, 4), o = makeNormal({5, 3}, 5),
        p = makeNormal({5, 3}, 6);
  for (int i = 0; i < 2; ++i) {
    llvm::cantFail(cpu->run({viewOf(q), viewOf(k), viewOf(v), viewOf(s)},
                            {viewOf(o), viewOf(s)}));
    llvm::cantFail(halide->run({viewOf(q), viewOf(k), viewOf(v), viewOf(t)},
                               {viewOf(p), viewOf(t)}));
    compare(p, o);
    compare(t, s);
  }
}

TEST_F(HalideTest, TakesStridedTensors) {
  auto callable = llvm::cantFail(compileText(kStep, "halide"));
  Array wide = makeNormal({5, 8}, 1), k = makeNormal({5, 4}, 2),
        v = makeNormal({5, 3}, 3), s = makeNormal({4, 3}, 4),
        q = makeNormal({5, 4}, 1), o = makeNormal({5, 3}, 5),
        p = makeNormal({5, 3}, 6), t = makeNormal({4, 3}, 4);
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < 4; ++j)
      q.set(4 * i + j, wide.get(8 * i + j));
  TensorView view(static_cast<float *>(wide.getData()), {5, 4}, {8, 1});
  llvm::cantFail(callable->run({viewOf(q), viewOf(k), viewOf(v), viewOf(s)},
                               {viewOf(o), viewOf(s)}));
  llvm::cantFail(callable->run({view, viewOf(k), viewOf(v), viewOf(t)},
                               {viewOf(p), viewOf(t)}));
  compare(p, o);
}

TEST_F(HalideTest, BadTargetsAreErrors) {
  EXPECT_CONTAINS(getMessage(compileText(kGraph, "halide:foo")),
                  "'foo' is not a target of Halide");
  EXPECT_CONTAINS(getMessage(compileText(kGraph, "halide:")),
                  "expected halide:TARGET");
}

} // namespace
