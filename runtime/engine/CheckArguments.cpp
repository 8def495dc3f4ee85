//===- CheckArguments.cpp - A call against its types -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CheckArguments.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace attn {

llvm::Expected<func::FuncOp> findEntry(ModuleOp module, StringRef name) {
  SmallVector<std::string> known;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    if (function.getSymName() == name)
      return function;
    known.push_back(function.getSymName().str());
  }
  std::string text =
      known.empty() ? "no function with a body" : llvm::join(known, ", ");
  return createError(module.getLoc(),
                     "no function '" + name + "' to run; there is " + text);
}

static std::string getText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Whether an array of this shape is a value of the type.
static bool matches(Type type, ArrayRef<int64_t> shape) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return shape.empty();
  return succeeded(verifyCompatibleShape(tensor.getShape(), shape));
}

llvm::Error checkArguments(func::FuncOp function, ArrayRef<Array> arguments) {
  // Nothing is written before something is wrong: this is run in every call.
  auto quoted = [&] { return ("'" + function.getSymName() + "'").str(); };
  if (arguments.size() != function.getNumArguments())
    return createError(function.getLoc(),
                       quoted() + " takes " +
                           llvm::Twine(function.getNumArguments()) +
                           " arguments, got " + llvm::Twine(arguments.size()));
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    const Array &argument = arguments[i];
    auto element = getElementType(getElementTypeOrSelf(type));
    if (!element)
      return createError(function.getLoc(),
                         quoted() + ", argument " + llvm::Twine(i) + ": " +
                             llvm::toString(element.takeError()));
    if (*element != argument.getType() || !matches(type, argument.getShape()))
      return createError(function.getLoc(),
                         quoted() + ", argument " + llvm::Twine(i) +
                             ": expected " + getText(type) + ", got " +
                             getName(argument.getType()) + " of shape " +
                             attn::getText(argument.getShape()));
  }
  return llvm::Error::success();
}

} // namespace attn
