//===- InterfaceTypes.cpp - What feature maps and masks share -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

Value attn::emitDefaultFeatureMapTile(FeatureMapAttrInterface map,
                                      OpBuilder &builder, Location loc,
                                      const FeatureMapTile &tile) {
  Value input = tile.input;
  if (map.isExponential())
    input = map.emitLogTile(builder, loc, tile);
  auto type = cast<RankedTensorType>(input.getType());
  Value init = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                       type.getElementType());
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, type, input, init,
             ArrayRef<AffineMap>{identity, identity}, iterators,
             [&](OpBuilder &b, Location l, ValueRange args) {
               // phi = exp(psi), or phi of the element.
               Value out = map.isExponential()
                               ? math::ExpOp::create(b, l, args[0])
                               : map.emitElement(b, l, args[0]);
               linalg::YieldOp::create(b, l, out);
             })
      .getResult(0);
}

LogicalResult
attn::verifyNoFeatureMapOperands(function_ref<InFlightDiagnostic()> emitError,
                                 TypeRange operands) {
  if (!operands.empty())
    return emitError() << "[F4] the feature map takes no operands, got "
                       << operands.size();
  return success();
}

LogicalResult
attn::verifyProjectionOperand(function_ref<InFlightDiagnostic()> emitError,
                              int64_t inDim, TypeRange operands,
                              bool required) {
  if (operands.size() > 1 || (required && operands.empty()))
    return emitError() << "[F4] the feature map takes one projection, got "
                       << operands.size() << " operands";
  for (Type operand : operands) {
    auto type = cast<RankedTensorType>(operand);
    int64_t rank = type.getRank();
    if (rank < 2 || type.getDimSize(rank - 1) != inDim ||
        type.isDynamicDim(rank - 2) || type.getDimSize(rank - 2) == 0)
      return emitError() << "[F4] expected a projection of static size "
                            "[.., m, "
                         << inDim << "], got " << type;
  }
  return success();
}

LogicalResult
attn::verifyNoMaskOperands(function_ref<InFlightDiagnostic()> emitError,
                           TypeRange operands) {
  if (!operands.empty())
    return emitError() << "[M3] the mask takes no operands, got "
                       << operands.size();
  return success();
}
