//===- Compile.cpp - From a graph, its text or its file to a callable ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Compile.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/ExposeStates.h"
#include "runtime/engine/Graph.h"
#include "runtime/engine/KernelCache.h"
#include "runtime/engine/Target.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

namespace attn {
namespace {
/// A callable and the graph that it reads.
struct OwnedCallable {
  Graph graph;
  std::unique_ptr<Callable> callable;
};
} // namespace

llvm::Expected<std::unique_ptr<Engine>>
createEngine(const Target &target, const EngineOptions &options) {
  switch (target.kind) {
  case Target::Kind::Cpu: {
    CpuEngineOptions cpu = options;
    cpu.cpu = target.model;
    return createCpuEngine(cpu);
  }
  case Target::Kind::Gpu:
    if (options.strided)
      return createError("the option 'strided' is not for nvvm");
    return createGpuEngine({target.model, options.keepOrder});
  case Target::Kind::Halide: {
    HalideEngineOptions halide;
    halide.target = target.model;
    halide.autoscheduler = options.autoscheduler;
    halide.threads = options.threads;
    halide.keepOrder = options.keepOrder;
    halide.allowQuadratic = options.allowQuadratic;
    halide.dumpDirectory = options.dumpDirectory;
    return createHalideEngine(halide);
  }
  case Target::Kind::Reference:
    return createReferenceEngine();
  }
  llvm_unreachable("target without an engine");
}

static llvm::Expected<std::shared_ptr<const Callable>>
compileNew(StringRef text, StringRef name, const Engine &engine,
           const CompileOptions &options, const CompileHooks &hooks) {
  Stopwatch watch(&hooks.times->parse);
  auto graph = Graph::parse(text, name);
  if (!graph)
    return graph.takeError();
  watch.stop();
  if (options.exposeStates) {
    Stopwatch derive(&hooks.times->derive);
    auto function = findEntry(graph->getModule(), options.entry);
    if (!function)
      return function.takeError();
    auto before = exposeStates(*function);
    if (!before)
      return before.takeError();
  }
  auto owned = std::make_shared<OwnedCallable>(
      OwnedCallable{std::move(*graph), nullptr});
  auto callable =
      engine.compile(owned->graph.getModule(), options.entry, hooks);
  if (!callable)
    return callable.takeError();
  owned->callable = std::move(*callable);
  return std::shared_ptr<const Callable>(owned, owned->callable.get());
}

llvm::Expected<std::shared_ptr<const Callable>>
compileText(StringRef text, StringRef target, const CompileOptions &options,
            StringRef name) {
  CompileReport unused;
  CompileReport &report = options.report ? *options.report : unused;
  report = CompileReport();
  auto parsed = Target::parse(target);
  if (!parsed)
    return parsed.takeError();
  auto engine = createEngine(*parsed, options);
  if (!engine)
    return engine.takeError();
  auto compileWith = [&](CodeStore *store) {
    CompileHooks hooks;
    hooks.store = store;
    hooks.times = &report.times;
    return compileNew(text, name, **engine, options, hooks);
  };
  // IR is dumped by who compiles.
  if (!options.cache || !options.dumpDirectory.empty())
    return compileWith(nullptr);
  auto key = getCodeKey(text, target, options);
  if (!key)
    return key.takeError();
  // Messages of a callable name the file.
  return options.cache->get(*key + name.str(),
                            parsed->kind == Target::Kind::Cpu ||
                                    parsed->kind == Target::Kind::Gpu
                                ? StringRef(*key)
                                : "",
                            report, compileWith);
}

llvm::Expected<std::shared_ptr<const Callable>>
compileFile(StringRef path, StringRef target, const CompileOptions &options) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createError("cannot read '" + path +
                       "': " + buffer.getError().message());
  return compileText((*buffer)->getBuffer(), target, options, path);
}

llvm::Expected<std::shared_ptr<const Callable>>
compile(ModuleOp graph, StringRef target, const CompileOptions &options) {
  return compileText(printGraph(graph), target, options, "<graph>");
}

} // namespace attn
