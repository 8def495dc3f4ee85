//===- attn-bench-start.cpp - One start of a process, and calls ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "bench/Timing.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/ExposeStates.h"
#include "runtime/engine/Graph.h"
#include "runtime/engine/KernelCache.h"
#include "runtime/engine/PackedCall.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/JSON.h"
#include <cstring>
#include <time.h>

using namespace attn;
using namespace llvm;

static cl::opt<std::string> file(cl::Positional, cl::desc("FILE.mlir"),
                                 cl::Required);
static cl::opt<std::string> cacheFolder("cache", cl::desc("The kernel cache"));
static cl::opt<std::string> formName("recurrence-form",
                                     cl::desc("chunkwise or recurrent"));
static cl::opt<int64_t> numTokens("tokens", cl::init(256),
                                  cl::desc("The size of dynamic dimensions"));
static cl::opt<bool> exposesState("state", cl::desc("Expose states"));
static cl::opt<double> callSeconds(
    "calls", cl::init(0),
    cl::desc("Time calls for so many seconds, checked, unchecked and bare"));

namespace {
/// Keeps nothing but what was last compiled.
struct LastCode : CodeStore {
  std::optional<HostCode> find() override { return std::nullopt; }
  void save(const HostCode &code) override {
    object = MemoryBuffer::getMemBufferCopy(code.object->getBuffer());
    inPlace = code.inPlace;
  }
  std::unique_ptr<MemoryBuffer> object;
  SmallVector<int64_t> inPlace;
};

/// Arguments and results of a call.
struct Memory {
  std::vector<Array> arrays;
  SmallVector<DLTensor> arguments, results;
};
} // namespace

static double getSeconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

/// Zeros everywhere: they are decays, gates, tokens and states.
static Expected<Memory> allocate(const Signature &signature) {
  Memory memory;
  auto add = [&](const ValueInfo &info) -> Error {
    SmallVector<int64_t, 4> shape(info.shape);
    for (int64_t &size : shape)
      if (mlir::ShapedType::isDynamic(size))
        size = numTokens;
    auto array = Array::create(info.type, shape);
    if (!array)
      return array.takeError();
    std::memset(array->getData(), 0,
                array->getNumElements() * getElementSize(info.type));
    memory.arrays.push_back(std::move(*array));
    return Error::success();
  };
  for (const ArgumentInfo &info : signature.arguments)
    if (Error error = add(info))
      return std::move(error);
  for (const ResultInfo &info : signature.results)
    if (Error error = add(info))
      return std::move(error);
  size_t count = signature.arguments.size();
  for (auto [i, array] : enumerate(memory.arrays))
    (i < count ? memory.arguments : memory.results).push_back(viewOf(array));
  for (auto [result, info] : zip_equal(memory.results, signature.results))
    if (info.state >= 0)
      result = memory.arguments[info.state];
  return memory;
}

/// Seconds a call of a callable and of its code alone.
static Error timeCalls(const CompileOptions &options, const Callable &callable,
                       const Memory &memory, json::Object &answer) {
  LastCode last;
  auto buffer = MemoryBuffer::getFile(file);
  if (!buffer)
    return createError(buffer.getError().message());
  auto graph = Graph::parse((*buffer)->getBuffer(), file);
  if (!graph)
    return graph.takeError();
  if (exposesState) {
    auto function = findEntry(graph->getModule(), "");
    if (!function)
      return function.takeError();
    auto before = exposeStates(*function);
    if (!before)
      return before.takeError();
  }
  auto compiled = createCpuEngine(options)->compile(graph->getModule(), "",
                                                    {&last, nullptr});
  if (!compiled)
    return compiled.takeError();
  auto code = LoadedCode::load(std::move(last.object));
  if (!code)
    return code.takeError();
  PackedCall bare(callable.getSignature(), last.inPlace);
  for (const DLTensor &argument : memory.arguments)
    bare.addArgument(argument);
  for (const DLTensor &result : memory.results)
    bare.addResult(result);
  RunOptions unchecked;
  unchecked.checkContents = false;
  auto times = bench::timeInterleaved(
      {[&] { return callable.run(memory.arguments, memory.results); },
       [&] {
         return callable.run(memory.arguments, memory.results, unchecked);
       },
       [&] { return bare.run(*code); }},
      1000, callSeconds);
  if (!times)
    return times.takeError();
  answer["checked"] = (*times)[0].median;
  answer["unchecked"] = (*times)[1].median;
  answer["bare"] = (*times)[2].median;
  return Error::success();
}

static Error run() {
  CompileOptions options;
  CompileReport report;
  options.report = &report;
  options.exposeStates = exposesState;
  if (!cacheFolder.empty())
    options.cache =
        std::make_shared<KernelCache>(KernelCacheOptions{cacheFolder});
  if (formName == "chunkwise")
    options.form = Form::Chunkwise;
  else if (formName == "recurrent")
    options.form = Form::Recurrent;
  else if (!formName.empty())
    return createError("--recurrence-form: expected chunkwise or recurrent");
  double begin = getSeconds();
  auto callable = compileFile(file, "cpu", options);
  if (!callable)
    return callable.takeError();
  double compiled = getSeconds();
  auto memory = allocate((*callable)->getSignature());
  if (!memory)
    return memory.takeError();
  double allocated = getSeconds();
  if (Error error = (*callable)->run(memory->arguments, memory->results))
    return error;
  double end = getSeconds();
  json::Object answer{
      {"main", begin},
      {"end", end},
      {"compile", compiled - begin},
      {"allocate", allocated - compiled},
      {"call", end - allocated},
      {"parse", report.times.parse},
      {"derive", report.times.derive},
      {"lower", report.times.lower},
      {"llvm", report.times.llvm},
      {"load", report.times.load},
      {"origin", static_cast<int64_t>(report.origin)},
      {"warnings", json::Array(report.warnings)},
  };
  if (callSeconds > 0)
    if (Error error = timeCalls(options, **callable, *memory, answer))
      return error;
  outs() << json::Value(std::move(answer)) << '\n';
  return Error::success();
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Times the start of a process\n");
  if (Error error = run()) {
    errs() << "attn-bench-start: error: " << toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
