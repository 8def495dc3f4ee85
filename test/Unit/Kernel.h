//===- Kernel.h - Runs IR that a test writes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_KERNEL_H
#define ATTN_TEST_UNIT_KERNEL_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::attn {

/// Makes upstream's dialects known to the context, with what bufferization and
/// the translation to LLVM need of them.
void registerKernelDialects(MLIRContext &context);

/// A function that computes one tensor of static shape from constants.
class Kernel {
public:
  using Body = function_ref<Value(OpBuilder &, Location)>;

  Kernel(MLIRContext &context, Body body);

  ModuleOp getModule() { return *module; }
  /// Bufferizes the function; the number of copies left, of which one moves the
  /// result to the caller.
  FailureOr<int64_t> bufferize();
  /// Compiles and runs the function, after bufferize; all elements of its
  /// result, row-major, as doubles. The elements are f32, f64 or i64.
  FailureOr<std::vector<double>> run();

private:
  OwningOpRef<ModuleOp> module;
  RankedTensorType type;
};

/// A constant tensor of floating-point or integer elements.
Value createConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                     ArrayRef<double> elements);

} // namespace mlir::attn

#endif // ATTN_TEST_UNIT_KERNEL_H
