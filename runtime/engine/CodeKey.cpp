//===- CodeKey.cpp - What decides the code of a function ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/BuildId.h"
#include "runtime/engine/KernelCache.h"
#include "runtime/engine/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include <omp.h>

namespace attn {

namespace {
/// A hash of values that cannot run into each other.
class KeyHasher {
public:
  void add(llvm::StringRef text) {
    add(static_cast<int64_t>(text.size()));
    hasher.update(text);
  }
  void add(int64_t value) {
    hasher.update(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(&value),
                                 sizeof(value)));
  }
  std::string take() { return llvm::toHex(hasher.final<32>(), true); }

private:
  llvm::BLAKE3 hasher;
};
} // namespace

llvm::Expected<std::string> getCodeKey(llvm::StringRef text,
                                       llvm::StringRef target,
                                       const CompileOptions &options) {
  auto parsed = Target::parse(target);
  if (!parsed)
    return parsed.takeError();
  KeyHasher hasher;
  hasher.add(getBuildId());
  hasher.add(LLVM_VERSION_STRING);
  hasher.add(text);
  hasher.add(options.entry);
  hasher.add(options.exposeStates);
  hasher.add(static_cast<int64_t>(parsed->kind));
  hasher.add(options.keepOrder);
  auto host = CpuModel::getHost();
  if (!host)
    return host.takeError();
  hasher.add(host->triple);
  hasher.add(host->name);
  hasher.add(host->features);
  if (parsed->kind == Target::Kind::Gpu && parsed->model.empty()) {
    auto chip = findGpu();
    if (!chip)
      return chip.takeError();
    hasher.add(*chip);
  } else {
    hasher.add(parsed->model);
  }
  if (parsed->kind == Target::Kind::Halide) {
    hasher.add(options.threads);
    hasher.add(options.allowQuadratic);
    hasher.add(options.autoscheduler);
  }
  if (parsed->kind == Target::Kind::Cpu) {
    // Costs count on them.
    hasher.add(options.threads > 0 ? options.threads : omp_get_max_threads());
    hasher.add(getFirstCacheBytes());
    hasher.add(options.optLevel);
    hasher.add(static_cast<int64_t>(options.form));
    hasher.add(options.chunk);
    hasher.add(options.allowQuadratic);
    hasher.add(options.strided);
  }
  return hasher.take();
}

} // namespace attn
