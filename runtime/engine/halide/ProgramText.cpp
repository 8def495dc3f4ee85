//===- ProgramText.cpp - Writes programs for the Halide plugin ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/ProgramText.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstdio>

using namespace llvm;

namespace attn::halide {

static StringRef getName(Kind kind) {
  constexpr StringLiteral names[] = {"i32", "i64",  "b1",  "u8",
                                     "f16", "bf16", "f32", "f64"};
  return names[static_cast<int>(kind)];
}

static std::string getNumber(Kind kind, double value) {
  if (!isFloat(kind))
    return std::to_string(static_cast<int64_t>(value));
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char number[64];
  std::snprintf(number, sizeof(number), "%a", value);
  return number;
}

/// " 3 4"
static std::string join(ArrayRef<Term> terms) {
  std::string words;
  for (Term term : terms)
    words += " " + std::to_string(term.id);
  return words;
}

static SmallVector<Term> reverse(ArrayRef<Term> terms) {
  return SmallVector<Term>(terms.rbegin(), terms.rend());
}

int ProgramText::addStatement(StringRef statement) {
  text += std::to_string(numIds) + " = " + statement.str() + "\n";
  return numIds++;
}

Term ProgramText::addValue(StringRef statement, Kind kind) {
  auto [entry, isNew] = made.try_emplace(statement, -1);
  if (isNew)
    entry->second = addStatement(statement);
  return {entry->second, kind};
}

Term ProgramText::makeSize() {
  int id = addStatement("size");
  sizeOps[id] = {"size", numSizes++, 0};
  return {id, Kind::I32};
}
Term ProgramText::makeVar() { return {addStatement("var"), Kind::I32}; }

int ProgramText::makeInput(Kind kind, Terms extents) {
  return addStatement("input " + getName(kind).str() + " " +
                      std::to_string(extents.size()) + join(reverse(extents)));
}

int ProgramText::makeTable(Kind kind, ArrayRef<int64_t> shape,
                           ArrayRef<double> elements) {
  std::string statement =
      "table " + getName(kind).str() + " " + std::to_string(shape.size());
  for (int64_t size : llvm::reverse(shape))
    statement += " " + std::to_string(size);
  for (double element : elements)
    statement += " " + getNumber(kind, element);
  return addStatement(statement);
}

int ProgramText::makeDomain(Terms extents) {
  return addStatement("domain " + std::to_string(extents.size()) +
                      join(extents));
}

Term ProgramText::makeLoop(int domain, int number) {
  return addValue("rvar " + std::to_string(domain) + " " +
                      std::to_string(number),
                  Kind::I32);
}

void ProgramText::where(int domain, Term condition) {
  text += "where " + std::to_string(domain) + join(condition) + "\n";
}

int ProgramText::makeFunc(Terms vars, Terms extents, Term value) {
  int func = addStatement("func " + getName(value.kind).str() + " " +
                          std::to_string(vars.size()) + join(reverse(vars)) +
                          join(reverse(extents)) + join(value));
  this->vars[func].assign(vars.begin(), vars.end());
  return func;
}

void ProgramText::update(int func, Terms indices, Term value) {
  text += "update " + std::to_string(func) + join(reverse(indices)) +
          join(value) + "\n";
}

Term ProgramText::load(int source, Kind kind, Terms indices) {
  return addValue("load " + std::to_string(source) + join(reverse(indices)),
                  kind);
}

void ProgramText::schedule(int func, StringRef hints) {
  text += "schedule " + std::to_string(func) + " " + hints.str() + "\n";
}

void ProgramText::output(int func) {
  text += "output " + std::to_string(func) + "\n";
}

Term ProgramText::constant(Kind kind, double value) {
  Term term = addValue(
      "const " + getName(kind).str() + " " + getNumber(kind, value), kind);
  if (kind == Kind::I32)
    integers[term.id] = static_cast<int64_t>(value);
  return term;
}

Term ProgramText::make(StringRef operation, Kind kind, Terms operands) {
  Term term = addValue(
      operation.str() + " " + getName(kind).str() + join(operands), kind);
  if (kind == Kind::I32 && operands.size() == 2)
    sizeOps[term.id] = {operation.str(), operands[0].id, operands[1].id};
  return term;
}

int64_t ProgramText::evaluate(Term size, ArrayRef<int64_t> sizes) const {
  if (auto integer = getInteger(size))
    return *integer;
  const SizeOp &op = sizeOps.at(size.id);
  if (op.operation == "size")
    return sizes[op.a];
  int64_t a = evaluate({op.a, Kind::I32}, sizes),
          b = evaluate({op.b, Kind::I32}, sizes);
  if (op.operation == "add")
    return a + b;
  if (op.operation == "sub")
    return a - b;
  if (op.operation == "mul")
    return a * b;
  assert(op.operation == "div" && "not a size");
  return b == 0 ? 0 : llvm::divideFloorSigned(a, b);
}

std::optional<int64_t> ProgramText::getInteger(Term term) const {
  auto found = integers.find(term.id);
  if (found == integers.end())
    return std::nullopt;
  return found->second;
}

Term ProgramText::add(Term a, Term b) {
  auto x = getInteger(a), y = getInteger(b);
  if (x && y)
    return integer(*x + *y);
  if (y && *y == 0)
    return a;
  if (x && *x == 0)
    return b;
  return make("add", a.kind, {a, b});
}

Term ProgramText::sub(Term a, Term b) {
  auto x = getInteger(a), y = getInteger(b);
  if (x && y)
    return integer(*x - *y);
  if (y && *y == 0)
    return a;
  return make("sub", a.kind, {a, b});
}

Term ProgramText::mul(Term a, Term b) {
  auto x = getInteger(a), y = getInteger(b);
  if (x && y)
    return integer(*x * *y);
  if (y && *y == 1)
    return a;
  if (x && *x == 1)
    return b;
  return make("mul", a.kind, {a, b});
}

Term ProgramText::div(Term a, Term b) {
  auto x = getInteger(a), y = getInteger(b);
  if (x && y && *y > 0)
    return integer(llvm::divideFloorSigned(*x, *y));
  if (y && *y == 1)
    return a;
  return make("div", a.kind, {a, b});
}

Term ProgramText::mod(Term a, Term b) {
  auto x = getInteger(a), y = getInteger(b);
  if (x && y && *y > 0)
    return integer(llvm::mod(*x, static_cast<uint64_t>(*y)));
  if (y && *y == 1)
    return integer(0);
  return make("mod", a.kind, {a, b});
}

Term ProgramText::select(Term condition, Term a, Term b) {
  if (a.id == b.id)
    return a;
  return make("select", a.kind, {condition, a, b});
}

Term ProgramText::cast(Term a, Kind kind) {
  if (a.kind == kind)
    return a;
  return make("cast", kind, a);
}

Term ProgramText::clamp(Term index, Term size) {
  Term last = sub(size, integer(1));
  return max(min(index, last), integer(0));
}

} // namespace attn::halide
