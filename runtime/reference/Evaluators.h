//===- Evaluators.h - Evaluators of single operations -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_REFERENCE_EVALUATORS_H
#define ATTN_RUNTIME_REFERENCE_EVALUATORS_H

// Every value is an f64 array; scalars have rank 0, i1 is 0 or 1. An evaluator
// gets the operation's operands, whose shapes conform to their types.

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/array/Array.h"
#include "runtime/array/Error.h"

namespace attn {

using mlir::ArrayRef;

inline double *getDoubles(const Array &array) {
  return static_cast<double *>(array.getData());
}

/// The error "file:line:col: 'op': message".
llvm::Error createError(mlir::Operation *op, const llvm::Twine &message);

/// An uninitialised result of `op`.
llvm::Expected<Array> createResult(mlir::Operation *op,
                                   ArrayRef<int64_t> shape);

/// Row-major strides, in elements.
llvm::SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape);

/// Runs `function(begin, end)` on blocks of [0, count) in parallel; `block`
/// items a block.
void forBlocks(int64_t count, int64_t block,
               llvm::function_ref<void(int64_t, int64_t)> function);

/// The value of a scalar from outside of a region.
using ScalarLookup = llvm::function_ref<llvm::Expected<double>(mlir::Value)>;

/// Runs a block that is isolated from what is around it.
using BlockRunner = llvm::function_ref<llvm::Expected<llvm::SmallVector<Array>>(
    mlir::Block &, ArrayRef<Array>)>;

llvm::Expected<Array> evaluateContraction(mlir::attn::ContractionOpInterface op,
                                          const Array &lhs, const Array &rhs);
llvm::Expected<Array> evaluateFeatureMap(mlir::attn::FeatureMapOp op,
                                         ArrayRef<Array> operands,
                                         ScalarLookup captured);
llvm::Expected<Array> evaluateFeatureScale(mlir::attn::FeatureScaleOp op,
                                           ArrayRef<Array> operands);
llvm::Expected<Array> evaluateCausalScore(mlir::attn::CausalScoreOp op,
                                          ArrayRef<Array> operands);
llvm::Expected<Array> evaluateGate(mlir::attn::GateOp op,
                                   ArrayRef<Array> operands);
llvm::Expected<Array> evaluateSolve(mlir::attn::SolveOp op,
                                    ArrayRef<Array> operands);
llvm::Expected<Array> evaluateExpandSteps(mlir::attn::ExpandStepsOp op,
                                          const Array &input);
llvm::Expected<Array> evaluateTakeSteps(mlir::attn::TakeStepsOp op,
                                        const Array &input);
/// An operation of the tensor dialect.
llvm::Expected<Array> evaluateTensor(mlir::Operation *op,
                                     ArrayRef<Array> operands);
llvm::Expected<llvm::SmallVector<Array>>
evaluateRecurrence(mlir::attn::RecurrenceOp op, ArrayRef<Array> operands);
llvm::Expected<llvm::SmallVector<Array>> evaluateScan(mlir::attn::ScanOp op,
                                                      ArrayRef<Array> operands,
                                                      BlockRunner runBlock);
llvm::Expected<Array> evaluateMask(mlir::attn::MaskOp op,
                                   ArrayRef<Array> operands);
llvm::Expected<Array> evaluateSoftmax(mlir::attn::SoftmaxOp op,
                                      const Array &scores);
llvm::Expected<Array> evaluateNormalize(mlir::attn::NormalizeOp op,
                                        const Array &scores);
llvm::Expected<Array> evaluateAppendOnes(mlir::attn::AppendOnesOp op,
                                         const Array &input);
llvm::Expected<Array> evaluateDivideByLast(mlir::attn::DivideByLastOp op,
                                           ArrayRef<Array> operands);
llvm::Expected<Array> evaluateDivide(mlir::attn::DivideOp op,
                                     ArrayRef<Array> operands);
llvm::Expected<Array> evaluateScale(mlir::attn::ScaleOp op, const Array &input);
llvm::Expected<Array> evaluateConstant(mlir::arith::ConstantOp op);
/// An operation that findScalarKernel knows, on scalars or element by element.
llvm::Expected<Array> evaluateElementwise(mlir::Operation *op,
                                          ArrayRef<Array> operands);

} // namespace attn

#endif // ATTN_RUNTIME_REFERENCE_EVALUATORS_H
