//===- Signature.cpp - What a callable takes and gives ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Signature.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/Passes.h"
#include "runtime/array/Error.h"

using namespace mlir;
using mlir::attn::ShapeClasses;

namespace attn {

Extent getExtent(func::FuncOp function, const ShapeClasses &classes,
                 Value value, int64_t dim) {
  ShapeClasses::Id id = classes.getClass(value, dim);
  int64_t size = classes.getStaticSize(id);
  if (ShapedType::isStatic(size))
    return {size, std::nullopt};
  for (BlockArgument argument : function.getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (classes.getClass(argument, i) == id)
          return {size, ShapeClasses::ArgumentDim{argument.getArgNumber(), i}};
  return {};
}

std::string ValueInfo::getTypeText() const {
  if (!isTensor)
    return getName(type).str();
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += (ShapedType::isDynamic(size) ? "?" : std::to_string(size)) + "x";
  return text + getName(type).str() + ">";
}

static llvm::Error fill(ValueInfo &info, func::FuncOp function, Type type,
                        StringAttr name, StringRef kind, unsigned number) {
  auto element = getElementType(getElementTypeOrSelf(type));
  if (!element)
    return createError(function.getLoc(), llvm::toString(element.takeError()));
  info.type = *element;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor && !type.isIntOrIndexOrFloat())
    return createError(function.getLoc(),
                       kind + Twine(number) + " has no rank or no sizes");
  info.isTensor = tensor != nullptr;
  if (tensor)
    info.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  info.name = name ? name.str() : (kind + Twine(number)).str();
  return llvm::Error::success();
}

llvm::Expected<Signature> Signature::create(func::FuncOp function,
                                            const ShapeClasses &classes) {
  Signature signature;
  signature.function = function.getSymName().str();
  signature.location = getText(function.getLoc());
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    ArgumentInfo &info = signature.arguments.emplace_back();
    if (llvm::Error error = fill(
            info, function, type,
            function.getArgAttrOfType<StringAttr>(i, kNameAttrName), "arg", i))
      return std::move(error);
    info.isState =
        function.getArgAttr(i, mlir::attn::kStateAttrName) != nullptr;
  }
  Operation *ret = function.getBody().front().getTerminator();
  for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
    ResultInfo &info = signature.results.emplace_back();
    if (llvm::Error error =
            fill(info, function, type,
                 function.getResultAttrOfType<StringAttr>(i, kNameAttrName),
                 "result", i))
      return std::move(error);
    for (auto [dim, size] : llvm::enumerate(info.shape))
      info.extents.push_back(
          ShapedType::isDynamic(size)
              ? getExtent(function, classes, ret->getOperand(i), dim)
              : Extent{size, std::nullopt});
  }
  return signature;
}

} // namespace attn
