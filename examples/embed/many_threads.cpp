// Compiles once and calls from many threads.
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/KernelCache.h"
#include "llvm/Support/raw_ostream.h"
#include <future>

using namespace attn;

static Array random(llvm::ArrayRef<int64_t> shape, uint64_t seed) {
  Array array = llvm::cantFail(Array::create(ElementType::F32, shape));
  fillNormal(array, seed);
  return array;
}

/// The relative error of a call against the literal evaluation.
static llvm::Expected<double> check(llvm::StringRef path, uint64_t seed,
                                    std::shared_ptr<KernelCache> cache) {
  CompileOptions options;
  options.threads = 1; // each caller is a thread
  options.cache = std::move(cache);
  // One thread compiles: the others wait for it and get the same callable.
  auto callable = compileFile(path, "cpu", options);
  if (!callable)
    return callable.takeError();
  auto reference = compileFile(path, "reference", options);
  if (!reference)
    return reference.takeError();
  // Heads, tokens and channels of the graph; the tokens are ours to choose.
  int64_t n = 20 + 10 * seed;
  Array q = random({1, 8, n, 64}, seed), k = random({1, 8, n, 64}, seed + 100),
        v = random({1, 8, n, 64}, seed + 200), o = random({1, 8, n, 64}, 0);
  if (llvm::Error error =
          (*callable)->run({viewOf(q), viewOf(k), viewOf(v)}, {viewOf(o)}))
    return std::move(error);
  auto exact = (*reference)->call({q, k, v});
  if (!exact)
    return exact.takeError();
  return getRelativeError(o, (*exact)[0]);
}

int main(int argc, char **argv) {
  llvm::ExitOnError exitOnError("many_threads: ");
  auto cache = std::make_shared<KernelCache>();
  std::vector<std::future<llvm::Expected<double>>> errors;
  for (int i = 0; i < 8; ++i)
    errors.push_back(std::async(std::launch::async, [=] {
      return check(argc > 1 ? argv[1] : "", i, cache);
    }));
  for (auto &error : errors)
    llvm::outs() << (exitOnError(error.get()) < 1e-5 ? "right\n" : "WRONG\n");
}
