//===- AttnDialect.cpp - Registration and attributes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/Syntax.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::attn;

#include "dialect/AttnDialect.cpp.inc"
#include "dialect/AttnEnums.cpp.inc"

#include "dialect/AttnAttrInterfaces.cpp.inc"

/// A number without its type, as the parameter of a feature map.
static ParseResult parseEps(AsmParser &parser, FloatAttr &eps) {
  double value;
  if (parser.parseFloat(value))
    return failure();
  eps = parser.getBuilder().getF64FloatAttr(value);
  return success();
}

static void printEps(AsmPrinter &printer, FloatAttr eps) {
  printer.printFloat(eps.getValue());
}

#define GET_ATTRDEF_CLASSES
#include "dialect/AttnAttrs.cpp.inc"

// MLIR reads a colon and a type that follow any dialect's attribute as part of
// it. In `#attn.elu1 : tensor<..>` they belong to the operation, which takes
// the pair apart again (splitAttributeAndType).
Attribute AttnDialect::parseAttribute(DialectAsmParser &parser,
                                      Type type) const {
  StringRef mnemonic;
  Attribute attr;
  OptionalParseResult result =
      generatedAttributeParser(parser, &mnemonic, Type(), attr);
  if (!result.has_value()) {
    parser.emitError(parser.getNameLoc())
        << "unknown attribute `" << mnemonic << "` in dialect `attn`";
    return {};
  }
  if (failed(*result) || !type)
    return attr;
  return ArrayAttr::get(getContext(), {attr, TypeAttr::get(type)});
}

Type attn::splitAttributeAndType(Attribute &attr) {
  auto pair = dyn_cast_or_null<ArrayAttr>(attr);
  if (!pair || pair.size() != 2 || !isa<TypeAttr>(pair[1]))
    return {};
  attr = pair[0];
  return cast<TypeAttr>(pair[1]).getValue();
}

void AttnDialect::printAttribute(Attribute attr,
                                 DialectAsmPrinter &printer) const {
  // Every attribute of the dialect is generated.
  (void)generatedAttributePrinter(attr, printer);
}

void AttnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/AttnAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/AttnOps.cpp.inc"
      >();
}
