//===- BuildId.h - Which build of the compiler this is -*- C++ -*- ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_BUILDID_H
#define ATTN_RUNTIME_ENGINE_BUILDID_H

#include "llvm/ADT/StringRef.h"

namespace attn {

/// The version and, where the linker wrote one, the GNU build id of the binary
/// that holds the compiler: a compiler that was changed has another.
llvm::StringRef getBuildId();

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_BUILDID_H
