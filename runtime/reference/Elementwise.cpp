//===- Elementwise.cpp - Constants, scale, arith and math -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/TypeUtilities.h"
#include "runtime/reference/Evaluators.h"
#include "runtime/reference/Scalars.h"
#include <atomic>
#include <cmath>

using namespace mlir;

namespace attn {

llvm::Expected<Array> evaluateConstant(arith::ConstantOp op) {
  auto type = dyn_cast<ShapedType>(op.getType());
  llvm::Expected<Array> result =
      createResult(op, type ? type.getShape() : ArrayRef<int64_t>());
  if (!result)
    return result;
  double *out = getDoubles(*result);
  if (auto value = dyn_cast<FloatAttr>(op.getValue())) {
    *out = value.getValueAsDouble();
  } else if (auto value = dyn_cast<IntegerAttr>(op.getValue())) {
    *out = fromInteger(value.getValue());
  } else if (auto values = dyn_cast<DenseFPElementsAttr>(op.getValue())) {
    for (APFloat value : values) {
      bool losesInfo;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
      *out++ = value.convertToDouble();
    }
  } else if (auto values = dyn_cast<DenseIntElementsAttr>(op.getValue())) {
    for (const APInt &value : values)
      *out++ = fromInteger(value);
  } else {
    return createError(op, "expected a dense constant");
  }
  return result;
}

llvm::Expected<Array> evaluateScale(mlir::attn::ScaleOp op,
                                    const Array &input) {
  llvm::Expected<Array> result = createResult(op, input.getShape());
  if (!result)
    return result;
  double factor = op.getFactor().convertToDouble();
  forBlocks(input.getNumElements(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      getDoubles(*result)[i] = factor * getDoubles(input)[i];
  });
  return result;
}

llvm::Expected<Array> evaluateElementwise(Operation *op,
                                          ArrayRef<Array> operands) {
  ScalarKernel kernel = findScalarKernel(op);
  if (!kernel)
    return createError(op,
                       "the reference evaluator does not know this operation");
  // Scalars are repeated: arith.select takes one condition for a tensor.
  ArrayRef<int64_t> shape;
  for (auto [operand, value] : llvm::zip_equal(operands, op->getOperands())) {
    if (!isa<ShapedType>(value.getType()))
      continue;
    if (!shape.empty() && shape != operand.getShape())
      return createError(op, "operands have the shapes " + getText(shape) +
                                 " and " + getText(operand.getShape()));
    shape = operand.getShape();
  }
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  bool isInteger = element.isIntOrIndex();
  std::atomic<bool> hasNoValue = false;
  forBlocks(result->getNumElements(), 4096, [&](int64_t begin, int64_t end) {
    SmallVector<double, 4> x(operands.size());
    for (int64_t i = begin; i < end; ++i) {
      for (auto [j, operand] : llvm::enumerate(operands))
        x[j] = getDoubles(operand)[operand.getRank() == 0 ? 0 : i];
      double value = kernel(x.data());
      if (isInteger && std::isnan(value))
        hasNoValue = true;
      getDoubles(*result)[i] = value;
    }
  });
  if (hasNoValue)
    return createError(op, "division by zero or a value that is out of range");
  return result;
}

} // namespace attn
