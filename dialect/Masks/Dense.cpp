//===- Dense.cpp - Any boolean tensor -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"

using namespace mlir;
using namespace mlir::attn;

LogicalResult DenseAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                                    RankedTensorType scores,
                                    TypeRange operands) const {
  if (operands.size() != 1)
    return error() << "[M5] expected one boolean tensor, got "
                   << operands.size() << " operands";
  auto type = cast<RankedTensorType>(operands.front());
  bool ok = type.getElementType().isSignlessInteger(1) &&
            type.getRank() <= scores.getRank();
  if (ok)
    for (auto [size, other] : llvm::zip_equal(
             type.getShape(), scores.getShape().take_back(type.getRank())))
      ok &= size == 1 || ShapedType::isDynamic(size) ||
            ShapedType::isDynamic(other) || size == other;
  if (!ok)
    return error() << "[M5] expected an i1 tensor that broadcasts to " << scores
                   << ", got " << type;
  return success();
}

bool DenseAttr::contains(const MaskPoint &point) const {
  SmallVector<int64_t> pair(point.batch);
  pair.append({point.row, point.col});
  ArrayRef<int64_t> shape = point.shapes[0];
  SmallVector<int64_t> index(pair.end() - shape.size(), pair.end());
  for (auto [i, size] : llvm::zip_equal(index, shape))
    if (size == 1)
      i = 0;
  return point.element(0, index) != 0;
}

SmallVector<MaskTerm> DenseAttr::prepare(OpBuilder &, Location,
                                         ValueRange operands, Value,
                                         Value) const {
  return {{operands.front(), MaskTerm::Kind::Scores}};
}

Value DenseAttr::emitPredicate(OpBuilder &, Location, Value, Value,
                               ValueRange terms) const {
  return terms.front();
}
