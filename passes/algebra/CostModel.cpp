//===- CostModel.cpp - Costs as polynomials in sizes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/CostModel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

Polynomial::Polynomial(double constant) {
  if (constant != 0)
    terms[{}] = constant;
}

Polynomial Polynomial::symbol(unsigned id) {
  Polynomial result;
  result.terms[{id}] = 1;
  return result;
}

Polynomial &Polynomial::operator+=(const Polynomial &other) {
  for (const auto &[monomial, coefficient] : other.terms)
    terms[monomial] += coefficient;
  return *this;
}

Polynomial Polynomial::operator+(const Polynomial &other) const {
  Polynomial result = *this;
  return result += other;
}

Polynomial Polynomial::operator*(const Polynomial &other) const {
  Polynomial result;
  for (const auto &[a, x] : terms)
    for (const auto &[b, y] : other.terms) {
      Monomial monomial;
      std::merge(a.begin(), a.end(), b.begin(), b.end(),
                 std::back_inserter(monomial));
      result.terms[monomial] += x * y;
    }
  return result;
}

bool Polynomial::isConstant() const {
  return terms.empty() || (terms.size() == 1 && terms.begin()->first.empty());
}

double Polynomial::evaluate(function_ref<double(unsigned)> size) const {
  double sum = 0;
  for (const auto &[monomial, coefficient] : terms) {
    double product = coefficient;
    for (unsigned id : monomial)
      product *= size(id);
    sum += product;
  }
  return sum;
}

Value Polynomial::emit(OpBuilder &builder, Location loc,
                       function_ref<Value(unsigned)> size) const {
  Value sum;
  auto constant = [&](double value) -> Value {
    return arith::ConstantOp::create(builder, loc,
                                     builder.getF64FloatAttr(value));
  };
  for (const auto &[monomial, coefficient] : terms) {
    Value product = constant(coefficient);
    for (unsigned id : monomial)
      product = arith::MulFOp::create(builder, loc, product, size(id));
    sum = sum ? arith::AddFOp::create(builder, loc, sum, product) : product;
  }
  return sum ? sum : constant(0);
}

static std::string formatNumber(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value))
    return std::to_string(static_cast<int64_t>(value));
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

std::string Polynomial::str(function_ref<std::string(unsigned)> name) const {
  SmallVector<std::pair<Monomial, double>> sorted(terms.begin(), terms.end());
  llvm::stable_sort(sorted, [](const auto &a, const auto &b) {
    return a.first.size() > b.first.size();
  });
  std::string text;
  for (const auto &[monomial, coefficient] : sorted) {
    if (!text.empty())
      text += " + ";
    bool hidden = coefficient == 1 && !monomial.empty();
    if (!hidden)
      text += formatNumber(coefficient);
    for (auto [i, id] : llvm::enumerate(monomial))
      text += (i == 0 && hidden ? "" : "*") + name(id);
  }
  return text.empty() ? "0" : text;
}

Cost &Cost::operator+=(const Cost &other) {
  flops += other.flops;
  bytes += other.bytes;
  held += other.held;
  return *this;
}

Polynomial Cost::getTime(double flopsPerByte) const {
  return flops + bytes * Polynomial(flopsPerByte);
}

Polynomial attn::getRowTiles(const Polynomial &rows) {
  if (!rows.isConstant())
    return rows * Polynomial(1.0 / kRowTile) + Polynomial(1);
  double count = rows.evaluate([](unsigned) { return 0.0; });
  return Polynomial(std::max(1.0, std::ceil(count / kRowTile)));
}
