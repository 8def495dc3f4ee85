//===- Diagnostics.h - Diagnostics as errors -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_DIAGNOSTICS_H
#define ATTN_RUNTIME_ENGINE_DIAGNOSTICS_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace attn {

/// Runs `action`. If it fails, what it reported through `context` is the
/// error, located, one line a diagnostic, else `fallback`. Warnings and remarks
/// go on to the handlers that were there before.
llvm::Error collectErrors(mlir::MLIRContext *context, llvm::StringRef fallback,
                          llvm::function_ref<mlir::LogicalResult()> action);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_DIAGNOSTICS_H
