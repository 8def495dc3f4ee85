//===- Error.h - Errors with a source location -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_ERROR_H
#define ATTN_RUNTIME_ARRAY_ERROR_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace attn {

llvm::Error createError(const llvm::Twine &message);
/// "file:line:col: message"
llvm::Error createError(mlir::Location location, const llvm::Twine &message);

/// "file:line:col", without a column that is not known, or what the location
/// prints as.
std::string getText(mlir::Location location);
/// "[2, ?, 64]"
std::string getText(llvm::ArrayRef<int64_t> shape);

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_ERROR_H
