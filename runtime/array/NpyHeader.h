//===- NpyHeader.h - The headers of NumPy's .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_NPYHEADER_H
#define ATTN_RUNTIME_ARRAY_NPYHEADER_H

#include "runtime/array/Array.h"
#include <string>

namespace attn {

/// What every file starts with, before the two bytes of its version.
inline constexpr llvm::StringRef kNpyMagic("\x93NUMPY", 6);

struct NpyHeader {
  ElementType type = ElementType::F32;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Reads a header's dictionary; an error for types and orders of elements that
/// are not supported.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef dictionary);

/// Everything before the elements: a multiple of 64 bytes. There is no bf16.
std::string formatNpyHeader(ElementType type, llvm::ArrayRef<int64_t> shape);

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_NPYHEADER_H
