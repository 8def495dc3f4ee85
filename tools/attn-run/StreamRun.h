//===- StreamRun.h - A run in pieces, from files to files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_STREAMRUN_H
#define ATTN_TOOLS_ATTN_RUN_STREAMRUN_H

#include "Arguments.h"
#include "Options.h"

namespace attn::tool {

/// Feeds the tokens of a function in pieces of `options.pieceTokens`. The
/// arguments from `numArguments` on are states. Memory does not grow with the
/// tokens, unless --verify asks for all of them.
llvm::Error runStreamed(const Engine &engine, mlir::ModuleOp module,
                        mlir::func::FuncOp function, unsigned numArguments,
                        const ArgumentSources &sources, FunctionSizes &sizes,
                        const Options &options);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_STREAMRUN_H
