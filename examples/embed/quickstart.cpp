//===- quickstart.cpp - Attention as an expression -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Causal linear attention, written as a paper states it, compiled for this
// machine and called on memory of the program.
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Dsl.h"
#include <cstdio>

using namespace attn;
using namespace attn::dsl;

int main() {
  llvm::ExitOnError check("quickstart: ");

  // 8 heads, as many tokens as a call has, 64 channels.
  Dim n("n");
  Expr q = input("q", {8, n, 64}), k = input("k", {8, n, 64}),
       v = input("v", {8, n, 64});
  Expr o = normalize(causal(elu1(q) * transpose(elu1(k)))) * v;
  Program program = check(Program::create({q, k, v}, {o}));
  auto attention = check(program.compile("cpu"));

  // The caller owns all memory: nothing is copied.
  int64_t shape[] = {8, 1000, 64};
  std::vector<float> numbers[4];
  std::vector<Array> arrays;
  for (int i = 0; i < 4; ++i) {
    numbers[i].resize(8 * 1000 * 64);
    arrays.push_back(
        Array::wrap(ElementType::F32, shape, numbers[i].data(), nullptr));
    fillNormal(arrays[i], /*seed=*/i);
  }
  TensorView queries(numbers[0].data(), shape), keys(numbers[1].data(), shape),
      values(numbers[2].data(), shape), output(numbers[3].data(), shape);
  check(attention->run({queries, keys, values}, {output}));

  // Is it right? The same expression, evaluated literally in f64.
  Array exact = check(program.evaluate({arrays[0], arrays[1], arrays[2]}))[0];
  double error = check(getRelativeError(arrays[3], exact));
  std::printf("relative error: %.1e\n", error);
  return error <= 1e-5 ? 0 : 1;
}
