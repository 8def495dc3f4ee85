// Decodes a sequence token by token, with the state in place.
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Compile.h"
#include "llvm/Support/raw_ostream.h"
#include <vector>

using namespace attn;

static llvm::Error decode(llvm::StringRef path) {
  constexpr int64_t h = 8, n = 50, d = 64; // heads, tokens, channels
  auto random = [](uint64_t seed) {
    Array array = llvm::cantFail(Array::create(ElementType::F32, {1, h, n, d}));
    fillNormal(array, seed);
    return array;
  };
  Array q = random(1), k = random(2), v = random(3), o = random(4);
  // Half of what the state holds decays; half of the new token is written.
  std::vector<float> g(h * n, -0.7f), beta(h * n, 0.5f);

  CompileOptions options;
  options.exposeStates = true; // the state is the last argument and result
  options.strided = true;      // a token is a slice of the sequence
  auto step = compileFile(path, "cpu", options);
  if (!step)
    return step.takeError();
  std::vector<float> state(h * d * d, 0.0f);
  TensorView s(state.data(), {1, h, d, d});
  for (int64_t t = 0; t < n; ++t) {
    auto token = [&](const Array &array) {
      return TensorView(static_cast<float *>(array.getData()) + t * d,
                        {1, h, 1, d}, {h * n * d, n * d, d, 1});
    };
    TensorView gt(&g[t * h], {1, h, 1}), bt(&beta[t * h], {1, h, 1});
    TensorView qt = token(q), kt = token(k), vt = token(v), ot = token(o);
    if (llvm::Error error = (*step)->run({qt, kt, vt, gt, bt, s}, {ot, s}))
      return error;
  }

  auto reference = compileFile(path, "reference");
  if (!reference)
    return reference.takeError();
  auto wrap = [&](std::vector<float> &gate) {
    return Array::wrap(ElementType::F32, {1, h, n}, gate.data(), nullptr);
  };
  auto exact = (*reference)->call({q, k, v, wrap(g), wrap(beta)});
  if (!exact)
    return exact.takeError();
  double error = llvm::cantFail(getRelativeError(o, (*exact)[0]));
  llvm::outs() << n << " tokens, " << (error < 1e-5 ? "right" : "WRONG")
               << '\n';
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::ExitOnError("decode_loop: ")(decode(argc > 1 ? argv[1] : ""));
}
