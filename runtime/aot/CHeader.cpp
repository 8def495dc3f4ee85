//===- CHeader.cpp - The header of a compiled function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/CInterface.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using llvm::StringRef;

namespace attn {

static StringRef getCType(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return "double";
  case ElementType::F32:
    return "float";
  case ElementType::F16:
  case ElementType::BF16:
    return "uint16_t";
  case ElementType::I64:
    return "int64_t";
  case ElementType::I32:
    return "int32_t";
  case ElementType::I1:
    return "uint8_t";
  }
  llvm_unreachable("element type without a C type");
}

static StringRef getEncoding(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return ", the bits of IEEE half";
  case ElementType::BF16:
    return ", the bits of bfloat16";
  case ElementType::I1:
    return ", 0 or 1";
  default:
    return "";
  }
}

static std::string getText(const CInterface &interface, const CSize &size) {
  return size.parameter < 0 ? std::to_string(size.size)
                            : interface.sizes[size.parameter];
}

/// "[8][n][64]", "one element"
static std::string getShapeText(const CInterface &interface,
                                const CValue &value) {
  if (value.shape.empty())
    return value.isValue ? "" : " one element";
  std::string text = " ";
  for (const CSize &size : value.shape)
    text += "[" + getText(interface, size) + "]";
  return text;
}

/// "64*n, 64, 1"
static std::string getStrideText(const CInterface &interface,
                                 const CValue &value) {
  std::vector<std::string> strides;
  int64_t factor = 1;
  std::string symbols;
  for (const CSize &size : llvm::reverse(value.shape)) {
    strides.push_back(symbols.empty()
                          ? std::to_string(factor)
                          : (factor == 1 ? "" : std::to_string(factor) + "*") +
                                symbols);
    if (size.parameter < 0)
      factor *= size.size;
    else
      symbols += (symbols.empty() ? "" : "*") + getText(interface, size);
  }
  std::reverse(strides.begin(), strides.end());
  return llvm::join(strides, ", ");
}

static std::string getRelationText(const CInterface &interface,
                                   const CRelation &relation) {
  std::string part = getText(interface, relation.part);
  std::string whole = getText(interface, relation.whole);
  if (relation.factor == 0)
    return whole + " is a multiple of " + part;
  return whole + " = " + std::to_string(relation.factor) + " * " + part;
}

static void writeValue(llvm::raw_ostream &stream, const CInterface &interface,
                       const CValue &value) {
  StringRef access = value.access == CValue::Access::Read ? "read"
                     : value.access == CValue::Access::Write
                         ? "written"
                         : "updated in place";
  stream << " *   " << value.name << ": " << getCType(value.type)
         << getShapeText(interface, value) << getEncoding(value.type) << ", "
         << (value.isValue ? "by value" : access);
  if (!value.shape.empty())
    stream << "; strides " << getStrideText(interface, value);
  if (!value.contents.empty())
    stream << "; " << value.contents;
  stream << '\n';
}

static void writeDeclaration(llvm::raw_ostream &stream,
                             const CInterface &interface) {
  std::vector<std::string> parameters;
  for (const std::string &size : interface.sizes)
    parameters.push_back("int64_t " + size);
  for (const CValue &value : interface.values) {
    std::string text;
    if (value.access == CValue::Access::Read && !value.isValue)
      text = "const ";
    text += getCType(value.type);
    parameters.push_back(text + (value.isValue ? " " : " *") + value.name);
  }
  std::string open = "int32_t " + interface.name + "(";
  if (parameters.empty())
    parameters.push_back("void");
  stream << open
         << llvm::join(parameters, ",\n" + std::string(open.size(), ' '))
         << ");\n";
}

std::string writeHeader(const CInterface &interface, StringRef source) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  std::string guard = "ATTN_" + StringRef(interface.name).upper() + "_H";
  stream << "/* " << interface.name << ", compiled from " << source
         << " by attn-compile. */\n#ifndef " << guard << "\n#define " << guard
         << "\n\n#include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n"
            "#endif\n\n/*\n";
  for (const std::string &size : interface.sizes)
    stream << " *   " << size << ": a size, 0 or more\n";
  for (const CValue &value : interface.values)
    writeValue(stream, interface, value);
  stream << " *\n"
            " * Arrays are dense and row-major: strides are as above, in "
            "elements, and need\n"
            " * the alignment of an element alone. The caller owns all of "
            "them; none may\n"
            " * overlap another that is written.\n"
            " *\n"
            " * Returns 0, or the position, from 1, of the first parameter "
            "that is a null\n"
            " * pointer to elements that are there, or a size that is "
            "negative";
  for (const CRelation &relation : interface.relations)
    stream << ",\n * or a size that breaks "
           << getRelationText(interface, relation);
  stream << ";\n * nothing is written then. What the elements are is not "
            "checked. Any number\n"
            " * of threads may call, each with arrays of its own to write.\n";
  if (interface.allocates)
    stream << " * Memory for what lies in between is malloc's. Without it "
              "-1 is returned, and\n"
              " * what is written or updated may hold anything.\n";
  stream << " */\n";
  writeDeclaration(stream, interface);
  stream << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}

} // namespace attn
