//===- Stream.h - Long inputs in pieces, with the state carried -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_STREAM_H
#define ATTN_TOOLS_ATTN_RUN_STREAM_H

#include "Arguments.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/ExposeStates.h"

namespace attn::tool {

/// Gives the arguments of `function` the static sizes of a call, for forms that
/// need them.
void specialize(mlir::func::FuncOp function, llvm::ArrayRef<Array> arguments);

/// The initial states: zeros, and -inf for running maxima.
llvm::Expected<llvm::SmallVector<Array>> makeStates(mlir::func::FuncOp function,
                                                    unsigned first,
                                                    const FunctionSizes &sizes);

/// How the tokens of a function's arguments and results are cut.
struct TokenDims {
  /// The dimension, or -1, and how many steps of it are one token.
  struct Cut {
    int64_t dim = -1;
    int64_t steps = 1;
  };
  llvm::SmallVector<Cut> arguments, results;
};

llvm::Expected<TokenDims> findTokenDims(mlir::func::FuncOp function);

/// Gives the arguments of a piece: `count` tokens from `begin` on.
using PieceSource = llvm::function_ref<llvm::Expected<llvm::SmallVector<Array>>(
    int64_t begin, int64_t count)>;
/// Takes the results of a piece, states the last. They hold until it returns.
using PieceSink = llvm::function_ref<llvm::Error(llvm::ArrayRef<Array> results,
                                                 int64_t begin, int64_t count)>;

/// Calls `action` on the pieces of `tokens` tokens, on an empty one if there
/// are none.
llvm::Error
forPieces(int64_t tokens, int64_t piece,
          llvm::function_ref<llvm::Error(int64_t begin, int64_t count)> action);

/// Puts the arrays of a piece into those of all `tokens`. Of arrays without a
/// cut the last one stays.
llvm::Error append(llvm::SmallVectorImpl<Array> &whole,
                   llvm::ArrayRef<Array> piece,
                   llvm::ArrayRef<TokenDims::Cut> cuts, int64_t begin,
                   int64_t tokens);

/// Feeds `tokens` tokens in pieces of `piece`, and carries `states` from one to
/// the next.
llvm::Error runStream(const Callable &callable, int64_t tokens, int64_t piece,
                      llvm::SmallVector<Array> states, PieceSource source,
                      PieceSink sink);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_STREAM_H
