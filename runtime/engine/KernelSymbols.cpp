//===- KernelSymbols.cpp - What compiled code calls back -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/KernelSymbols.h"
#include "runtime/gpu/GpuRuntime.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstdlib>
#include <cstring>

// Compilers' own libraries have these from GCC 13 on. A bf16 is returned in
// the low half of the register that returns a float.
static float truncateToBf16(float x) {
  auto bits = llvm::bit_cast<uint32_t>(x);
  if (std::isnan(x))
    return llvm::bit_cast<float>((bits >> 16) | 0x40);
  // To nearest, ties to even.
  return llvm::bit_cast<float>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static float truncateDoubleToBf16(double x) {
  auto narrow = static_cast<float>(x);
  auto bits = llvm::bit_cast<uint32_t>(narrow);
  // Round to odd first, so that the second rounding sees which side x is on.
  if (std::isfinite(x) && static_cast<double>(narrow) != x && !(bits & 1)) {
    bool tooFar = std::fabs(static_cast<double>(narrow)) > std::fabs(x);
    bits = tooFar ? bits - 1 : bits + 1;
    narrow = llvm::bit_cast<float>(bits);
  }
  return truncateToBf16(narrow);
}

namespace {
struct UnrankedMemRef {
  int64_t rank;
  const int64_t *words;

  char *getData(int64_t elementSize) const {
    return reinterpret_cast<char *>(words[1]) + words[2] * elementSize;
  }
  llvm::ArrayRef<int64_t> getSizes() const { return {words + 3, size_t(rank)}; }
  llvm::ArrayRef<int64_t> getStrides() const {
    return {words + 3 + rank, size_t(rank)};
  }
};
} // namespace

static void copyStrided(char *to, const char *from, int64_t elementSize,
                        llvm::ArrayRef<int64_t> sizes,
                        llvm::ArrayRef<int64_t> toStrides,
                        llvm::ArrayRef<int64_t> fromStrides) {
  if (sizes.empty()) {
    std::memcpy(to, from, elementSize);
    return;
  }
  if (sizes.size() == 1 && toStrides[0] == 1 && fromStrides[0] == 1) {
    std::memcpy(to, from, sizes[0] * elementSize);
    return;
  }
  for (int64_t i = 0; i < sizes[0]; ++i)
    copyStrided(to + i * toStrides[0] * elementSize,
                from + i * fromStrides[0] * elementSize, elementSize,
                sizes.drop_front(), toStrides.drop_front(),
                fromStrides.drop_front());
}

// What `memref.copy` between layouts that are not contiguous becomes.
static void copyMemRef(int64_t elementSize, const UnrankedMemRef *from,
                       const UnrankedMemRef *to) {
  copyStrided(to->getData(elementSize), from->getData(elementSize), elementSize,
              from->getSizes(), to->getStrides(), from->getStrides());
}

llvm::orc::SymbolMap
attn::getKernelSymbols(llvm::orc::MangleAndInterner mangle) {
  llvm::orc::SymbolMap symbols;
  auto add = [&](llvm::StringRef name, auto *function) {
    symbols[mangle(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                             llvm::JITSymbolFlags::Exported |
                                 llvm::JITSymbolFlags::Callable};
  };
  // Of one allocator, which may not be the C library's.
  add("malloc", &std::malloc);
  add("free", &std::free);
  add("aligned_alloc", &std::aligned_alloc);
  add("memrefCopy", &copyMemRef);
  add("__truncsfbf2", &truncateToBf16);
  add("__truncdfbf2", &truncateDoubleToBf16);
  add("mgpuModuleLoad", &mgpuModuleLoad);
  add("mgpuModuleLoadJIT", &mgpuModuleLoadJIT);
  add("mgpuModuleUnload", &mgpuModuleUnload);
  add("mgpuModuleGetFunction", &mgpuModuleGetFunction);
  add("mgpuLaunchKernel", &mgpuLaunchKernel);
  add("mgpuStreamCreate", &mgpuStreamCreate);
  add("mgpuStreamDestroy", &mgpuStreamDestroy);
  add("mgpuStreamSynchronize", &mgpuStreamSynchronize);
  add("mgpuMemAlloc", &mgpuMemAlloc);
  add("mgpuMemFree", &mgpuMemFree);
  return symbols;
}
