//===- CrossTarget.h - CPUs that need not be this one -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_CROSSTARGET_H
#define ATTN_RUNTIME_AOT_CROSSTARGET_H

#include "runtime/engine/Target.h"

namespace attn {

/// The CPU of a target for which code is written but not run here:
///
///     "", host         this machine
///     NAME             a CPU or level of this machine's architecture
///     ARCH             the oldest CPU of an architecture: aarch64, x86_64, or
///                      a triple
///     ARCH:NAME        a CPU of it: aarch64:neoverse-n1
///
/// Without a system in the triple it is Linux with the GNU C library. An error
/// for what LLVM does not know.
llvm::Expected<CpuModel> findCpu(llvm::StringRef model);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_CROSSTARGET_H
