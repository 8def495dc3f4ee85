//===- ElementwiseDecay.cpp - T(S) = e^G * S -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "dialect/TileOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

std::optional<StringRef> ElementwiseDecayAttr::getTileAxes() const {
  return "dv";
}

bool ElementwiseDecayAttr::isLogDecay() const { return true; }

double ElementwiseDecayAttr::getStepFlops(int64_t keys, int64_t values) const {
  // An exponential (about 20) and a product an element.
  return 21.0 * keys * values;
}

void ElementwiseDecayAttr::evaluateStep(ArrayRef<double> operand, int64_t,
                                        int64_t,
                                        MutableArrayRef<double> state) const {
  for (auto [element, log] : llvm::zip_equal(state, operand))
    element *= std::exp(log);
}

Value ElementwiseDecayAttr::emitStep(OpBuilder &builder, Location loc,
                                     Value operand, Value state) const {
  TileOps ops(builder, loc);
  return ops.multiply(state, ops.exp(operand), "ij");
}

Value ElementwiseDecayAttr::emitLogBound(OpBuilder &builder, Location loc,
                                         Value operand) const {
  // max_d G[d, v]
  TileOps ops(builder, loc);
  if (cast<RankedTensorType>(operand.getType()).getDimSize(0) == 1)
    return ops.flatten(operand);
  return ops.rowMax(ops.transpose(operand));
}
