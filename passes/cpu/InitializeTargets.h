//===- InitializeTargets.h - The targets of LLVM -*- C++ -*- ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_CPU_INITIALIZETARGETS_H
#define ATTN_PASSES_CPU_INITIALIZETARGETS_H

namespace mlir::attn {

/// Registers LLVM's targets, once in a process. Threads that look a target up
/// call this first: LLVM's registry has no locks.
void initializeTargets();

} // namespace mlir::attn

#endif // ATTN_PASSES_CPU_INITIALIZETARGETS_H
