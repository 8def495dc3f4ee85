//===- NpyFile.cpp - Parts of NumPy's .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/NpyFile.h"
#include "runtime/array/Error.h"
#include "runtime/array/Slice.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include <unistd.h>

namespace fs = llvm::sys::fs;
using llvm::StringRef;

namespace attn {

static_assert(llvm::endianness::native == llvm::endianness::little,
              "elements are read and written as they lie in memory");

/// The kernel moves 2 GiB at most.
static constexpr uint64_t kLargestStep = 1 << 30;

static llvm::Error addPath(StringRef path, llvm::Error error) {
  return createError("'" + path + "': " + llvm::toString(std::move(error)));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Fills the whole buffer; `what` names it in errors.
static llvm::Error readExactly(int file, void *buffer, uint64_t size,
                               uint64_t offset, const llvm::Twine &what) {
  auto *at = static_cast<char *>(buffer);
  for (uint64_t left = size; left > 0;) {
    llvm::Expected<size_t> got = fs::readNativeFileSlice(
        file, {at, std::min(left, kLargestStep)}, offset);
    if (!got)
      return got.takeError();
    if (*got == 0)
      return createError("truncated file: expected " + llvm::Twine(size) +
                         " bytes of " + what + ", got " +
                         llvm::Twine(size - left));
    at += *got;
    offset += *got;
    left -= *got;
  }
  return llvm::Error::success();
}

llvm::Error NpyReader::readHeader(uint64_t fileSize) {
  char first[8];
  if (fileSize < sizeof(first))
    return createError("not an .npy file: expected a header, got " +
                       llvm::Twine(fileSize) + " bytes");
  if (llvm::Error error = readExactly(*file, first, sizeof(first), 0, "header"))
    return error;
  if (!StringRef(first, sizeof(first)).starts_with(kNpyMagic))
    return createError("not an .npy file: expected it to start with "
                       "'\\x93NUMPY'");
  unsigned version = static_cast<unsigned char>(first[6]);
  if (version < 1 || version > 3)
    return createError("unsupported .npy version " + llvm::Twine(version) +
                       "; expected 1, 2 or 3");
  // The header's length has 2 bytes in version 1 and 4 since.
  char length[4] = {};
  uint64_t lengthSize = version == 1 ? 2 : 4;
  if (llvm::Error error = readExactly(*file, length, lengthSize, sizeof(first),
                                      "header length"))
    return error;
  uint64_t size = llvm::support::endian::read32le(length);
  start = sizeof(first) + lengthSize;
  uint64_t left = fileSize - std::min(fileSize, start);
  if (size > left)
    return createError("truncated file: expected a header of " +
                       llvm::Twine(size) + " bytes, got " + llvm::Twine(left));
  if (size > 1 << 20)
    return createError("expected a header of at most 1 MiB, got " +
                       llvm::Twine(size) + " bytes");
  std::string text(size, '\0');
  if (llvm::Error error =
          readExactly(*file, text.data(), size, start, "header"))
    return error;
  start += size;
  left -= size;
  auto parsed = parseNpyHeader(text);
  if (!parsed)
    return parsed.takeError();
  header = std::move(*parsed);
  auto bytes = getNumBytes(header.type, header.shape);
  if (!bytes)
    return bytes.takeError();
  uint64_t expected = *bytes;
  if (expected != left)
    return createError((expected > left ? "truncated file: expected "
                                        : "extra data: expected ") +
                       llvm::Twine(expected) + " bytes for shape " +
                       getText(header.shape) + " of " + getName(header.type) +
                       ", got " + llvm::Twine(left));
  return llvm::Error::success();
}

llvm::Expected<NpyReader> NpyReader::open(StringRef path) {
  auto fail = [&](std::error_code code) {
    return createError("'" + path + "': cannot read: " + code.message());
  };
  fs::file_status status;
  if (std::error_code code = fs::status(path, status))
    return fail(code);
  // A pipe has no size to check the header against.
  if (status.type() != fs::file_type::regular_file)
    return createError("'" + path + "': cannot read: not a regular file");
  llvm::Expected<fs::file_t> opened = fs::openNativeFileForRead(path);
  if (!opened)
    return fail(llvm::errorToErrorCode(opened.takeError()));
  NpyReader reader(path,
                   std::shared_ptr<const int>(new int(*opened), [](int *file) {
                     ::close(*file);
                     delete file;
                   }));
  if (llvm::Error error = reader.readHeader(status.getSize()))
    return addPath(path, std::move(error));
  return reader;
}

llvm::Expected<Array> NpyReader::readPart(llvm::ArrayRef<int64_t> shape,
                                          int64_t dim, int64_t begin) const {
  llvm::Expected<Array> array = Array::create(header.type, shape);
  if (!array)
    return addPath(path, array.takeError());
  int64_t bytes = array->getNumElements() * getElementSize(header.type);
  Runs runs{1, bytes};
  if (dim >= 0)
    runs = getRuns(header.type, header.shape, shape, dim, begin);
  auto *to = static_cast<char *>(array->getData());
  for (int64_t i = 0; i < runs.count && bytes > 0; ++i)
    if (llvm::Error error =
            readExactly(*file, to + i * runs.bytes, runs.bytes,
                        start + runs.offset + i * runs.stride, "elements"))
      return addPath(path, std::move(error));
  // Kernels read an i1 as a byte of 0 or 1.
  if (header.type == ElementType::I1)
    for (uint8_t &byte :
         llvm::MutableArrayRef(static_cast<uint8_t *>(array->getData()), bytes))
      byte = byte != 0;
  return array;
}

llvm::Expected<Array> NpyReader::read() const {
  return readPart(header.shape, -1, 0);
}

llvm::Expected<Array> NpyReader::readSlice(int64_t dim, int64_t begin,
                                           int64_t count) const {
  int64_t rank = header.shape.size();
  if (dim < 0 || dim >= rank)
    return createError("'" + path + "': no dimension " + llvm::Twine(dim) +
                       " of shape " + getText(header.shape));
  if (begin < 0 || count < 0 || begin > header.shape[dim] - count)
    return createError("'" + path + "': no " + llvm::Twine(count) +
                       " positions from " + llvm::Twine(begin) +
                       " on in dimension " + llvm::Twine(dim) + " of shape " +
                       getText(header.shape));
  llvm::SmallVector<int64_t, 4> shape(header.shape);
  shape[dim] = count;
  return readPart(shape, dim, begin);
}

llvm::Expected<Array> readNpy(StringRef path) {
  llvm::Expected<NpyReader> reader = NpyReader::open(path);
  if (!reader)
    return reader.takeError();
  return reader->read();
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// NumPy has no bf16.
static ElementType getStoredType(ElementType type) {
  return type == ElementType::BF16 ? ElementType::F32 : type;
}

static std::error_code writeExactly(int file, const void *buffer, uint64_t size,
                                    uint64_t offset) {
  const auto *at = static_cast<const char *>(buffer);
  while (size > 0) {
    ssize_t put = llvm::sys::RetryAfterSignal(
        -1, ::pwrite, file, at, std::min(size, kLargestStep), offset);
    if (put < 0)
      return llvm::errnoAsErrorCode();
    at += put;
    offset += put;
    size -= put;
  }
  return {};
}

void NpyWriter::Discard::operator()(fs::TempFile *file) const {
  // Nothing is discarded where it was kept.
  if (file->FD >= 0)
    llvm::consumeError(file->discard());
  delete file;
}

llvm::Error NpyWriter::fail(const llvm::Twine &reason) const {
  return createError("'" + path + "': cannot write: " + reason);
}

llvm::Expected<NpyWriter> NpyWriter::create(StringRef path, ElementType type,
                                            llvm::ArrayRef<int64_t> shape) {
  NpyWriter writer(path, type, shape);
  // A file is replaced whole: refuse what is not one, such as a device.
  fs::file_status status;
  if (!fs::status(path, status) && status.type() != fs::file_type::regular_file)
    return writer.fail("not a regular file");
  ElementType storedType = getStoredType(type);
  llvm::Expected<int64_t> bytes = getNumBytes(storedType, shape);
  if (!bytes)
    return addPath(path, bytes.takeError());
  llvm::Expected<fs::TempFile> file =
      fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!file)
    return writer.fail(llvm::toString(file.takeError()));
  writer.file.reset(new fs::TempFile(std::move(*file)));
  std::string header = formatNpyHeader(storedType, shape);
  writer.start = header.size();
  if (std::error_code code =
          writeExactly(writer.file->FD, header.data(), header.size(), 0))
    return writer.fail(code.message());
  return writer;
}

llvm::Error NpyWriter::writePart(const Array &part, int64_t dim,
                                 int64_t begin) {
  if (part.getType() != type)
    return fail("expected elements of " + getName(type) + ", got " +
                getName(part.getType()));
  llvm::Expected<Array> stored = convert(part, getStoredType(type));
  if (!stored)
    return addPath(path, stored.takeError());
  int64_t count = stored->getNumElements();
  Runs runs{1, count * getElementSize(stored->getType())};
  if (dim >= 0)
    runs = getRuns(stored->getType(), shape, part.getShape(), dim, begin);
  const auto *from = static_cast<const char *>(stored->getData());
  for (int64_t i = 0; i < runs.count && count > 0; ++i)
    if (std::error_code code =
            writeExactly(file->FD, from + i * runs.bytes, runs.bytes,
                         start + runs.offset + i * runs.stride))
      return fail(code.message());
  numWritten += count;
  return llvm::Error::success();
}

llvm::Error NpyWriter::write(const Array &array) {
  if (array.getShape() != llvm::ArrayRef<int64_t>(shape))
    return fail("expected an array of shape " + getText(shape) + ", got " +
                getText(array.getShape()));
  return writePart(array, -1, 0);
}

llvm::Error NpyWriter::append(const Array &slice, int64_t dim) {
  int64_t rank = shape.size();
  if (dim < 0 || dim >= rank)
    return fail("no dimension " + llvm::Twine(dim) + " of shape " +
                getText(shape));
  llvm::SmallVector<int64_t, 4> expected(shape);
  expected[dim] = slice.getRank() == rank ? slice.getShape()[dim] : 0;
  if (slice.getShape() != llvm::ArrayRef<int64_t>(expected) ||
      slice.getShape()[dim] > shape[dim] - position)
    return fail("no slice of shape " + getText(slice.getShape()) +
                " along dimension " + llvm::Twine(dim) + " fits shape " +
                getText(shape) + " from position " + llvm::Twine(position));
  if (llvm::Error error = writePart(slice, dim, position))
    return error;
  position += slice.getShape()[dim];
  return llvm::Error::success();
}

llvm::Error NpyWriter::keep() {
  int64_t expected = 1;
  for (int64_t size : shape)
    expected *= size;
  if (numWritten != expected)
    return fail("expected " + llvm::Twine(expected) + " elements for shape " +
                getText(shape) + ", got " + llvm::Twine(numWritten));
  if (llvm::Error error = file->keep(path))
    return fail(llvm::toString(std::move(error)));
  return llvm::Error::success();
}

llvm::Error writeNpy(StringRef path, const Array &array) {
  llvm::Expected<NpyWriter> writer =
      NpyWriter::create(path, array.getType(), array.getShape());
  if (!writer)
    return writer.takeError();
  if (llvm::Error error = writer->write(array))
    return error;
  return writer->keep();
}

} // namespace attn
