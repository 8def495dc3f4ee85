//===- DenseTransition.cpp - T(S) = M S -*- C++ -*-===//
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

std::optional<StringRef> DenseTransitionAttr::getTileAxes() const {
  return "ed";
}

double DenseTransitionAttr::getStepFlops(int64_t keys, int64_t values) const {
  return 2.0 * keys * keys * values;
}

void DenseTransitionAttr::evaluateStep(ArrayRef<double> operand, int64_t keys,
                                       int64_t values,
                                       MutableArrayRef<double> state) const {
  SmallVector<double> before(state);
  for (int64_t e = 0; e < keys; ++e)
    for (int64_t v = 0; v < values; ++v) {
      double sum = 0;
      for (int64_t d = 0; d < keys; ++d)
        sum += operand[e * keys + d] * before[d * values + v];
      state[e * values + v] = sum;
    }
}

Value DenseTransitionAttr::emitStep(OpBuilder &builder, Location loc,
                                    Value operand, Value state) const {
  TileOps ops(builder, loc);
  auto type = cast<RankedTensorType>(state.getType());
  return ops.matmul(ops.fill(type.getShape(), type.getElementType(), 0),
                    operand, /*lhsTransposed=*/false, state,
                    /*rhsTransposed=*/false);
}
