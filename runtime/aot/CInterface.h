//===- CInterface.h - A compiled function as C sees it -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_CINTERFACE_H
#define ATTN_RUNTIME_AOT_CINTERFACE_H

#include "passes/algebra/ShapeClasses.h"
#include "runtime/engine/Signature.h"

namespace attn {

/// A size in C: a number, or the parameter that has it.
struct CSize {
  int64_t size = 0;
  /// Its position in CInterface::sizes, or -1.
  int parameter = -1;

  bool operator==(const CSize &other) const {
    return size == other.size && parameter == other.parameter;
  }
};

/// What calls must satisfy beyond types: `whole` is `factor` times `part`, or
/// any multiple of it if the factor is 0.
struct CRelation {
  CSize whole, part;
  int64_t factor = 0;

  bool operator==(const CRelation &other) const {
    return whole == other.whole && part == other.part && factor == other.factor;
  }
};

/// A tensor or a scalar of a call.
struct CValue {
  enum class Access { Read, Write, Update };

  std::string name;
  ElementType type;
  Access access;
  /// A number that is passed by value; else a pointer to dense row-major
  /// elements.
  bool isValue = false;
  std::vector<CSize> shape;
  /// What the elements must be, for the reader: "0 or less".
  std::string contents;
  /// The operand of the lowered function, or -1 for what it returns.
  int operand = -1;
};

/// A function of C: `int32_t name(sizes..., arguments..., results...)`. Each
/// size that calls choose is one parameter, so that sizes which must agree do.
struct CInterface {
  std::string name;
  std::vector<std::string> sizes;
  std::vector<CValue> values;
  std::vector<CRelation> relations;
  /// The function takes memory from malloc.
  bool allocates = false;

  /// Of a graph, whose results are where `inPlace` says: in the argument of
  /// that number, outputs behind those of the graph, or returned (-1). An error
  /// where the sizes of a result are not those of arguments.
  static llvm::Expected<CInterface>
  create(mlir::func::FuncOp graph, const mlir::attn::ShapeClasses &classes,
         const Signature &signature, llvm::ArrayRef<int64_t> inPlace,
         llvm::StringRef name);
};

/// The text as a name in C: other characters become `_`, and a name that C or
/// this interface has already gets one more.
std::string getCName(llvm::StringRef text);

/// The header that declares the function: shapes, types, what is checked.
/// `source` is the name of the graph's file.
std::string writeHeader(const CInterface &interface, llvm::StringRef source);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_CINTERFACE_H
