//===- EntryPoint.h - The C function around a lowered one -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_ENTRYPOINT_H
#define ATTN_RUNTIME_AOT_ENTRYPOINT_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/aot/CInterface.h"

namespace attn {

/// Adds the function that the interface describes to a module of the LLVM
/// dialect: it checks sizes and pointers and calls `entry`, whose arguments
/// were of these types before they were lowered to descriptors; the last is
/// where attn-check-allocations reports to. All other functions become
/// internal. An error if the code calls a function of that name.
llvm::Error addEntryPoint(mlir::ModuleOp module, llvm::StringRef entry,
                          mlir::TypeRange argumentTypes,
                          const CInterface &interface);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_ENTRYPOINT_H
