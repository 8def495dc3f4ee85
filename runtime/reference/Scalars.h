//===- Scalars.h - Scalar operations and regions of them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_REFERENCE_SCALARS_H
#define ATTN_RUNTIME_REFERENCE_SCALARS_H

#include "runtime/reference/Evaluators.h"
#include <functional>

namespace attn {

/// An integer as the evaluator represents it: signed, but i1 as 0 or 1.
double fromInteger(const llvm::APInt &value);

/// The result of a scalar operation on its operands. An integer without a value
/// (a division by zero, a conversion out of range) is NaN.
using ScalarKernel = std::function<double(const double *)>;

/// The scalar operation of an `arith` or `math` operation, which may act on
/// tensors; null for an operation that is not known.
ScalarKernel findScalarKernel(mlir::Operation *op);

/// A block that maps one scalar to one scalar, ready to run many times.
class ScalarProgram {
public:
  /// Fails on an operation that is not known, with its location.
  static llvm::Expected<ScalarProgram> create(mlir::Block &block,
                                              ScalarLookup captured);

  /// Constants and captured values in place, to be copied by each thread.
  llvm::SmallVector<double> getSlots() const { return slots; }
  double run(double argument, llvm::MutableArrayRef<double> slots) const;

private:
  struct Instruction {
    ScalarKernel kernel;
    llvm::SmallVector<unsigned, 3> operands;
    unsigned result;
  };
  llvm::SmallVector<double> slots; // slot 0 is the argument
  llvm::SmallVector<Instruction> instructions;
  unsigned result = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_REFERENCE_SCALARS_H
