//===- Operations.cpp - Scalar operations of a program -*- C++ -*- ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Program.h"
#include <functional>
#include <limits>
#include <stdexcept>

using namespace Halide;
using Halide::Internal::Call;

namespace attn::halide {

Type getType(const std::string &kind) {
  static const std::map<std::string, Type> types = {
      {"i32", Int(32)},   {"i64", Int(64)},   {"b1", Bool()},
      {"u8", UInt(8)},    {"f16", Float(16)}, {"bf16", BFloat(16)},
      {"f32", Float(32)}, {"f64", Float(64)},
  };
  auto found = types.find(kind);
  if (found == types.end())
    throw std::runtime_error("unknown kind '" + kind + "'");
  return found->second;
}

/// An operation that is exactly the one of IEEE 754: Halide treats its own
/// operators as those of real numbers, without NaN and infinity.
static Expr strict(Call::IntrinsicOp op, Type type, const Expr &a,
                   const Expr &b) {
  return Call::make(type, op, {a, b}, Call::PureIntrinsic);
}
static Expr strictAdd(const Expr &a, const Expr &b) {
  return strict(Call::strict_add, a.type(), a, b);
}
static Expr strictSub(const Expr &a, const Expr &b) {
  return strict(Call::strict_sub, a.type(), a, b);
}
static Expr strictMul(const Expr &a, const Expr &b) {
  return strict(Call::strict_mul, a.type(), a, b);
}
static Expr strictDiv(const Expr &a, const Expr &b) {
  return strict(Call::strict_div, a.type(), a, b);
}
static Expr strictEq(const Expr &a, const Expr &b) {
  return strict(Call::strict_eq, Bool(), a, b);
}
static Expr strictLt(const Expr &a, const Expr &b) {
  return strict(Call::strict_lt, Bool(), a, b);
}
static Expr strictLe(const Expr &a, const Expr &b) {
  return strict(Call::strict_le, Bool(), a, b);
}
static Expr isNan(const Expr &x) { return !strictEq(x, x); }

static Expr constant(const Expr &like, double value) {
  return Internal::make_const(like.type(), value);
}

/// The larger one, or the NaN.
static Expr maximum(const Expr &a, const Expr &b) {
  return select(strictLt(b, a) || isNan(a), a, b);
}
static Expr minimum(const Expr &a, const Expr &b) {
  return select(strictLt(a, b) || isNan(a), a, b);
}
/// The larger one, or the one that is a number.
static Expr maximumNumber(const Expr &a, const Expr &b) {
  return select(strictLt(b, a) || isNan(b), a, b);
}
static Expr minimumNumber(const Expr &a, const Expr &b) {
  return select(strictLt(a, b) || isNan(b), a, b);
}

/// e^x of every x: Halide's own is one of finite numbers.
static Expr exponential(const Expr &x) {
  bool isWide = x.type().bits() == 64;
  // e^lo rounds to 0, e^hi to inf.
  double lo = isWide ? -750 : -110, hi = isWide ? 750 : 100;
  Expr inside =
      minimumNumber(maximumNumber(x, constant(x, lo)), constant(x, hi));
  return select(isNan(x), x, strictLe(x, constant(x, lo)), constant(x, 0),
                exp(inside));
}

/// log x of every x, likewise.
static Expr logarithm(const Expr &x) {
  double infinity = std::numeric_limits<double>::infinity();
  Expr isRegular =
      strictLt(constant(x, 0), x) && strictLt(x, constant(x, infinity));
  Expr safe = select(isRegular, x, constant(x, 1));
  return select(isRegular, log(safe), strictEq(x, constant(x, 0)),
                constant(x, -infinity), strictEq(x, constant(x, infinity)), x,
                constant(x, std::numeric_limits<double>::quiet_NaN()));
}

/// e^x - 1 = (e^x - 1) x / log(e^x) where rounding would leave nothing.
/// Kahan; Higham, "Accuracy and Stability of Numerical Algorithms", 1.14.1.
static Expr exponentialLess1(const Expr &x) {
  Expr u = exponential(x), less = strictSub(u, constant(x, 1));
  Expr isNear = strictLt(constant(x, -0.5), x) && strictLt(x, constant(x, 0.5));
  Expr near = select(strictEq(u, constant(x, 1)), x,
                     strictDiv(strictMul(less, x), logarithm(u)));
  return select(isNear, near, less);
}

/// log(1 + x), likewise.
static Expr logarithmOf1Plus(const Expr &x) {
  Expr u = strictAdd(constant(x, 1), x), less = strictSub(u, constant(x, 1));
  Expr isNear = strictLt(constant(x, -0.5), x) && strictLt(x, constant(x, 1));
  Expr near = select(strictEq(less, constant(x, 0)), x,
                     strictDiv(strictMul(logarithm(u), x), less));
  return select(isNear, near, logarithm(u));
}

/// The hyperbolic tangent by e^(-2|x|), which does not overflow.
static Expr hyperbolicTangent(const Expr &x) {
  Expr negative = strictLt(x, constant(x, 0));
  Expr size = select(negative, strictSub(constant(x, 0), x), x);
  // 1 - e = -(e^(-2|x|) - 1)
  Expr less = exponentialLess1(strictMul(constant(x, -2), size));
  Expr value = strictDiv(strictSub(constant(x, 0), less),
                         strictAdd(constant(x, 2), less));
  return select(negative, strictSub(constant(x, 0), value), value);
}

namespace {
using Operands = const std::vector<Expr> &;
struct Operation {
  size_t numOperands;
  std::function<Expr(Operands)> make;
};
} // namespace

static bool isFloat(Operands x) { return x[0].type().is_float(); }

static const std::map<std::string, Operation> &getOperations() {
  static const std::map<std::string, Operation> operations = {
      // Integers wrap; indices do not get there.
      {"add",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictAdd(x[0], x[1]) : x[0] + x[1];
        }}},
      {"sub",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictSub(x[0], x[1]) : x[0] - x[1];
        }}},
      {"mul",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictMul(x[0], x[1]) : x[0] * x[1];
        }}},
      // Of integers the quotient towards minus infinity, and what it leaves.
      {"div",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictDiv(x[0], x[1]) : x[0] / x[1];
        }}},
      {"mod", {2, [](Operands x) { return x[0] % x[1]; }}},
      // Of real numbers: a + b, a - b, a b + c.
      {"fastmul", {2, [](Operands x) { return x[0] * x[1]; }}},
      {"fastadd", {2, [](Operands x) { return x[0] + x[1]; }}},
      {"fastsub", {2, [](Operands x) { return x[0] - x[1]; }}},
      {"muladd", {3, [](Operands x) { return x[2] + x[0] * x[1]; }}},
      {"max",
       {2,
        [](Operands x) {
          return isFloat(x) ? maximum(x[0], x[1]) : max(x[0], x[1]);
        }}},
      {"min",
       {2,
        [](Operands x) {
          return isFloat(x) ? minimum(x[0], x[1]) : min(x[0], x[1]);
        }}},
      {"maxnum", {2, [](Operands x) { return maximumNumber(x[0], x[1]); }}},
      {"minnum", {2, [](Operands x) { return minimumNumber(x[0], x[1]); }}},
      {"lt",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictLt(x[0], x[1]) : x[0] < x[1];
        }}},
      {"le",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictLe(x[0], x[1]) : x[0] <= x[1];
        }}},
      {"eq",
       {2,
        [](Operands x) {
          return isFloat(x) ? strictEq(x[0], x[1]) : x[0] == x[1];
        }}},
      {"and", {2, [](Operands x) { return x[0] && x[1]; }}},
      {"or", {2, [](Operands x) { return x[0] || x[1]; }}},
      {"not", {1, [](Operands x) { return !x[0]; }}},
      {"isnan", {1, [](Operands x) { return isNan(x[0]); }}},
      {"select", {3, [](Operands x) { return select(x[0], x[1], x[2]); }}},
      {"abs", {1, [](Operands x) { return abs(x[0]); }}},
      {"exp", {1, [](Operands x) { return exponential(x[0]); }}},
      {"expm1", {1, [](Operands x) { return exponentialLess1(x[0]); }}},
      {"log", {1, [](Operands x) { return logarithm(x[0]); }}},
      {"log1p", {1, [](Operands x) { return logarithmOf1Plus(x[0]); }}},
      {"tanh", {1, [](Operands x) { return hyperbolicTangent(x[0]); }}},
      {"sqrt", {1, [](Operands x) { return sqrt(x[0]); }}},
      {"sin", {1, [](Operands x) { return sin(x[0]); }}},
      {"cos", {1, [](Operands x) { return cos(x[0]); }}},
      {"tan", {1, [](Operands x) { return tan(x[0]); }}},
      {"asin", {1, [](Operands x) { return asin(x[0]); }}},
      {"acos", {1, [](Operands x) { return acos(x[0]); }}},
      {"atan", {1, [](Operands x) { return atan(x[0]); }}},
      {"atan2", {2, [](Operands x) { return atan2(x[0], x[1]); }}},
      {"sinh", {1, [](Operands x) { return sinh(x[0]); }}},
      {"cosh", {1, [](Operands x) { return cosh(x[0]); }}},
      {"floor", {1, [](Operands x) { return floor(x[0]); }}},
      {"ceil", {1, [](Operands x) { return ceil(x[0]); }}},
      {"trunc", {1, [](Operands x) { return trunc(x[0]); }}},
      {"roundeven", {1, [](Operands x) { return round(x[0]); }}},
  };
  return operations;
}

Expr makeOperation(const std::string &name, Type type, Operands operands) {
  if (name == "cast" && operands.size() == 1)
    return cast(type, operands[0]);
  auto found = getOperations().find(name);
  if (found == getOperations().end() ||
      found->second.numOperands != operands.size())
    throw std::runtime_error("unknown operation '" + name + "' of " +
                             std::to_string(operands.size()) + " operands");
  Expr result = found->second.make(operands);
  if (result.type() != type)
    throw std::runtime_error("operation '" + name + "' has another type");
  return result;
}

} // namespace attn::halide
