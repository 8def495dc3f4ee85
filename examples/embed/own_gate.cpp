//===- own_gate.cpp - A gate of one's own around a delta rule -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The gated delta rule, whose output is gated by a function of one's own,
// o (1 + tanh(z)) / 2: a C++ function of the elements of two tensors.
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Dsl.h"
#include <cstdio>

using namespace attn;
using namespace attn::dsl;

int main() {
  llvm::ExitOnError check("own_gate: ");
  Dim n("n");
  std::vector<Dim> tokens{8, n, 64}, heads{8, n};
  Expr q = input("q", tokens), k = input("k", tokens), v = input("v", tokens),
       z = input("z", tokens), f = input("f", heads), b = input("b", heads);

  // Keys of length 1, log decays of 0 or less, betas from 0 to 1.
  Expr key = l2Norm(k), g = logSigmoid(f), beta = sigmoid(b);
  Expr lower = gate(causalScore(key, key, {decay(g), strict()}), beta);
  Expr u = solve(lower, gate(v, beta));
  Expr o = causalScore(q, key, {decay(g)}) * u;
  Expr gated =
      gate(o, z, [](Scalar o, Scalar z) { return 0.5 * o * (1.0 + tanh(z)); });
  Program program = check(Program::create({q, k, v, z, f, b}, {gated}));

  std::vector<Array> arrays;
  for (int i = 0; i < 6; ++i) {
    llvm::SmallVector<int64_t> shape{8, 300, 64};
    shape.resize(i < 4 ? 3 : 2);
    arrays.push_back(check(Array::create(ElementType::F32, shape)));
    fillNormal(arrays.back(), /*seed=*/i);
  }
  auto attention = check(program.compile("cpu"));
  Array output = check(attention->call(arrays))[0];
  Array exact = check(program.evaluate(arrays))[0];
  double error = check(getRelativeError(output, exact));
  std::printf("relative error: %.1e\n", error);
  return error <= 1e-5 ? 0 : 1;
}
