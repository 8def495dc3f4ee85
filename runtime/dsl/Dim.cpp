//===- Dim.cpp - Sizes of expressions, some of them symbols -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Dim.h"
#include "llvm/Support/MathExtras.h"

using namespace attn::dsl;

std::optional<Dim> Dim::times(const Dim &other) const {
  Dim result(0);
  if ((!isStatic() && !other.isStatic()) ||
      llvm::MulOverflow(factor, other.factor, result.factor))
    return std::nullopt;
  result.symbol = isStatic() ? other.symbol : symbol;
  return result;
}

std::optional<Dim> Dim::over(const Dim &other) const {
  if (other.factor == 0 || factor % other.factor != 0 ||
      (!other.isStatic() && other.symbol != symbol))
    return std::nullopt;
  Dim result(factor / other.factor);
  if (other.isStatic())
    result.symbol = symbol;
  return result;
}

std::string Dim::str() const {
  if (isStatic() || factor != 1)
    return std::to_string(factor) + symbol;
  return symbol;
}
