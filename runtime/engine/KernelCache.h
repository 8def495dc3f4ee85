//===- KernelCache.h - Compiled code that is used again -*- C++ -*- -----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_KERNELCACHE_H
#define ATTN_RUNTIME_ENGINE_KERNELCACHE_H

#include "runtime/engine/Compile.h"
#include "llvm/ADT/StringMap.h"
#include <condition_variable>
#include <mutex>

namespace attn {

struct KernelCacheOptions {
  /// Where object code is kept between processes; nowhere if empty. It is
  /// created, for its owner alone.
  std::string directory;
  /// The bytes of the folder beyond which the entries that were not used for
  /// longest go.
  uint64_t maxBytes = uint64_t(256) << 20;
  /// The callables in memory, likewise; those in use live on.
  size_t maxKernels = 128;
};

/// Compiled functions in memory and, as object code, in a folder. An entry is
/// found by what decides its code: the text of the graph, the target, the
/// options, the machine, the compiler and LLVM. Entries of the folder appear
/// whole or not at all, whatever other processes do, and have a checksum:
/// damaged ones are compiled again. A folder that cannot be used is a warning
/// of the report, never an error.
///
/// Any number of threads may use a cache; those that want the same function
/// wait for the one that compiles it. It must outlive no callable.
class KernelCache {
public:
  explicit KernelCache(KernelCacheOptions options = {});
  KernelCache(const KernelCache &) = delete;

  /// The user's folder for caches, as XDG has it: "~/.cache/attn". Empty where
  /// there is no home.
  static std::string getDefaultDirectory();

  using Compile =
      llvm::function_ref<llvm::Expected<std::shared_ptr<const Callable>>(
          CodeStore *store)>;
  /// The callable of a key, else what `compile` makes, which may use the store
  /// of `codeKey`; there is none if that is empty.
  llvm::Expected<std::shared_ptr<const Callable>> get(llvm::StringRef key,
                                                      llvm::StringRef codeKey,
                                                      CompileReport &report,
                                                      Compile compile);

private:
  struct Entry {
    /// Null while a thread compiles it.
    std::shared_ptr<const Callable> callable;
    uint64_t lastUse = 0;
  };

  void evict();

  KernelCacheOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  llvm::StringMap<Entry> entries;
  uint64_t clock = 0;
};

/// The key of the code that a text compiles to, printable.
llvm::Expected<std::string> getCodeKey(llvm::StringRef text,
                                       llvm::StringRef target,
                                       const CompileOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_KERNELCACHE_H
