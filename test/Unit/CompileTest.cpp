//===- CompileTest.cpp - Graphs, texts and files to callables -----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/GraphContext.h"
#include "test/Unit/TestCallable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include <thread>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {

TEST(Compile, DescribesArgumentsAndResults) {
  auto callable = compileFor("cpu", kAttention);
  const Signature &signature = callable->getSignature();
  EXPECT_EQ(signature.function, "main");
  ASSERT_EQ(signature.arguments.size(), 3u);
  EXPECT_EQ(signature.arguments[2].name, "v");
  EXPECT_EQ(signature.arguments[2].type, ElementType::F32);
  EXPECT_EQ(ArrayRef(signature.arguments[2].shape),
            ArrayRef<int64_t>({2, mlir::ShapedType::kDynamic, 3}));
  ASSERT_EQ(signature.results.size(), 1u);
  EXPECT_EQ(signature.results[0].name, "o");
  EXPECT_EQ(signature.results[0].getTypeText(), "tensor<2x?x3xf32>");
  Array q = makeNormal({2, 5, 4}, 1), k = makeNormal({2, 7, 4}, 2),
        v = makeNormal({2, 7, 3}, 3);
  EXPECT_EQ(ArrayRef(signature.results[0].getShape(ArrayRef({q, k, v}))),
            ArrayRef<int64_t>({2, 5, 3}));
  // The literal evaluation gives f64.
  EXPECT_EQ(compileFor("reference", kAttention)->getSignature().results[0].type,
            ElementType::F64);
}

TEST(Compile, NamesComeFromAttributesOrPositions) {
  auto callable = compileFor("cpu", R"mlir(
func.func @main(%0: tensor<4xf32>, %x: tensor<4xf32> {attn.name = "bias"}) -> (tensor<4xf32>, tensor<4xf32> {attn.name = "sum"}) {
  %1 = arith.addf %0, %x : tensor<4xf32>
  return %1, %1 : tensor<4xf32>, tensor<4xf32>
})mlir");
  const Signature &signature = callable->getSignature();
  EXPECT_EQ(signature.arguments[0].name, "arg0");
  EXPECT_EQ(signature.arguments[1].name, "bias");
  EXPECT_EQ(signature.results[0].name, "result0");
  EXPECT_EQ(signature.results[1].name, "sum");
}

TEST(Compile, RunsOnMemoryOfTheCaller) {
  Array q = makeNormal({2, 50, 4}, 1), k = makeNormal({2, 70, 4}, 2),
        v = makeNormal({2, 70, 3}, 3);
  Array expected =
      llvm::cantFail(compileFor("reference", kAttention)->call({q, k, v}))[0];
  auto callable = compileFor("cpu", kAttention);
  std::vector<float> output(2 * 50 * 3, 1e30f);
  TensorView o(output.data(), {2, 50, 3});
  ASSERT_FALSE(callable->run({viewOf(q), viewOf(k), viewOf(v)}, {o}));
  Array got = Array::wrap(ElementType::F32, {2, 50, 3}, output.data(), nullptr);
  EXPECT_LT(llvm::cantFail(getRelativeError(got, expected)), 1e-5);
  // The reference as well, into f64.
  std::vector<double> exact(2 * 50 * 3);
  TensorView e(exact.data(), {2, 50, 3});
  ASSERT_FALSE(compileFor("reference", kAttention)
                   ->run({viewOf(q), viewOf(k), viewOf(v)}, {e}));
  EXPECT_EQ(exact[7], expected.get(7));
}

TEST(Compile, FilesAndModules) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("graph", "mlir", path));
  llvm::FileRemover remover(path);
  std::error_code code;
  llvm::raw_fd_ostream(path, code) << kAttention;
  Array q = makeNormal({2, 5, 4}, 1), v = makeNormal({2, 5, 3}, 3);
  Array fromFile = llvm::cantFail(
      llvm::cantFail(compileFile(path, "cpu"))->call({q, q, v}))[0];
  TestGraph graph(kAttention);
  auto callable = llvm::cantFail(compile(graph.getModule(), "cpu"));
  Array fromModule = llvm::cantFail(callable->call({q, q, v}))[0];
  EXPECT_EQ(llvm::cantFail(getRelativeError(fromFile, fromModule)), 0);
  // Errors name the file that the module was read from.
  EXPECT_CONTAINS(getMessage(callable->call({q, q})), "graph.mlir:2:1");
}

TEST(Compile, WhatIsWrongIsSaid) {
  auto say = [](StringRef text, StringRef target, CompileOptions options = {}) {
    return getMessage(compileText(text, target, options, "mine.mlir"));
  };
  EXPECT_CONTAINS(say(kAttention, "tpu"), "unknown target 'tpu': expected cpu");
  EXPECT_CONTAINS(say(kAttention, "cpu:"), "expected cpu:NAME");
  EXPECT_CONTAINS(say(kAttention, "cpu:z80"), "unknown CPU 'z80'");
  EXPECT_CONTAINS(say(kAttention, "nvvm:ninety"), "expected nvvm:sm_XX");
  EXPECT_CONTAINS(say("func.func @main(", "cpu"), "mine.mlir:1:");
  EXPECT_CONTAINS(say("", "cpu"), "no function with a body");
  EXPECT_CONTAINS(
      say(R"mlir(func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = attn.softmax %x : tensor<4xi32>
  return %y : tensor<4xf32>
})mlir",
          "cpu"),
      "mine.mlir:2:");
  EXPECT_CONTAINS(getMessage(compileFile("/no/such/file.mlir", "cpu")),
                  "cannot read '/no/such/file.mlir'");
  CompileOptions options;
  options.entry = "other";
  EXPECT_CONTAINS(say(kAttention, "cpu", options),
                  "no function 'other' to run; there is main");
  options = {};
  options.strided = true;
  EXPECT_CONTAINS(say(kAttention, "nvvm", options), "not for nvvm");
}

TEST(Compile, StatesAreExposed) {
  constexpr StringRef text = R"mlir(
func.func @main(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>) -> (tensor<?x3xf32> {attn.name = "out"}) {
  %a = attn.causal_score %q, %k : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x?xf32>
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x3xf32> -> tensor<?x3xf32>
  return %o : tensor<?x3xf32>
})mlir";
  CompileOptions options;
  options.exposeStates = true;
  auto callable = compileFor("cpu", text, options);
  const Signature &signature = callable->getSignature();
  ASSERT_EQ(signature.arguments.size(), 4u);
  EXPECT_TRUE(signature.arguments[3].isState);
  ASSERT_EQ(signature.results.size(), 2u);
  EXPECT_EQ(signature.results[0].name, "out");
  EXPECT_EQ(signature.results[1].state, 3);
  EXPECT_CONTAINS(getMessage(compileText(kAttention, "cpu", options)),
                  "mixes tokens and is no recurrence");
}

TEST(Compile, CpusByName) {
  // Every machine of this architecture runs its first level.
#if defined(__x86_64__)
  Array q = makeNormal({2, 5, 4}, 1), v = makeNormal({2, 5, 3}, 3);
  Array expected =
      llvm::cantFail(compileFor("reference", kAttention)->call({q, q, v}))[0];
  Array got =
      llvm::cantFail(compileFor("cpu:x86-64", kAttention)->call({q, q, v}))[0];
  EXPECT_LT(llvm::cantFail(getRelativeError(got, expected)), 1e-5);
#endif
}

TEST(Compile, ReportsTheTimeOfEachStep) {
  CompileReport report;
  CompileOptions options;
  options.report = &report;
  compileFor("cpu", kAttention, options);
  EXPECT_GT(report.times.parse, 0);
  EXPECT_GT(report.times.derive, 0);
  EXPECT_GT(report.times.lower, 0);
  EXPECT_GT(report.times.llvm, 0);
  EXPECT_GT(report.times.load, 0);
}

TEST(Compile, ThreadsMayCompileAndCallAtOnce) {
  Array q = makeNormal({2, 9, 4}, 1), v = makeNormal({2, 9, 3}, 3);
  Array expected =
      llvm::cantFail(compileFor("cpu", kAttention)->call({q, q, v}))[0];
  std::vector<std::thread> threads;
  std::vector<double> errors(4, 1);
  TestGraph graph(kAttention);
  for (double &error : errors)
    threads.emplace_back([&] {
      auto callable = llvm::cantFail(compile(graph.getModule(), "cpu"));
      Array result = llvm::cantFail(callable->call({q, q, v}))[0];
      error = llvm::cantFail(getRelativeError(result, expected));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(errors, std::vector<double>(4, 0));
}

} // namespace
