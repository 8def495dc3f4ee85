//===- NpyFile.h - Parts of NumPy's .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Files larger than memory: read and written a slice along a dimension at a
// time. `readNpy` and `writeNpy` are the whole files.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_NPYFILE_H
#define ATTN_RUNTIME_ARRAY_NPYFILE_H

#include "runtime/array/NpyHeader.h"
#include <memory>
#include <string>

namespace llvm::sys::fs {
class TempFile;
} // namespace llvm::sys::fs

namespace attn {

/// An open file whose header, type and size are those that `readNpy` asks for.
/// Copies share the file; any number of threads may read. Errors name the path.
class NpyReader {
public:
  static llvm::Expected<NpyReader> open(llvm::StringRef path);

  llvm::StringRef getPath() const { return path; }
  ElementType getType() const { return header.type; }
  llvm::ArrayRef<int64_t> getShape() const { return header.shape; }

  llvm::Expected<Array> read() const;
  /// Positions [begin, begin + count) of dimension `dim`, all of the others.
  llvm::Expected<Array> readSlice(int64_t dim, int64_t begin,
                                  int64_t count) const;

private:
  NpyReader(llvm::StringRef path, std::shared_ptr<const int> file)
      : path(path.str()), file(std::move(file)) {}

  llvm::Error readHeader(uint64_t fileSize);
  llvm::Expected<Array> readPart(llvm::ArrayRef<int64_t> shape, int64_t dim,
                                 int64_t begin) const;

  std::string path;
  std::shared_ptr<const int> file;
  NpyHeader header;
  /// Where elements begin.
  uint64_t start = 0;
};

/// A file that is written piece by piece under another name and takes its own
/// when it is kept. If it never is, nothing of it is left, and what was there
/// before stays. Errors name the path.
class NpyWriter {
public:
  /// A file for elements of `type`; bf16 is written as f32.
  static llvm::Expected<NpyWriter>
  create(llvm::StringRef path, ElementType type, llvm::ArrayRef<int64_t> shape);

  llvm::StringRef getPath() const { return path; }

  /// Writes the whole array.
  llvm::Error write(const Array &array);
  /// Writes the slice that follows the last one along `dim`, which is the same
  /// for all slices of a file.
  llvm::Error append(const Array &slice, int64_t dim);
  /// Gives the file its name; an error if elements are missing.
  llvm::Error keep();

private:
  struct Discard {
    void operator()(llvm::sys::fs::TempFile *file) const;
  };

  NpyWriter(llvm::StringRef path, ElementType type,
            llvm::ArrayRef<int64_t> shape)
      : path(path.str()), type(type), shape(shape.begin(), shape.end()) {}

  llvm::Error fail(const llvm::Twine &reason) const;
  llvm::Error writePart(const Array &part, int64_t dim, int64_t begin);

  std::string path;
  ElementType type;
  llvm::SmallVector<int64_t, 4> shape;
  std::unique_ptr<llvm::sys::fs::TempFile, Discard> file;
  uint64_t start = 0;
  /// Elements so far, and the position along the dimension of slices.
  int64_t numWritten = 0, position = 0;
};

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_NPYFILE_H
