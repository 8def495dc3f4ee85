//===- Compile.h - From a graph, its text or its file to a callable -*- C++ -*-
//-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_COMPILE_H
#define ATTN_RUNTIME_ENGINE_COMPILE_H

#include "runtime/engine/Engine.h"
#include <string>
#include <vector>

namespace attn {

class KernelCache;

/// What a compilation did.
struct CompileReport {
  enum class Origin { Compiled, Disk, Memory };

  Origin origin = Origin::Compiled;
  CompileTimes times;
  /// What did not stop it: a folder that cannot be written, an entry of the
  /// cache that was damaged.
  std::vector<std::string> warnings;
};

/// Options of a compilation.
struct CompileOptions : EngineOptions {
  /// The function; needless if one alone is public.
  std::string entry;
  /// Make the states of recurrences the last arguments and results, so that the
  /// next call goes on where one ended: decoding, or a sequence in pieces. An
  /// error where there is none.
  bool exposeStates = false;
  /// Where compiled code is kept and found; nowhere if null.
  std::shared_ptr<KernelCache> cache;
  /// Filled in, also on failure; none if null.
  CompileReport *report = nullptr;
};

/// Compiles a function of a graph for a target: "cpu", "cpu:NAME", "nvvm",
/// "nvvm:sm_XX" or "reference" (Target.h). What is wrong with the text, the
/// graph, the target or the machine is an error, located where there is a
/// place.
///
/// Any number of threads may compile at once. A callable needs nothing that was
/// given here.
///
///     auto callable = compileFile("attention.mlir", "cpu");
///     if (!callable)
///       return callable.takeError();
///     TensorView q(queries, {8, n, 64}), o(output, {8, n, 64});
///     return (*callable)->run({q}, {o});
llvm::Expected<std::shared_ptr<const Callable>>
compileText(llvm::StringRef text, llvm::StringRef target,
            const CompileOptions &options = {},
            llvm::StringRef name = "<text>");

llvm::Expected<std::shared_ptr<const Callable>>
compileFile(llvm::StringRef path, llvm::StringRef target,
            const CompileOptions &options = {});

/// The module's context must not be changed meanwhile.
llvm::Expected<std::shared_ptr<const Callable>>
compile(mlir::ModuleOp graph, llvm::StringRef target,
        const CompileOptions &options = {});

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_COMPILE_H
