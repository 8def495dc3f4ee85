//===- Dim.h - Sizes of expressions, some of them symbols -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_DIM_H
#define ATTN_RUNTIME_DSL_DIM_H

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace attn::dsl {

/// A size: a number, or a symbol for one that a call decides. The same symbol
/// is the same size in a whole program.
class Dim {
public:
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
  Dim(T size) : factor(size) {}
  explicit Dim(std::string symbol) : factor(1), symbol(std::move(symbol)) {}

  bool isStatic() const { return symbol.empty(); }
  /// The size, or the number of times that the symbol is taken.
  int64_t getFactor() const { return factor; }
  const std::string &getSymbol() const { return symbol; }

  bool operator==(const Dim &other) const {
    return factor == other.factor && symbol == other.symbol;
  }
  bool operator!=(const Dim &other) const { return !(*this == other); }

  /// None where the product has two symbols or does not fit.
  std::optional<Dim> times(const Dim &other) const;
  /// None where the quotient is no whole multiple of a symbol or of 1.
  std::optional<Dim> over(const Dim &other) const;

  /// "64", "n", "2n"
  std::string str() const;

private:
  int64_t factor;
  std::string symbol;
};

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_DIM_H
