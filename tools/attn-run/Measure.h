//===- Measure.h - Time and memory of a run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_MEASURE_H
#define ATTN_TOOLS_ATTN_RUN_MEASURE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>

namespace attn::tool {

/// Runs `action` and measures by how many bytes the resident memory of the
/// process grew at its peak; none where the system does not tell.
llvm::Error measurePeakMemory(llvm::function_ref<llvm::Error()> action,
                              std::optional<int64_t> &bytes);

/// Runs `action` `runs` times and prints median, minimum, maximum and spread,
/// `(max - min) / median`. On a terminal a line shows the progress of what
/// takes longer than a second.
llvm::Error printTimes(unsigned runs, llvm::function_ref<llvm::Error()> action);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_MEASURE_H
