//===- Contents.h - Checks of what operands hold -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_REFERENCE_CONTENTS_H
#define ATTN_RUNTIME_REFERENCE_CONTENTS_H

#include "runtime/array/Array.h"
#include <optional>
#include <string>

namespace attn {

/// The first element that is NaN or outside of [lo, hi], as
/// "decay [0, 3] is 0.5, expected 0 or less"; none if there is none.
std::optional<std::string> findOutside(llvm::StringRef name, const Array &array,
                                       double lo, double hi);

/// What is wrong with the segments of `tokens` tokens: they start at 0, do not
/// decrease and end at the number of tokens.
std::optional<std::string> verifySegments(mlir::MLIRContext *context,
                                          const Array &cuSeqlens,
                                          int64_t tokens);

} // namespace attn

#endif // ATTN_RUNTIME_REFERENCE_CONTENTS_H
