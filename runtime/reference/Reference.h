//===- Reference.h - The literal f64 evaluation of a graph -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_REFERENCE_REFERENCE_H
#define ATTN_RUNTIME_REFERENCE_REFERENCE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/array/Array.h"

namespace attn {

/// Evaluates a function operation by operation as the dialect defines them, in
/// f64 and with plain loops: the oracle of every rewrite, form and target. All
/// results are f64 arrays. No operation rounds to its element type; integers
/// are exact up to 2^53.
///
/// What disagrees only at run time, and what the evaluator does not know, is an
/// error "file:line:col: 'op': ...".
llvm::Expected<llvm::SmallVector<Array>>
evaluate(mlir::func::FuncOp function, llvm::ArrayRef<Array> arguments);

/// The operations on which a value of the function's block depends, in order;
/// none if it is of another block.
llvm::SmallVector<mlir::Operation *> getSlice(mlir::func::FuncOp function,
                                              mlir::Value value);
/// Evaluates these operations alone.
llvm::Expected<Array> evaluateSlice(mlir::func::FuncOp function,
                                    mlir::Value value,
                                    llvm::ArrayRef<Array> arguments);

} // namespace attn

#endif // ATTN_RUNTIME_REFERENCE_REFERENCE_H
