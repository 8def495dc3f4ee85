//===- CheckArguments.h - A call against its types -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H
#define ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/array/Array.h"

namespace attn {

/// The function of that name, which has a body; the error lists the functions
/// that there are.
llvm::Expected<mlir::func::FuncOp> findEntry(mlir::ModuleOp module,
                                             llvm::StringRef name);

/// Checks the number of arguments, and of each the rank, the element type and
/// the static sizes. Scalars are arrays of rank 0.
llvm::Error checkArguments(mlir::func::FuncOp function,
                           llvm::ArrayRef<Array> arguments);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CHECKARGUMENTS_H
