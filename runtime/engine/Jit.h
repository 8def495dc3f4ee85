//===- Jit.h - Objects in this process -*- C++ -*- ----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_JIT_H
#define ATTN_RUNTIME_ENGINE_JIT_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace attn {

/// An object of compileObject, with its packed function, linked into this
/// process. Immutable: any number of threads may call.
class LoadedCode {
public:
  /// Resolves what kernels call and runs constructors. The object is trusted.
  static llvm::Expected<LoadedCode>
  load(std::unique_ptr<llvm::MemoryBuffer> object);

  LoadedCode(LoadedCode &&);
  LoadedCode &operator=(LoadedCode &&) = delete;
  ~LoadedCode();

  /// Calls the function with the addresses of its arguments.
  void call(void **arguments) const { packed(arguments); }

private:
  LoadedCode(std::unique_ptr<llvm::orc::LLJIT> jit);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  void (*packed)(void **) = nullptr;
  void (*unload)() = nullptr;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_JIT_H
