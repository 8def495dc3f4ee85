//===- Memory.h - What the kernel says about memory -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXAMPLES_TEXT_MEMORY_H
#define ATTN_EXAMPLES_TEXT_MEMORY_H

namespace attn::text {

/// Bytes that this process can still have, of the machine or of its control
/// group, whichever is less; 0 if unknown.
double getAvailableMemory();
/// The most bytes that were resident at a time (VmHWM); 0 if unknown.
double getPeakMemory();
/// Starts VmHWM anew at what is resident now, where the kernel allows it.
void resetPeakMemory();

} // namespace attn::text

#endif // ATTN_EXAMPLES_TEXT_MEMORY_H
