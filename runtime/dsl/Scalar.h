//===- Scalar.h - One element of a tensor, for maps of one's own -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_SCALAR_H
#define ATTN_RUNTIME_DSL_SCALAR_H

#include <functional>
#include <memory>
#include <vector>

namespace attn::dsl {

struct ScalarNode;

/// A number that a map computes from an element of each of its tensors: a
/// handle like Expr. Feature maps and gates are C++ functions of scalars:
///
///   auto softsign = [](Scalar x) { return x / (1.0 + abs(x)); };
class Scalar {
public:
  Scalar(double value);
  explicit Scalar(std::shared_ptr<const ScalarNode> node)
      : node(std::move(node)) {}

  const ScalarNode *getNode() const { return node.get(); }

private:
  std::shared_ptr<const ScalarNode> node;
};

/// Whether something holds of two scalars.
class Condition {
public:
  explicit Condition(Scalar value) : value(std::move(value)) {}
  const Scalar &getValue() const { return value; }

private:
  Scalar value;
};

/// An operation of the dialects arith and math, or one of the arguments.
struct ScalarNode {
  /// "math.exp"; empty for an argument or a number.
  const char *name = "";
  std::vector<Scalar> operands;
  /// The number of an argument, or -1.
  int argument = -1;
  double value = 0;
  /// The name of a comparison's predicate.
  const char *predicate = "";
};

Scalar operator+(Scalar x, Scalar y);
Scalar operator-(Scalar x, Scalar y);
Scalar operator*(Scalar x, Scalar y);
Scalar operator/(Scalar x, Scalar y);
Scalar operator-(Scalar x);

Condition operator<(Scalar x, Scalar y);
Condition operator>(Scalar x, Scalar y);
/// x where the condition holds, else y.
Scalar select(Condition condition, Scalar x, Scalar y);

Scalar abs(Scalar x);
Scalar cos(Scalar x);
Scalar erf(Scalar x);
Scalar exp(Scalar x);
Scalar exp2(Scalar x);
Scalar expm1(Scalar x);
Scalar log(Scalar x);
Scalar log1p(Scalar x);
Scalar max(Scalar x, Scalar y);
Scalar min(Scalar x, Scalar y);
Scalar pow(Scalar x, Scalar y);
Scalar rsqrt(Scalar x);
Scalar sin(Scalar x);
Scalar sqrt(Scalar x);
Scalar tanh(Scalar x);

using ScalarMap = std::function<Scalar(Scalar)>;
using ScalarGate = std::function<Scalar(Scalar, Scalar)>;

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_SCALAR_H
