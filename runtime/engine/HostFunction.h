//===- HostFunction.h - A compiled function -*- C++ -*- -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H
#define ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H

#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/HostCode.h"
#include "runtime/engine/IsolatedGraph.h"
#include "runtime/engine/Jit.h"

namespace attn {

/// A function of a graph, compiled for this machine: what all engines that make
/// machine code have in common. Memory is this machine's or a device's.
class HostFunction {
public:
  /// Lowers a module, in which one function is public, has the outputs as
  /// arguments and may write states, to the LLVM dialect and compiles that;
  /// `packed` is the C function.
  using Compile =
      llvm::function_ref<llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>(
          mlir::ModuleOp module, llvm::StringRef packed)>;

  static llvm::Expected<HostFunction> create(mlir::ModuleOp module,
                                             llvm::StringRef entry,
                                             MemoryRules rules, Compile compile,
                                             const CompileHooks &hooks);

  const Signature &getSignature() const { return graph.signature; }

  /// What is wrong with arguments of this machine.
  llvm::Error check(llvm::ArrayRef<Array> arguments) const;
  /// What is wrong with the memory of a call. Contents are read if they are
  /// asked for and are this machine's.
  llvm::Error check(llvm::ArrayRef<DLTensor> arguments,
                    llvm::ArrayRef<DLTensor> results, bool checkContents) const;

  /// Calls without a check. A result that is in a state's place is not written
  /// elsewhere. An error if there is no memory for what lies in between.
  llvm::Error run(llvm::ArrayRef<DLTensor> arguments,
                  llvm::ArrayRef<DLTensor> results) const;

  /// Memory for arrays, which the function gets addresses of.
  struct Memory {
    DLDevice device;
    llvm::Expected<Array> (*allocate)(ElementType type,
                                      llvm::ArrayRef<int64_t> shape);
    /// Frees what the function itself allocates for results.
    void (*release)(void *);
  };
  /// Likewise.
  llvm::Expected<llvm::SmallVector<Array>> call(llvm::ArrayRef<Array> arguments,
                                                const Memory &memory) const;

private:
  HostFunction(IsolatedGraph graph, MemoryRules rules, LoadedCode code,
               llvm::ArrayRef<int64_t> inPlace)
      : graph(std::move(graph)), rules(rules), code(std::move(code)),
        inPlace(inPlace) {}

  IsolatedGraph graph;
  MemoryRules rules;
  LoadedCode code;
  llvm::SmallVector<int64_t> inPlace;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_HOSTFUNCTION_H
