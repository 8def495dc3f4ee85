//===- own_feature_map.cpp - A feature map of one's own -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel that nobody has named: phi(x) = 1 + x / (1 + |x|), from 0 to 2. A
// C++ function of one element becomes the region of attn.feature_map, and the
// compiler finds the linear form all the same.
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Dsl.h"
#include <cstdio>

using namespace attn;
using namespace attn::dsl;

static Scalar softsign(Scalar x) { return x / (1.0 + dsl::abs(x)); }

int main() {
  llvm::ExitOnError check("own_feature_map: ");
  auto phi = [](Scalar x) { return 1.0 + softsign(x); };
  Dim n("n"), m("m");
  Expr q = input("q", {8, n, 64}), k = input("k", {8, m, 64}),
       v = input("v", {8, m, 64});
  Expr scores = featureMap(q, phi) * transpose(featureMap(k, phi));
  Program program = check(Program::create({q, k, v}, {normalize(scores) * v}));

  // What was written, and what is made of it for 100 queries and 4096 keys.
  std::printf("%s", program.getText().c_str());
  llvm::StringMap<int64_t> sizes;
  sizes["n"] = 100;
  sizes["m"] = 4096;
  std::printf("%s", program.getPlan(sizes).c_str());

  std::vector<Array> arrays;
  for (int64_t tokens : {100, 4096, 4096}) {
    arrays.push_back(check(Array::create(ElementType::F32, {8, tokens, 64})));
    fillNormal(arrays.back(), arrays.size());
  }
  auto attention = check(program.compile("cpu"));
  Array output = check(attention->call(arrays))[0];
  Array exact = check(program.evaluate(arrays))[0];
  double error = check(getRelativeError(output, exact));
  std::printf("relative error: %.1e\n", error);
  return error <= 1e-5 ? 0 : 1;
}
