//===- CpuEngineTest.cpp - Whose memory results are, and who may call -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Parser/Parser.h"
#include "runtime/engine/Engine.h"
#include "gtest/gtest.h"
#include <thread>

using namespace mlir;
using ::attn::Array;
using ::attn::ElementType;

namespace {

const char *graph = R"(
func.func @same(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  return %x, %x : tensor<?xf32>, tensor<?xf32>
}
func.func @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = arith.addf %x, %x : tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func @constant() -> tensor<2xf32> {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %c : tensor<2xf32>
}
func.func @apply(%a: tensor<?x?xf32>, %v: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %o = attn.apply %a, %v : tensor<?x?xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  return %o : tensor<?x2xf32>
}
)";

class CpuEngineTest : public testing::Test {
protected:
  CpuEngineTest() {
    // No more than the graph needs: what the pipeline needs is the engine's
    // business.
    context.loadDialect<func::FuncDialect, arith::ArithDialect,
                        mlir::attn::AttnDialect>();
    module = parseSourceString<ModuleOp>(graph, &context);
  }

  std::unique_ptr<::attn::Callable> compile(StringRef entry, int threads = 0) {
    ::attn::CpuEngineOptions options;
    options.threads = threads;
    return llvm::cantFail(
        ::attn::createCpuEngine(options)->compile(*module, entry));
  }

  static Array makeArray(ArrayRef<int64_t> shape, double first) {
    Array array = llvm::cantFail(Array::create(ElementType::F32, shape));
    for (int64_t i = 0; i < array.getNumElements(); ++i)
      array.set(i, first + i);
    return array;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(CpuEngineTest, ResultsOutliveArgumentsAndCode) {
  SmallVector<Array> results;
  {
    auto same = compile("same");
    results = llvm::cantFail(same->call(makeArray({1000}, 3)));
  }
  ASSERT_EQ(results.size(), 2u);
  for (const Array &result : results)
    for (int64_t i = 0; i < 1000; ++i)
      ASSERT_EQ(result.get(i), 3 + i);
}

TEST_F(CpuEngineTest, ConstantsCanBeWritten) {
  auto constant = compile("constant");
  Array first = llvm::cantFail(constant->call({}))[0];
  first.set(0, 7);
  Array second = llvm::cantFail(constant->call({}))[0];
  EXPECT_EQ(first.get(0), 7);
  EXPECT_EQ(second.get(0), 1);
  EXPECT_EQ(second.get(1), 2);
}

TEST_F(CpuEngineTest, ArgumentsAreNotChanged) {
  Array argument = makeArray({64}, 1);
  Array result = llvm::cantFail(compile("twice")->call(argument))[0];
  for (int64_t i = 0; i < 64; ++i) {
    EXPECT_EQ(argument.get(i), 1 + i);
    EXPECT_EQ(result.get(i), 2 * (1 + i));
  }
}

TEST_F(CpuEngineTest, EmptyArrays) {
  Array result = llvm::cantFail(compile("twice")->call(makeArray({0}, 0)))[0];
  EXPECT_EQ(result.getShape(), ArrayRef<int64_t>({0}));
  // A sum over no keys is zero.
  result = llvm::cantFail(
      compile("apply")->call({makeArray({3, 0}, 0), makeArray({0, 2}, 0)}))[0];
  ASSERT_EQ(result.getShape(), ArrayRef<int64_t>({3, 2}));
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(result.get(i), 0);
}

TEST_F(CpuEngineTest, SizesThatDisagreeAreAnError) {
  auto results =
      compile("apply")->call({makeArray({3, 4}, 0), makeArray({5, 2}, 0)});
  ASSERT_FALSE(results);
  std::string message = llvm::toString(results.takeError());
  EXPECT_NE(message.find("expected equal sizes"), std::string::npos) << message;
}

TEST_F(CpuEngineTest, UnknownFunctionIsAnError) {
  auto callable = ::attn::createCpuEngine()->compile(*module, "none");
  ASSERT_FALSE(callable);
  std::string message = llvm::toString(callable.takeError());
  EXPECT_NE(message.find("no function 'none'"), std::string::npos) << message;
}

TEST_F(CpuEngineTest, TheModuleStaysAsItIs) {
  OwningOpRef<ModuleOp> before(module->clone());
  compile("apply");
  EXPECT_TRUE(OperationEquivalence::isEquivalentTo(
      before->getOperation(), module->getOperation(),
      OperationEquivalence::Flags::None));
}

TEST_F(CpuEngineTest, ThreadsMayCallAtOnce) {
  auto apply = compile("apply", /*threads=*/2);
  Array weights = makeArray({70, 90}, -3000), values = makeArray({90, 2}, -90);
  Array expected = llvm::cantFail(apply->call({weights, values}))[0];
  SmallVector<Array> results(4);
  std::vector<std::thread> callers;
  for (Array &result : results)
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i)
        result = llvm::cantFail(apply->call({weights, values}))[0];
    });
  for (std::thread &caller : callers)
    caller.join();
  for (const Array &result : results)
    EXPECT_EQ(llvm::cantFail(::attn::getRelativeError(result, expected)), 0);
}

} // namespace
