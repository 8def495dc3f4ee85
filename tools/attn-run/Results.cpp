//===- Results.cpp - What becomes of the results of a run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Results.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/array/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn::tool {

double getDefaultTolerance(func::FuncOp function) {
  double tolerance = 1e-10;
  auto widen = [&](Type type) {
    Type element = getElementTypeOrSelf(type);
    if (element.isF32())
      tolerance = std::max(tolerance, 1e-5);
    else if (element.isF16() || element.isBF16())
      tolerance = std::max(tolerance, 1e-2);
  };
  llvm::for_each(function.getArgumentTypes(), widen);
  llvm::for_each(function.getResultTypes(), widen);
  return tolerance;
}

llvm::Error compare(ArrayRef<Array> results,
                    ArrayRef<std::optional<Array>> expected, double tolerance,
                    ArrayRef<std::string> names) {
  llvm::Error failure = llvm::Error::success();
  auto fail = [&](size_t i, const Twine &message) {
    failure = llvm::joinErrors(std::move(failure),
                               createError("result " + Twine(i) + " against " +
                                           names[i] + ": " + message));
  };
  for (auto [i, result, other] : llvm::enumerate(results, expected)) {
    if (!other)
      continue;
    auto error = getRelativeError(result, *other);
    if (!error) {
      fail(i, llvm::toString(error.takeError()));
      continue;
    }
    llvm::outs() << "rel_err";
    if (i > 0)
      llvm::outs() << '[' << i << ']';
    llvm::outs() << llvm::format("=%.1e", *error)
                 << llvm::format(" tol=%.1e", tolerance) << " against "
                 << names[i] << '\n';
    // NaN passes nothing.
    if (!(*error <= tolerance))
      fail(i, llvm::formatv("relative error {0:e1} is not within the tolerance "
                            "{1:e1}",
                            *error, tolerance)
                  .str());
  }
  return failure;
}

llvm::Error checkOutputPaths(ArrayRef<std::string> paths) {
  for (const std::string &path : paths) {
    StringRef folder = llvm::sys::path::parent_path(path);
    if (!path.empty() && !folder.empty() &&
        !llvm::sys::fs::is_directory(folder))
      return createError("'" + path + "': cannot write: no folder '" + folder +
                         "'");
    if (llvm::sys::fs::is_directory(path))
      return createError("'" + path + "': cannot write: it is a folder");
  }
  return llvm::Error::success();
}

llvm::Error writeResults(ArrayRef<Array> results, ArrayRef<std::string> paths) {
  for (auto [i, result, path] : llvm::enumerate(results, paths)) {
    if (path.empty())
      continue;
    if (llvm::Error error = writeNpy(path, result)) {
      for (const std::string &written : paths.take_front(i))
        if (!written.empty())
          llvm::sys::fs::remove(written);
      return error;
    }
  }
  return llvm::Error::success();
}

std::string getShapeText(const Array &array) {
  std::string text;
  for (int64_t size : array.getShape())
    text += std::to_string(size) + "x";
  return text + getName(array.getType()).str();
}

} // namespace attn::tool
