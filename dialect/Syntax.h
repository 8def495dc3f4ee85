//===- Syntax.h - What the syntax of several operations shares -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_SYNTAX_H
#define ATTN_DIALECT_SYNTAX_H

#include "dialect/InterfaceTypes.h"
#include "mlir/IR/OpImplementation.h"

namespace mlir::attn {

/// If `attr` was read together with a colon and a type, leaves the attribute
/// alone in `attr` and returns the type; otherwise null.
Type splitAttributeAndType(Attribute &attr);

/// A feature map as it stands in an operation.
struct ParsedFeatureMap {
  Attribute map;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> operandTypes;
  /// The type after the colon that follows, if the map was read with it.
  Type following;
};

/// `#map` or `#map(%w : type)`.
ParseResult parseFeatureMap(OpAsmParser &parser, ParsedFeatureMap &parsed);
void printFeatureMap(OpAsmPrinter &printer, Attribute map, ValueRange operands);

/// `attr-dict`, checked against the operation `result`, `:` and a type, or
/// `following`, which stands for all of it.
ParseResult parseAttributesAndType(OpAsmParser &parser, OperationState &result,
                                   Type following, Type &type);

} // namespace mlir::attn

#endif // ATTN_DIALECT_SYNTAX_H
