//===- CpuEngine.cpp - Compiled kernels on this machine's CPU -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/algebra/CpuSpec.h"
#include "passes/pipelines/CpuPipeline.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/HostFunction.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <cstdlib>
#include <omp.h>
#include <unistd.h>

using namespace mlir;

namespace attn {
namespace {

class CpuCallable : public Callable {
public:
  CpuCallable(HostFunction function, int threads)
      : function(std::move(function)), threads(threads) {}

  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override;

private:
  HostFunction function;
  int threads;
};

class CpuEngine : public Engine {
public:
  explicit CpuEngine(CpuEngineOptions options) : options(std::move(options)) {}

  llvm::Expected<std::unique_ptr<Callable>>
  compile(ModuleOp module, StringRef entry) const override;

private:
  llvm::Error lower(ModuleOp module) const;

  CpuEngineOptions options;
};

} // namespace

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// What the pipeline and the translation look up in the context.
static void registerDialects(MLIRContext *context) {
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerOpenMPDialectTranslation(registry);
  context->appendDialectRegistry(registry);
}

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
  long bytes = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  if (bytes <= 0 || module->hasAttr(DLTIDialect::kTargetSystemDescAttrName))
    return; // unknown, or said by the user
  module.getContext()->loadDialect<DLTIDialect>();
  mlir::attn::CpuSpec::add(module, {{mlir::attn::CpuSpec::kFirstCache, bytes}});
}

llvm::Error CpuEngine::lower(ModuleOp module) const {
  describeCache(module);
  if (llvm::Error error = setHostTarget(module))
    return error;
  MLIRContext *context = module.getContext();
  PassManager pm(context);
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
CpuEngine::compile(ModuleOp module, StringRef entry) const {
  registerDialects(module.getContext());
  auto function = HostFunction::create(
      module, entry, [&](ModuleOp code) { return lower(code); },
      {options.optLevel, options.dumpDirectory});
  if (!function)
    return function.takeError();
  return std::make_unique<CpuCallable>(std::move(*function), options.threads);
}

llvm::Expected<SmallVector<Array>>
CpuCallable::call(ArrayRef<Array> arguments) const {
  if (llvm::Error error = function.check(arguments))
    return std::move(error);
  // A property of the calling thread.
  int before = omp_get_max_threads();
  if (threads > 0)
    omp_set_num_threads(threads);
  SmallVector<Array> results = function.call(arguments, std::free);
  omp_set_num_threads(before);
  return results;
}

std::unique_ptr<Engine> createCpuEngine(CpuEngineOptions options) {
  return std::make_unique<CpuEngine>(std::move(options));
}

} // namespace attn
