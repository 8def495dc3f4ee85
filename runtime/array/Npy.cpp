//===- Npy.cpp - NumPy's .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The format:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include "runtime/array/Array.h"
#include "runtime/array/Elements.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

namespace fs = llvm::sys::fs;
using llvm::StringRef;

namespace attn {

static_assert(llvm::endianness::native == llvm::endianness::little,
              "elements are read and written as they lie in memory");

static constexpr StringRef kMagic("\x93NUMPY", 6);

namespace {
struct Header {
  std::string descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Reads the header's dictionary, a Python literal such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  llvm::Expected<Header> parse();

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool parseString(StringRef &text);
  bool parseShape(llvm::SmallVectorImpl<int64_t> &shape);
  bool parseEntry(StringRef key, Header &header);

  StringRef rest;
};
} // namespace

bool HeaderParser::parseString(StringRef &text) {
  StringRef quote = consume("'") ? "'" : consume("\"") ? "\"" : "";
  size_t end = rest.find(quote);
  if (quote.empty() || end == StringRef::npos)
    return false;
  text = rest.take_front(end);
  rest = rest.drop_front(end + 1);
  return true;
}

bool HeaderParser::parseShape(llvm::SmallVectorImpl<int64_t> &shape) {
  if (!consume("("))
    return false;
  while (!consume(")")) {
    rest = rest.ltrim();
    int64_t size;
    if (rest.consumeInteger(10, size) || size < 0)
      return false;
    rest.consume_front("L"); // written by Python 2
    shape.push_back(size);
    if (!consume(",") && !rest.ltrim().starts_with(")"))
      return false;
  }
  return true;
}

bool HeaderParser::parseEntry(StringRef key, Header &header) {
  if (key == "descr") {
    StringRef text;
    if (!parseString(text))
      return false;
    header.descr = text.str();
    return true;
  }
  if (key == "fortran_order") {
    header.fortranOrder = consume("True");
    return header.fortranOrder || consume("False");
  }
  return key == "shape" && parseShape(header.shape);
}

llvm::Expected<Header> HeaderParser::parse() {
  StringRef text = rest;
  auto fail = [&](const llvm::Twine &what) {
    std::string shown;
    llvm::raw_string_ostream stream(shown);
    llvm::printEscapedString(text.trim().take_front(200), stream);
    return createError("bad header: " + what + " in '" + shown + "'");
  };
  Header header;
  llvm::SmallVector<StringRef> seen;
  if (!consume("{"))
    return fail("expected a dictionary");
  while (!consume("}")) {
    StringRef key;
    if (!parseString(key) || !consume(":"))
      return fail("expected a key");
    if (llvm::is_contained(seen, key) || !parseEntry(key, header))
      return fail("cannot read the entry '" + key + "'");
    seen.push_back(key);
    if (!consume(",") && !rest.ltrim().starts_with("}"))
      return fail("expected ',' or '}'");
  }
  for (StringRef key : {"descr", "fortran_order", "shape"})
    if (!llvm::is_contained(seen, key))
      return fail("expected an entry '" + key + "'");
  return header;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static llvm::Expected<ElementType> parseDescr(StringRef descr) {
  StringRef type = descr;
  if (type.consume_front(">") && !type.ends_with("1"))
    return createError("big-endian elements '" + descr +
                       "'; expected little-endian ones");
  if (!type.consume_front("<") && !type.consume_front("|"))
    type.consume_front("=");
  if (type == "f8")
    return ElementType::F64;
  if (type == "f4")
    return ElementType::F32;
  if (type == "f2")
    return ElementType::F16;
  if (type == "i8")
    return ElementType::I64;
  if (type == "i4")
    return ElementType::I32;
  if (type == "b1" || type == "u1")
    return ElementType::I1;
  return createError("unsupported dtype '" + descr +
                     "'; expected f8, f4, f2, i8, i4, u1 or b1");
}

/// Fills the whole buffer; `what` names it in errors.
static llvm::Error readExactly(fs::file_t file, void *buffer, uint64_t size,
                               const llvm::Twine &what) {
  auto *at = static_cast<char *>(buffer);
  for (uint64_t left = size; left > 0;) {
    // The kernel moves 2 GiB at most.
    size_t step = std::min<uint64_t>(left, 1 << 30);
    llvm::Expected<size_t> got = fs::readNativeFile(file, {at, step});
    if (!got)
      return got.takeError();
    if (*got == 0)
      return createError("truncated file: expected " + llvm::Twine(size) +
                         " bytes of " + what + ", got " +
                         llvm::Twine(size - left));
    at += *got;
    left -= *got;
  }
  return llvm::Error::success();
}

/// Reads up to the first element; `left` is what the file holds, and then what
/// follows the header.
static llvm::Expected<Header> readHeader(fs::file_t file, uint64_t &left) {
  char start[8];
  if (left < sizeof(start))
    return createError("not an .npy file: expected a header, got " +
                       llvm::Twine(left) + " bytes");
  if (llvm::Error error = readExactly(file, start, sizeof(start), "header"))
    return std::move(error);
  if (!StringRef(start, sizeof(start)).starts_with(kMagic))
    return createError("not an .npy file: expected it to start with "
                       "'\\x93NUMPY'");
  unsigned version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3)
    return createError("unsupported .npy version " + llvm::Twine(version) +
                       "; expected 1, 2 or 3");
  // The header's length has 2 bytes in version 1 and 4 since.
  char length[4] = {};
  uint64_t lengthSize = version == 1 ? 2 : 4;
  if (llvm::Error error =
          readExactly(file, length, lengthSize, "header length"))
    return std::move(error);
  uint64_t size = llvm::support::endian::read32le(length);
  left -= std::min(left, sizeof(start) + lengthSize);
  if (size > left)
    return createError("truncated file: expected a header of " +
                       llvm::Twine(size) + " bytes, got " + llvm::Twine(left));
  if (size > 1 << 20)
    return createError("expected a header of at most 1 MiB, got " +
                       llvm::Twine(size) + " bytes");
  std::string text(size, '\0');
  if (llvm::Error error = readExactly(file, text.data(), size, "header"))
    return std::move(error);
  left -= size;
  return HeaderParser(text).parse();
}

static llvm::Expected<Array> readContents(fs::file_t file, uint64_t left) {
  llvm::Expected<Header> header = readHeader(file, left);
  if (!header)
    return header.takeError();
  llvm::Expected<ElementType> type = parseDescr(header->descr);
  if (!type)
    return type.takeError();
  // Both orders are the same up to rank 1.
  if (header->fortranOrder && header->shape.size() > 1)
    return createError("array in Fortran order; expected C order "
                       "(numpy.ascontiguousarray)");
  llvm::Expected<Array> array = Array::create(*type, header->shape);
  if (!array)
    return array;
  uint64_t bytes = array->getNumElements() * getElementSize(*type);
  if (bytes != left)
    return createError(
        (bytes > left ? "truncated file: expected " : "extra data: expected ") +
        llvm::Twine(bytes) + " bytes for shape " + getText(array->getShape()) +
        " of " + getName(*type) + ", got " + llvm::Twine(left));
  if (llvm::Error error =
          readExactly(file, array->getData(), bytes, "elements"))
    return std::move(error);
  // Kernels read an i1 as a byte of 0 or 1.
  if (*type == ElementType::I1)
    for (uint8_t &byte :
         llvm::MutableArrayRef(static_cast<uint8_t *>(array->getData()), bytes))
      byte = byte != 0;
  return array;
}

static llvm::Error addPath(StringRef path, llvm::Error error) {
  return createError("'" + path + "': " + llvm::toString(std::move(error)));
}

llvm::Expected<Array> readNpy(StringRef path) {
  auto fail = [&](std::error_code code) {
    return createError("'" + path + "': cannot read: " + code.message());
  };
  fs::file_status status;
  if (std::error_code code = fs::status(path, status))
    return fail(code);
  // A pipe has no size to check the header against.
  if (status.type() != fs::file_type::regular_file)
    return createError("'" + path + "': cannot read: not a regular file");
  llvm::Expected<fs::file_t> file = fs::openNativeFileForRead(path);
  if (!file)
    return fail(llvm::errorToErrorCode(file.takeError()));
  llvm::scope_exit close([&] { fs::closeFile(*file); });
  llvm::Expected<Array> array = readContents(*file, status.getSize());
  if (!array)
    return addPath(path, array.takeError());
  return array;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static StringRef getDescr(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return "<f8";
  case ElementType::F32:
  case ElementType::BF16:
    return "<f4";
  case ElementType::F16:
    return "<f2";
  case ElementType::I64:
    return "<i8";
  case ElementType::I32:
    return "<i4";
  case ElementType::I1:
    return "|b1";
  }
  llvm_unreachable("unknown element type");
}

/// Everything before the elements: a multiple of 64 bytes.
static std::string getHeader(const Array &array) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "{'descr': '" << getDescr(array.getType())
         << "', 'fortran_order': False, 'shape': (";
  // A tuple of one needs its comma.
  for (int64_t size : array.getShape())
    stream << size << ',';
  stream << "), }";
  // Version 1 begins with 10 bytes, and a line ends the header.
  text.resize(llvm::alignTo(text.size() + 11, 64) - 11, ' ');
  std::string result(kMagic);
  result += StringRef("\x01\x00", 2);
  char length[2];
  llvm::support::endian::write16le(length, text.size() + 1);
  result.append(length, sizeof(length));
  return result + text + '\n';
}

llvm::Error writeNpy(StringRef path, const Array &array) {
  auto fail = [&](const llvm::Twine &reason) {
    return createError("'" + path + "': cannot write: " + reason);
  };
  // A file is replaced whole: refuse what is not one, such as a device.
  fs::file_status status;
  if (!fs::status(path, status) && status.type() != fs::file_type::regular_file)
    return fail("not a regular file");
  llvm::Expected<Array> stored = array.getType() == ElementType::BF16
                                     ? convert(array, ElementType::F32)
                                     : array;
  if (!stored)
    return addPath(path, stored.takeError());
  llvm::Expected<fs::TempFile> file =
      fs::TempFile::create(path + ".%%%%%%.tmp");
  if (!file)
    return fail(llvm::toString(file.takeError()));
  llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  stream << getHeader(*stored);
  stream.write(static_cast<const char *>(stored->getData()),
               stored->getNumElements() * getElementSize(stored->getType()));
  stream.flush();
  if (std::error_code code = stream.error()) {
    stream.clear_error();
    llvm::consumeError(file->discard());
    return fail(code.message());
  }
  if (llvm::Error error = file->keep(path))
    return fail(llvm::toString(std::move(error)));
  return llvm::Error::success();
}

} // namespace attn
