//===- Target.h - What code is compiled for, by name -*- C++ -*- --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_TARGET_H
#define ATTN_RUNTIME_ENGINE_TARGET_H

#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

namespace attn {

/// A target by name:
///
///     cpu               this machine
///     cpu:NAME          a CPU or level of this machine's architecture, as LLVM
///                       names it: znver4, x86-64-v3
///     nvvm, nvvm:sm_XX  the GPU of device 0, or a named architecture
///     halide, halide:X  Halide's code for its target X: host-opencl
///     reference         the literal f64 evaluation
struct Target {
  enum class Kind { Cpu, Gpu, Halide, Reference };

  Kind kind = Kind::Cpu;
  /// What stands behind the colon, or empty.
  std::string model;

  /// An error lists the names that there are.
  static llvm::Expected<Target> parse(llvm::StringRef name);
  /// What stands before the colon.
  llvm::StringRef getKindName() const;
};

/// A CPU as LLVM describes it.
struct CpuModel {
  std::string triple;
  std::string name;
  /// "+avx2,-avx512f", beyond what the name says.
  std::string features;

  /// The CPU that this process runs on.
  static llvm::Expected<CpuModel> getHost();
  /// A CPU of the host's architecture that the host can stand in for; an error
  /// for a name that LLVM does not know, or a feature that the host has not.
  static llvm::Expected<CpuModel> getRunnable(llvm::StringRef name);

  /// Position-independent code, as shared objects and JITs want it.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
  createMachine(int optLevel) const;
};

/// The bytes of the first data cache of this machine; 0 if it does not say.
int64_t getFirstCacheBytes();

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_TARGET_H
