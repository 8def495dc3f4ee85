//===- KernelCache.cpp - Compiled code that is used again ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/KernelCache.h"
#include "runtime/engine/CodeFile.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/Path.h"

namespace attn {

KernelCache::KernelCache(KernelCacheOptions options)
    : options(std::move(options)) {}

std::string KernelCache::getDefaultDirectory() {
  llvm::SmallString<128> path;
  if (!llvm::sys::path::cache_directory(path))
    return "";
  llvm::sys::path::append(path, "attn");
  return path.str().str();
}

llvm::Expected<std::shared_ptr<const Callable>>
KernelCache::get(llvm::StringRef key, llvm::StringRef codeKey,
                 CompileReport &report, Compile compile) {
  std::unique_lock<std::mutex> lock(mutex);
  for (auto found = entries.find(key); found != entries.end();
       found = entries.find(key)) {
    if (found->second.callable) {
      found->second.lastUse = ++clock;
      report.origin = CompileReport::Origin::Memory;
      return found->second.callable;
    }
    changed.wait(lock);
  }
  entries[key];
  lock.unlock();
  auto settle = [&](std::shared_ptr<const Callable> made) {
    std::lock_guard<std::mutex> lock(mutex);
    if (made)
      entries[key] = {std::move(made), ++clock};
    else
      entries.erase(key);
    evict();
    changed.notify_all();
  };
  // Nobody waits for an entry that failed, whatever leaves this function.
  llvm::scope_exit fail([&] { settle(nullptr); });

  std::optional<CodeFile> file;
  if (!options.directory.empty() && !codeKey.empty())
    file.emplace(options.directory, codeKey, options.maxBytes);
  auto compiled = compile(file ? &*file : nullptr);
  if (file) {
    llvm::append_range(report.warnings, file->getWarnings());
    if (file->wasFound())
      report.origin = CompileReport::Origin::Disk;
  }

  if (compiled) {
    fail.release();
    settle(*compiled);
  }
  return compiled;
}

void KernelCache::evict() {
  while (entries.size() > options.maxKernels) {
    auto oldest = entries.end();
    for (auto entry = entries.begin(); entry != entries.end(); ++entry)
      if (entry->second.callable &&
          (oldest == entries.end() ||
           entry->second.lastUse < oldest->second.lastUse))
        oldest = entry;
    if (oldest == entries.end())
      return;
    entries.erase(oldest);
  }
}

} // namespace attn
