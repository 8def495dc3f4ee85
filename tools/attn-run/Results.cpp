//===- Results.cpp - What becomes of the results of a run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Results.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Engine.h"
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

static llvm::Error createMismatch(size_t index, StringRef name,
                                  const Twine &message) {
  return createError("result " + Twine(index) + " against " + name + ": " +
                     message);
}

llvm::Error reportErrors(ArrayRef<std::optional<double>> errors,
                         double tolerance, ArrayRef<std::string> names) {
  llvm::Error failure = llvm::Error::success();
  for (auto [i, error] : llvm::enumerate(errors)) {
    if (!error)
      continue;
    llvm::outs() << "rel_err";
    if (i > 0)
      llvm::outs() << '[' << i << ']';
    llvm::outs() << llvm::format("=%.1e", *error)
                 << llvm::format(" tol=%.1e", tolerance) << " against "
                 << names[i] << '\n';
    // NaN passes nothing.
    if (!(*error <= tolerance))
      failure = llvm::joinErrors(
          std::move(failure),
          createMismatch(
              i, names[i],
              llvm::formatv("relative error {0:e1} is not within the tolerance "
                            "{1:e1}",
                            *error, tolerance)
                  .str()));
  }
  return failure;
}

llvm::Error compare(ArrayRef<Array> results,
                    ArrayRef<std::optional<Array>> expected, double tolerance,
                    ArrayRef<std::string> names) {
  llvm::Error failure = llvm::Error::success();
  SmallVector<std::optional<double>> errors(results.size());
  for (auto [i, result, other] : llvm::enumerate(results, expected)) {
    if (!other)
      continue;
    auto error = getRelativeError(result, *other);
    if (error)
      errors[i] = *error;
    else
      failure = llvm::joinErrors(
          std::move(failure),
          createMismatch(i, names[i], llvm::toString(error.takeError())));
  }
  return llvm::joinErrors(std::move(failure),
                          reportErrors(errors, tolerance, names));
}

llvm::Error compareWithReference(ModuleOp module, func::FuncOp function,
                                 ArrayRef<Array> arguments,
                                 ArrayRef<Array> results, double tolerance) {
  auto reference =
      createReferenceEngine()->compile(module, function.getSymName());
  if (!reference)
    return reference.takeError();
  auto exact = (*reference)->call(arguments);
  if (!exact)
    return exact.takeError();
  SmallVector<std::optional<Array>> arrays(exact->begin(), exact->end());
  SmallVector<std::string> names(exact->size(), "the f64 evaluation");
  return compare(results, arrays, tolerance, names);
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

llvm::Error keepFiles(MutableArrayRef<NpyWriter> files) {
  for (auto [i, file] : llvm::enumerate(files))
    if (llvm::Error error = file.keep()) {
      for (const NpyWriter &kept : files.take_front(i))
        llvm::sys::fs::remove(kept.getPath());
      return error;
    }
  return llvm::Error::success();
}

llvm::Error writeResults(ArrayRef<Array> results, ArrayRef<std::string> paths) {
  SmallVector<NpyWriter> files;
  for (auto [result, path] : llvm::zip_equal(results, paths)) {
    if (path.empty())
      continue;
    auto file = NpyWriter::create(path, result.getType(), result.getShape());
    if (!file)
      return file.takeError();
    if (llvm::Error error = file->write(result))
      return error;
    files.push_back(std::move(*file));
  }
  return keepFiles(files);
}

std::string getShapeText(const Array &array) {
  std::string text;
  for (int64_t size : array.getShape())
    text += std::to_string(size) + "x";
  return text + getName(array.getType()).str();
}

} // namespace attn::tool
