//===- GraphContext.h - A context for graphs -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_GRAPHCONTEXT_H
#define ATTN_RUNTIME_ENGINE_GRAPHCONTEXT_H

#include "mlir/IR/MLIRContext.h"
#include <memory>

namespace attn {

/// A context in which graphs are parsed and compiled: all dialects, and
/// diagnostics without the operation, for a kernel is thousands of lines.
std::unique_ptr<mlir::MLIRContext>
createGraphContext(mlir::MLIRContext::Threading threading =
                       mlir::MLIRContext::Threading::ENABLED);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_GRAPHCONTEXT_H
