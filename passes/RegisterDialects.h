//===- RegisterDialects.h - All dialects of graphs and code -*- C++ -*-----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_REGISTERDIALECTS_H
#define ATTN_PASSES_REGISTERDIALECTS_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::attn {

/// The dialects that graphs and pipelines are made of: ours, MLIR's with their
/// extensions, and the translations to LLVM IR.
void registerDialects(DialectRegistry &registry);

} // namespace mlir::attn

#endif // ATTN_PASSES_REGISTERDIALECTS_H
