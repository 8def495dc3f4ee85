//===- Syntax.cpp - What the syntax of several operations shares -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Syntax.h"
#include "dialect/Attn.h"

using namespace mlir;
using namespace mlir::attn;

ParseResult attn::parseFeatureMap(OpAsmParser &parser,
                                  ParsedFeatureMap &parsed) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseAttribute(parsed.map))
    return failure();
  parsed.following = splitAttributeAndType(parsed.map);
  if (!isa<FeatureMapAttrInterface>(parsed.map))
    return parser.emitError(loc, "expected a feature map, got ") << parsed.map;
  if (parsed.following || failed(parser.parseOptionalLParen()))
    return success();
  return failure(parser.parseOperandList(parsed.operands) ||
                 parser.parseColonTypeList(parsed.operandTypes) ||
                 parser.parseRParen());
}

void attn::printFeatureMap(OpAsmPrinter &printer, Attribute map,
                           ValueRange operands) {
  printer << map;
  if (!operands.empty())
    printer << '(' << operands << " : " << operands.getTypes() << ')';
}

ParseResult attn::parseAttributesAndType(OpAsmParser &parser,
                                         OperationState &result, Type following,
                                         Type &type) {
  if (following) {
    type = following;
    return success();
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(result.attributes))
    return failure();
  if (std::optional<RegisteredOperationName> info =
          result.name.getRegisteredInfo())
    if (failed(info->verifyInherentAttrs(result.attributes, [&] {
          return parser.emitError(loc)
                 << "'" << result.name.getStringRef() << "' op ";
        })))
      return failure();
  return parser.parseColonType(type);
}
