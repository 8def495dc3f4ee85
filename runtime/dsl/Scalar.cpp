//===- Scalar.cpp - One element of a tensor, for maps of one's own -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Scalar.h"

namespace attn::dsl {

static Scalar apply(const char *name, std::vector<Scalar> operands,
                    const char *predicate = "") {
  auto node = std::make_shared<ScalarNode>();
  node->name = name;
  node->operands = std::move(operands);
  node->predicate = predicate;
  return Scalar(std::move(node));
}

Scalar::Scalar(double value) {
  auto number = std::make_shared<ScalarNode>();
  number->value = value;
  node = std::move(number);
}

Scalar operator+(Scalar x, Scalar y) { return apply("arith.addf", {x, y}); }
Scalar operator-(Scalar x, Scalar y) { return apply("arith.subf", {x, y}); }
Scalar operator*(Scalar x, Scalar y) { return apply("arith.mulf", {x, y}); }
Scalar operator/(Scalar x, Scalar y) { return apply("arith.divf", {x, y}); }
Scalar operator-(Scalar x) { return apply("arith.negf", {x}); }

Condition operator<(Scalar x, Scalar y) {
  return Condition(apply("arith.cmpf", {x, y}, "olt"));
}
Condition operator>(Scalar x, Scalar y) {
  return Condition(apply("arith.cmpf", {x, y}, "ogt"));
}
Scalar select(Condition condition, Scalar x, Scalar y) {
  return apply("arith.select", {condition.getValue(), x, y});
}

Scalar abs(Scalar x) { return apply("math.absf", {x}); }
Scalar cos(Scalar x) { return apply("math.cos", {x}); }
Scalar erf(Scalar x) { return apply("math.erf", {x}); }
Scalar exp(Scalar x) { return apply("math.exp", {x}); }
Scalar exp2(Scalar x) { return apply("math.exp2", {x}); }
Scalar expm1(Scalar x) { return apply("math.expm1", {x}); }
Scalar log(Scalar x) { return apply("math.log", {x}); }
Scalar log1p(Scalar x) { return apply("math.log1p", {x}); }
Scalar max(Scalar x, Scalar y) { return apply("arith.maximumf", {x, y}); }
Scalar min(Scalar x, Scalar y) { return apply("arith.minimumf", {x, y}); }
Scalar pow(Scalar x, Scalar y) { return apply("math.powf", {x, y}); }
Scalar rsqrt(Scalar x) { return apply("math.rsqrt", {x}); }
Scalar sin(Scalar x) { return apply("math.sin", {x}); }
Scalar sqrt(Scalar x) { return apply("math.sqrt", {x}); }
Scalar tanh(Scalar x) { return apply("math.tanh", {x}); }

} // namespace attn::dsl
