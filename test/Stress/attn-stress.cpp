//===- attn-stress.cpp - Threads that compile and call ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Error.h"
#include "runtime/engine/KernelCache.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include <atomic>
#include <chrono>
#include <random>
#include <thread>

using namespace attn;
using namespace llvm;

static cl::opt<double> seconds("seconds", cl::init(60),
                               cl::desc("How long the threads run"));
static cl::opt<unsigned> numThreads("callers", cl::init(16),
                                    cl::desc("Threads that compile and call"));
static cl::opt<int> kernelThreads("kernel-threads", cl::init(1),
                                  cl::desc("Threads of each call"));
static cl::opt<std::string> folder("cache", cl::desc("A folder for the cache"));

namespace {
/// A graph with arguments and what it gives for them.
struct Case {
  std::string text;
  bool hasState;
  std::vector<Array> arguments, expected;
};
} // namespace

/// o = a v for scores a of t = s q and k; every `s` is another graph.
static std::string getGraph(int scale, StringRef scores) {
  return (R"mlir(
func.func @main(%q: tensor<2x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x8xf32>, %g: tensor<2x?xf32>) -> tensor<2x?x8xf32> {
  %t = attn.scale %q by 0.)mlir" +
          Twine(scale) + " : tensor<2x?x8xf32> -> tensor<2x?x8xf32>\n" +
          scores + R"mlir(
  %o = attn.apply %a, %v : tensor<2x?x?xf32>, tensor<2x?x8xf32> -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
})mlir")
      .str();
}

static constexpr StringRef kSoftmax = R"mlir(
  %p = attn.score %t, %k : tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x?xf32>
  %m = attn.mask %p, #attn.causal else -inf : tensor<2x?x?xf32>
  %a = attn.softmax %m : tensor<2x?x?xf32>)mlir";

/// With a state, whose decays each call checks.
static constexpr StringRef kDecay = R"mlir(
  %a = attn.causal_score %t, %k decay(%g : tensor<2x?xf32>) : tensor<2x?x8xf32>, tensor<2x?x8xf32> -> tensor<2x?x?xf32>)mlir";

static Expected<Array> copy(const Array &array) {
  return copyOf(viewOf(array), array.getType());
}

static Expected<Case> createCase(int index) {
  Case made;
  made.hasState = index % 2;
  made.text = getGraph(1 + index, made.hasState ? kDecay : kSoftmax);
  int64_t n = 5 + index;
  for (int i = 0; i < 3; ++i) {
    auto array = Array::create(ElementType::F32, {2, n, 8});
    if (!array)
      return array.takeError();
    fillNormal(*array, 10 * index + i);
    made.arguments.push_back(*array);
  }
  auto decay = Array::create(ElementType::F32, {2, n});
  if (!decay)
    return decay.takeError();
  for (int64_t i = 0; i < 2 * n; ++i)
    decay->set(i, -0.25);
  made.arguments.push_back(*decay);
  if (made.hasState) {
    auto state = Array::create(ElementType::F32, {2, 8, 8});
    if (!state)
      return state.takeError();
    fillNormal(*state, index);
    made.arguments.push_back(*state);
  }
  CompileOptions options;
  options.exposeStates = made.hasState;
  auto reference = compileText(made.text, "reference", options);
  if (!reference)
    return reference.takeError();
  auto expected = (*reference)->call(made.arguments);
  if (!expected)
    return expected.takeError();
  made.expected.assign(expected->begin(), expected->end());
  return made;
}

/// Compiles and calls once, and compares.
static Error runCase(const Case &test, std::shared_ptr<KernelCache> cache) {
  CompileOptions options;
  options.cache = std::move(cache);
  options.threads = kernelThreads;
  options.exposeStates = test.hasState;
  auto callable = compileText(test.text, "cpu", options);
  if (!callable)
    return callable.takeError();
  std::vector<Array> arguments = test.arguments;
  SmallVector<DLTensor> inputs, outputs;
  auto output = Array::create(ElementType::F32, test.expected[0].getShape());
  if (!output)
    return output.takeError();
  outputs.push_back(viewOf(*output));
  if (test.hasState) {
    auto state = copy(arguments.back());
    if (!state)
      return state.takeError();
    arguments.back() = *state;
    outputs.push_back(viewOf(arguments.back()));
  }
  for (const Array &argument : arguments)
    inputs.push_back(viewOf(argument));
  if (Error error = (*callable)->run(inputs, outputs))
    return error;
  SmallVector<Array> results = {*output};
  if (test.hasState)
    results.push_back(arguments.back());
  for (auto [result, expected] : zip_equal(results, test.expected)) {
    auto difference = getRelativeError(result, expected);
    if (!difference)
      return difference.takeError();
    if (!(*difference < 1e-4))
      return createError("expected a relative error below 1e-4, got " +
                         std::to_string(*difference));
  }
  return Error::success();
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Threads that compile and call\n");
  ExitOnError exitOnError("attn-stress: error: ");
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i)
    cases.push_back(exitOnError(createCase(i)));
  // Fewer in memory than there are: entries come and go.
  auto cache = std::make_shared<KernelCache>(
      KernelCacheOptions{folder, uint64_t(1) << 20, cases.size() / 2});
  std::atomic<uint64_t> calls{0};
  std::vector<std::string> errors(numThreads);
  std::vector<std::thread> threads;
  auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (unsigned i = 0; i < numThreads; ++i)
    threads.emplace_back([&, i] {
      std::mt19937 random(i);
      while (std::chrono::steady_clock::now() < end && errors[i].empty()) {
        const Case &test = cases[random() % cases.size()];
        if (Error error = runCase(test, cache))
          errors[i] = toString(std::move(error));
        ++calls;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &error : errors)
    if (!error.empty())
      exitOnError(createError(error));
  outs() << numThreads << " threads, " << calls.load()
         << " calls, all of them right\n";
}
