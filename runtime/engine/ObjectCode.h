//===- ObjectCode.h - From the LLVM dialect to an object -*- C++ -*- ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_OBJECTCODE_H
#define ATTN_RUNTIME_ENGINE_OBJECTCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "runtime/engine/Target.h"
#include "llvm/Support/MemoryBuffer.h"

namespace attn {

struct ObjectOptions {
  int optLevel = 3;
  /// Write the LLVM IR before optimization into this folder; not if empty.
  std::string dumpDirectory;
  /// The C function, `_mlir_ciface_` and so on, that the object also has in a
  /// form which takes any arguments: `void attn_packed(void **)`, with the
  /// addresses of the arguments and, last, of the returned value. Global
  /// constructors and destructors are then `attn_load` and `attn_unload`, for
  /// who loads the object has no linker to find them. None if empty.
  std::string packed;
};

inline constexpr llvm::StringLiteral kPackedName = "attn_packed",
                                     kLoadName = "attn_load",
                                     kUnloadName = "attn_unload";

/// Names the CPU as the `llvm.target` of a module: what passes ask, and what
/// compileObject compiles for.
void setTarget(mlir::ModuleOp module, const CpuModel &cpu);

/// Compiles a module of the LLVM dialect (and OpenMP) to an object file.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
compileObject(mlir::ModuleOp module, const CpuModel &cpu,
              const ObjectOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_OBJECTCODE_H
