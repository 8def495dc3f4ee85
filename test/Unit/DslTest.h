//===- DslTest.h - Programs of expressions for unit tests -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_DSLTEST_H
#define ATTN_TEST_UNIT_DSLTEST_H

#include "runtime/dsl/Dsl.h"
#include "runtime/dsl/GraphBuilder.h"
#include "test/Unit/TestGraph.h"

namespace attn::dsl {

/// Expressions with inputs of 2 heads, and what calls of them give.
class DslTest : public testing::Test {
protected:
  DslTest() { sizes["n"] = 7, sizes["m"] = 5, sizes["tokens"] = 6; }

  /// An array for an argument: standard normal numbers, or those that were set.
  Array makeArgument(const Expr &input, uint64_t seed) {
    const Argument &argument = *input.getNode()->argument;
    auto it = contents.find(argument.name);
    if (it != contents.end())
      return it->second;
    llvm::SmallVector<int64_t> shape;
    for (const Dim &dim : argument.shape)
      shape.push_back(dim.getFactor() *
                      (dim.isStatic() ? 1 : sizes[dim.getSymbol()]));
    Array array = llvm::cantFail(Array::create(argument.type, shape));
    fillNormal(array, seed);
    if (negative.count(argument.name))
      for (int64_t i = 0; i < array.getNumElements(); ++i)
        array.set(i, -std::fabs(array.get(i)));
    return array;
  }

  /// Builds the program, finds `operation` in its text, and compares what is
  /// compiled with the f64 evaluation.
  void check(std::vector<Expr> inputs, std::vector<Expr> outputs,
             llvm::StringRef operation, double tolerance = 1e-5) {
    auto program = Program::create(inputs, outputs);
    ASSERT_TRUE(bool(program)) << llvm::toString(program.takeError());
    EXPECT_CONTAINS(program->getText(), operation.str());
    std::vector<Array> arguments;
    for (const Expr &input : inputs)
      arguments.push_back(makeArgument(input, arguments.size() + 1));
    auto exact = program->evaluate(arguments);
    ASSERT_TRUE(bool(exact)) << llvm::toString(exact.takeError());
    CompileOptions options;
    options.allowQuadratic = true;
    auto callable = program->compile("cpu", options);
    ASSERT_TRUE(bool(callable)) << llvm::toString(callable.takeError());
    auto results = (*callable)->call(arguments);
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
    ASSERT_EQ(results->size(), outputs.size());
    for (auto [result, expected] : llvm::zip_equal(*results, *exact)) {
      EXPECT_GT(expected.getNumElements(), 0);
      EXPECT_LE(llvm::cantFail(getRelativeError(result, expected)), tolerance);
    }
  }

  Dim n{"n"}, m{"m"};
  Expr q = input("q", {2, n, 4}), k = input("k", {2, n, 4}),
       v = input("v", {2, n, 3}), g = input("g", {2, n}),
       w = input("w", {2, n, 4}), beta = input("beta", {2, n});

  std::map<std::string, int64_t> sizes;
  std::map<std::string, Array> contents;
  /// Log decays.
  std::set<std::string> negative{"g", "w"};
};

} // namespace attn::dsl

#endif // ATTN_TEST_UNIT_DSLTEST_H
