//===- CpuEngine.cpp - Compiled kernels on this machine's CPU -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/RegisterDialects.h"
#include "passes/algebra/CpuSpec.h"
#include "passes/pipelines/CpuPipeline.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/HostFunction.h"
#include "runtime/engine/ObjectCode.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include <cstdlib>
#include <omp.h>

using namespace mlir;

namespace attn {
namespace {

class CpuCallable : public Callable {
public:
  CpuCallable(HostFunction function, int threads)
      : Callable(function.getSignature()), function(std::move(function)),
        threads(threads) {}

  llvm::Error run(ArrayRef<DLTensor> arguments, ArrayRef<DLTensor> results,
                  const RunOptions &options) const override;
  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override;

private:
  HostFunction function;
  int threads;
};

/// The number of threads of OpenMP, a property of the calling thread, for a
/// while; 0 leaves it as it is.
class ThreadScope {
public:
  explicit ThreadScope(int threads)
      : before(threads > 0 ? omp_get_max_threads() : 0) {
    if (threads > 0)
      omp_set_num_threads(threads);
  }
  ThreadScope(const ThreadScope &) = delete;
  ~ThreadScope() {
    if (before > 0)
      omp_set_num_threads(before);
  }

private:
  int before;
};

/// Marks the end of the algebra in a pipeline: the first pass that lowers.
class AlgebraClock : public PassInstrumentation {
public:
  explicit AlgebraClock(CompileTimes &times) : times(times) {
    watch.emplace(&times.derive);
  }
  void runBeforePass(Pass *pass, Operation *) override {
    if (!isLowering && pass->getArgument() == "convert-attn-to-linalg") {
      isLowering = true;
      watch.emplace(&times.lower);
    }
  }

private:
  CompileTimes &times;
  std::optional<Stopwatch> watch;
  bool isLowering = false;
};

class CpuEngine : public Engine {
public:
  explicit CpuEngine(CpuEngineOptions options) : options(std::move(options)) {}

  llvm::Expected<std::unique_ptr<Callable>>
  compile(ModuleOp module, StringRef entry,
          const CompileHooks &hooks) const override;

private:
  llvm::Error lower(ModuleOp module, CompileTimes *times) const;

  CpuEngineOptions options;
};

} // namespace

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static mlir::attn::RecurrenceForm getForm(Form form) {
  using mlir::attn::RecurrenceForm;
  switch (form) {
  case Form::Auto:
    return RecurrenceForm::Auto;
  case Form::Quadratic:
    return RecurrenceForm::Quadratic;
  case Form::Chunkwise:
    return RecurrenceForm::Chunkwise;
  case Form::Recurrent:
    return RecurrenceForm::Recurrent;
  }
  llvm_unreachable("form without a name");
}

/// What is not LLVM's to know of this machine.
static void describeCache(ModuleOp module) {
  int64_t bytes = getFirstCacheBytes();
  if (bytes <= 0 || module->hasAttr(DLTIDialect::kTargetSystemDescAttrName))
    return; // unknown, or said by the user
  module.getContext()->loadDialect<DLTIDialect>();
  mlir::attn::CpuSpec::add(module, {{mlir::attn::CpuSpec::kFirstCache, bytes}});
}

llvm::Error CpuEngine::lower(ModuleOp module, CompileTimes *times) const {
  MLIRContext *context = module.getContext();
  PassManager pm(context);
  if (times)
    pm.addInstrumentation(std::make_unique<AlgebraClock>(*times));
  pm.addPass(createSymbolDCEPass());
  mlir::attn::CpuPipelineOptions pipelineOptions;
  pipelineOptions.keepOrder = options.keepOrder;
  pipelineOptions.form = getForm(options.form);
  pipelineOptions.chunk = options.chunk;
  pipelineOptions.threads =
      options.threads > 0 ? options.threads : omp_get_max_threads();
  pipelineOptions.allowQuadratic = options.allowQuadratic;
  mlir::attn::buildCpuPipeline(pm, pipelineOptions);

  bool threaded = context->isMultithreadingEnabled();
  llvm::scope_exit restore([&] { context->enableMultithreading(threaded); });
  if (!options.dumpDirectory.empty()) {
    std::error_code code =
        llvm::sys::fs::create_directories(options.dumpDirectory);
    if (!code && !llvm::sys::fs::is_directory(options.dumpDirectory))
      code = std::make_error_code(std::errc::not_a_directory);
    if (code)
      return createError("cannot create folder '" + options.dumpDirectory +
                         "': " + code.message());
    // Printing needs passes that do not run side by side.
    context->disableMultithreading();
    pm.enableIRPrintingToFileTree(
        /*shouldPrintBeforePass=*/nullptr,
        /*shouldPrintAfterPass=*/[](Pass *, Operation *) { return true; },
        /*printModuleScope=*/false, /*printAfterOnlyOnChange=*/true,
        /*printAfterOnlyOnFailure=*/false, options.dumpDirectory);
  }
  return collectErrors(context, "the CPU pipeline failed",
                       [&] { return pm.run(module); });
}

llvm::Expected<std::unique_ptr<Callable>>
CpuEngine::compile(ModuleOp module, StringRef entry,
                   const CompileHooks &hooks) const {
  auto cpu = options.cpu.empty() ? CpuModel::getHost()
                                 : CpuModel::getRunnable(options.cpu);
  if (!cpu)
    return cpu.takeError();
  auto compileModule = [&](ModuleOp code, StringRef packed)
      -> llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> {
    DialectRegistry registry;
    mlir::attn::registerDialects(registry);
    code.getContext()->appendDialectRegistry(registry);
    describeCache(code);
    setTarget(code, *cpu);
    if (llvm::Error error = lower(code, hooks.times))
      return std::move(error);
    Stopwatch watch(hooks.times ? &hooks.times->llvm : nullptr);
    return compileObject(
        code, *cpu, {options.optLevel, options.dumpDirectory, packed.str()});
  };
  MemoryRules rules;
  rules.strided = options.strided;
  auto function =
      HostFunction::create(module, entry, rules, compileModule, hooks);
  if (!function)
    return function.takeError();
  return std::make_unique<CpuCallable>(std::move(*function), options.threads);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Memory of the heap, which calls reuse: fresh pages would cost more than many
/// kernels.
static llvm::Expected<Array> allocate(ElementType type,
                                      ArrayRef<int64_t> shape) {
  constexpr int64_t alignment = 64;
  auto bytes = getNumBytes(type, shape);
  if (!bytes)
    return bytes.takeError();
  void *memory =
      *bytes > INT64_MAX - alignment
          ? nullptr
          : std::aligned_alloc(
                alignment,
                llvm::alignTo(std::max<int64_t>(*bytes, 1), alignment));
  if (!memory)
    return createError("out of memory: cannot allocate " + Twine(*bytes) +
                       " bytes for a result of shape " + getText(shape));
  return Array::wrap(type, shape, memory,
                     std::shared_ptr<void>(memory, std::free));
}

llvm::Expected<SmallVector<Array>>
CpuCallable::call(ArrayRef<Array> arguments) const {
  if (llvm::Error error = function.check(arguments))
    return std::move(error);
  ThreadScope scope(threads);
  return function.call(arguments, {{kDLCPU, 0}, allocate, std::free});
}

llvm::Error CpuCallable::run(ArrayRef<DLTensor> arguments,
                             ArrayRef<DLTensor> results,
                             const RunOptions &options) const {
  if (llvm::Error error =
          function.check(arguments, results, options.checkContents))
    return error;
  SmallVector<DLTensor, 16> places(arguments);
  for (auto [result, info] : llvm::zip_equal(results, signature.results)) {
    if (info.state < 0)
      continue;
    if (getData(result) != getData(arguments[info.state]))
      copyElements(arguments[info.state], result);
    places[info.state] = result;
  }
  ThreadScope scope(threads);
  return function.run(places, results);
}

std::unique_ptr<Engine> createCpuEngine(CpuEngineOptions options) {
  return std::make_unique<CpuEngine>(std::move(options));
}

} // namespace attn
