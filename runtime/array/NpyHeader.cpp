//===- NpyHeader.cpp - The headers of NumPy's .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The format:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include "runtime/array/NpyHeader.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using llvm::StringRef;

namespace attn {

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// The entries as they are written.
struct Dictionary {
  std::string descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t, 4> shape;
};

/// Reads a Python literal such as
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
class DictionaryParser {
public:
  explicit DictionaryParser(StringRef text) : rest(text) {}

  llvm::Expected<Dictionary> parse();

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  bool parseString(StringRef &text);
  bool parseShape(llvm::SmallVectorImpl<int64_t> &shape);
  bool parseEntry(StringRef key, Dictionary &entries);

  StringRef rest;
};
} // namespace

bool DictionaryParser::parseString(StringRef &text) {
  StringRef quote = consume("'") ? "'" : consume("\"") ? "\"" : "";
  size_t end = rest.find(quote);
  if (quote.empty() || end == StringRef::npos)
    return false;
  text = rest.take_front(end);
  rest = rest.drop_front(end + 1);
  return true;
}

bool DictionaryParser::parseShape(llvm::SmallVectorImpl<int64_t> &shape) {
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

bool DictionaryParser::parseEntry(StringRef key, Dictionary &entries) {
  if (key == "descr") {
    StringRef text;
    if (!parseString(text))
      return false;
    entries.descr = text.str();
    return true;
  }
  if (key == "fortran_order") {
    entries.fortranOrder = consume("True");
    return entries.fortranOrder || consume("False");
  }
  return key == "shape" && parseShape(entries.shape);
}

llvm::Expected<Dictionary> DictionaryParser::parse() {
  StringRef text = rest;
  auto fail = [&](const llvm::Twine &what) {
    std::string shown;
    llvm::raw_string_ostream stream(shown);
    llvm::printEscapedString(text.trim().take_front(200), stream);
    return createError("bad header: " + what + " in '" + shown + "'");
  };
  Dictionary entries;
  llvm::SmallVector<StringRef> seen;
  if (!consume("{"))
    return fail("expected a dictionary");
  while (!consume("}")) {
    StringRef key;
    if (!parseString(key) || !consume(":"))
      return fail("expected a key");
    if (llvm::is_contained(seen, key) || !parseEntry(key, entries))
      return fail("cannot read the entry '" + key + "'");
    seen.push_back(key);
    if (!consume(",") && !rest.ltrim().starts_with("}"))
      return fail("expected ',' or '}'");
  }
  for (StringRef key : {"descr", "fortran_order", "shape"})
    if (!llvm::is_contained(seen, key))
      return fail("expected an entry '" + key + "'");
  return entries;
}

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

llvm::Expected<NpyHeader> parseNpyHeader(StringRef dictionary) {
  llvm::Expected<Dictionary> entries = DictionaryParser(dictionary).parse();
  if (!entries)
    return entries.takeError();
  llvm::Expected<ElementType> type = parseDescr(entries->descr);
  if (!type)
    return type.takeError();
  // Both orders are the same up to rank 1.
  if (entries->fortranOrder && entries->shape.size() > 1)
    return createError("array in Fortran order; expected C order "
                       "(numpy.ascontiguousarray)");
  return NpyHeader{*type, std::move(entries->shape)};
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static StringRef getDescr(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return "<f8";
  case ElementType::F32:
    return "<f4";
  case ElementType::F16:
    return "<f2";
  case ElementType::I64:
    return "<i8";
  case ElementType::I32:
    return "<i4";
  case ElementType::I1:
    return "|b1";
  case ElementType::BF16:
    break;
  }
  llvm_unreachable("NumPy has no such type");
}

std::string formatNpyHeader(ElementType type, llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "{'descr': '" << getDescr(type)
         << "', 'fortran_order': False, 'shape': (";
  // A tuple of one needs its comma.
  for (int64_t size : shape)
    stream << size << ',';
  stream << "), }";
  // Version 1 begins with 10 bytes, and a line ends the header.
  text.resize(llvm::alignTo(text.size() + 11, 64) - 11, ' ');
  std::string result(kNpyMagic);
  result += StringRef("\x01\x00", 2);
  char length[2];
  llvm::support::endian::write16le(length, text.size() + 1);
  result.append(length, sizeof(length));
  return result + text + '\n';
}

} // namespace attn
