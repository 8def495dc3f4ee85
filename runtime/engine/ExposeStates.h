//===- ExposeStates.h - From a graph to a step of it -*- C++ -*- --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_EXPOSESTATES_H
#define ATTN_RUNTIME_ENGINE_EXPOSESTATES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace attn {

/// Makes the states of the recurrences of `function` its last arguments and
/// results (attn-expose-state), named "state" or "state0", "state1", ...
/// Returns how many arguments were there before; an error if there is no state.
llvm::Expected<unsigned> exposeStates(mlir::func::FuncOp function);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_EXPOSESTATES_H
