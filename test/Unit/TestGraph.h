//===- TestGraph.h - Graphs and arrays for unit tests -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_TESTGRAPH_H
#define ATTN_TEST_UNIT_TESTGRAPH_H

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "runtime/array/Array.h"
#include "gtest/gtest.h"

namespace attn {

/// A module read from text, as the file `graph.mlir`.
class TestGraph {
public:
  explicit TestGraph(llvm::StringRef text) {
    context.loadDialect<mlir::attn::AttnDialect, mlir::arith::ArithDialect,
                        mlir::func::FuncDialect, mlir::math::MathDialect,
                        mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(
        text, mlir::ParserConfig(&context), "graph.mlir");
    EXPECT_TRUE(module) << "the test's graph cannot be read";
  }

  mlir::ModuleOp getModule() { return *module; }
  mlir::func::FuncOp getFunction(llvm::StringRef name = "f") {
    return module->lookupSymbol<mlir::func::FuncOp>(name);
  }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

inline Array makeArray(ElementType type, llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<double> values) {
  Array array = llvm::cantFail(Array::create(type, shape));
  EXPECT_EQ(array.getNumElements(), static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    array.set(i, values[i]);
  return array;
}

/// An f32 array.
inline Array makeArray(llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<double> values) {
  return makeArray(ElementType::F32, shape, values);
}

inline Array makeNormal(llvm::ArrayRef<int64_t> shape, uint64_t seed) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, shape));
  fillNormal(array, seed);
  return array;
}

/// The message of the error that an expected value holds.
template <typename T> std::string getMessage(llvm::Expected<T> value) {
  return value ? "no error" : llvm::toString(value.takeError());
}

#define EXPECT_CONTAINS(text, part)                                            \
  EXPECT_NE((text).find(part), std::string::npos)                              \
      << "got: " << (text) << "\nexpected in it: " << (part)

} // namespace attn

#endif // ATTN_TEST_UNIT_TESTGRAPH_H
