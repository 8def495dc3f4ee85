//===- Error.cpp - Errors with a source location -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Error.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn {

llvm::Error createError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

llvm::Error createError(Location location, const llvm::Twine &message) {
  return createError(llvm::Twine(getText(location)) + ": " + message);
}

/// The place in a file that a location stands for, if there is one.
static FileLineColRange findFile(Location location) {
  if (auto file = dyn_cast<FileLineColRange>(location))
    return file;
  if (auto name = dyn_cast<NameLoc>(location))
    return findFile(name.getChildLoc());
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return findFile(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (FileLineColRange file = findFile(part))
        return file;
  return nullptr;
}

std::string getText(Location location) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (FileLineColRange file = findFile(location)) {
    stream << file.getFilename().getValue() << ':' << file.getStartLine();
    if (file.getStartColumn())
      stream << ':' << file.getStartColumn();
  } else {
    location.print(stream);
  }
  return text;
}

std::string getText(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << '[';
  llvm::interleaveComma(shape, stream, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      stream << '?';
    else
      stream << size;
  });
  stream << ']';
  return text;
}

} // namespace attn
