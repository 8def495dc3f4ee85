//===- NoDecay.cpp - T(S) = S -*- C++ -*-===//
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

double NoDecayAttr::getStepFlops(int64_t, int64_t) const { return 0; }

void NoDecayAttr::evaluateStep(ArrayRef<double>, int64_t, int64_t,
                               MutableArrayRef<double>) const {}

Value NoDecayAttr::emitStep(OpBuilder &, Location, Value, Value state) const {
  return state;
}

bool NoDecayAttr::hasChunkForm(bool) const { return true; }

double NoDecayAttr::getChunkFlops(int64_t tokens, int64_t) const {
  return static_cast<double>(tokens) * tokens;
}

void NoDecayAttr::emitChunk(OpBuilder &builder, Location loc, Value,
                            ChunkTerms &terms) const {
  emitScalarChunk(builder, loc, nullptr, terms);
}
