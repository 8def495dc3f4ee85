//===- KernelSymbols.h - What compiled code calls back -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_KERNELSYMBOLS_H
#define ATTN_RUNTIME_ENGINE_KERNELSYMBOLS_H

#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/Mangling.h"

namespace attn {

/// Functions that kernels call and that the process may not export.
llvm::orc::SymbolMap getKernelSymbols(llvm::orc::MangleAndInterner mangle);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_KERNELSYMBOLS_H
