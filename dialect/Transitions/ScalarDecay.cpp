//===- ScalarDecay.cpp - T(S) = e^g S -*- C++ -*-===//
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

std::optional<StringRef> ScalarDecayAttr::getTileAxes() const { return ""; }

bool ScalarDecayAttr::isLogDecay() const { return true; }

double ScalarDecayAttr::getStepFlops(int64_t keys, int64_t values) const {
  return static_cast<double>(keys) * values;
}

void ScalarDecayAttr::evaluateStep(ArrayRef<double> operand, int64_t, int64_t,
                                   MutableArrayRef<double> state) const {
  for (double &element : state)
    element *= std::exp(operand[0]);
}

Value ScalarDecayAttr::emitStep(OpBuilder &builder, Location loc, Value operand,
                                Value state) const {
  TileOps ops(builder, loc);
  return ops.multiply(state, ops.exp(operand), "");
}

Value ScalarDecayAttr::emitLogBound(OpBuilder &, Location,
                                    Value operand) const {
  return operand;
}

bool ScalarDecayAttr::hasChunkForm(bool) const { return true; }

double ScalarDecayAttr::getChunkFlops(int64_t tokens, int64_t) const {
  // A sum, an exponential (about 20) and a product a pair of tokens.
  return 22.0 * tokens * tokens;
}

void ScalarDecayAttr::emitChunk(OpBuilder &builder, Location loc, Value operand,
                                ChunkTerms &terms) const {
  emitScalarChunk(builder, loc, operand, terms);
}
