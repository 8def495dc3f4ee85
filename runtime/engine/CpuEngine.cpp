//===- CpuEngine.cpp - Compiled kernels on this machine's CPU -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/Jit.h"
#include "runtime/engine/MemRefDescriptor.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include <omp.h>
#include <unistd.h>

using namespace mlir;

namespace attn {
namespace {

class CpuCallable : public Callable {
public:
  CpuCallable(OwningOpRef<ModuleOp> graph, func::FuncOp function,
              ContentChecks checks, std::unique_ptr<ExecutionEngine> engine,
              void (*kernel)(void **), ResultBuffer resultLayout, int threads)
      : graph(std::move(graph)), function(function), checks(std::move(checks)),
        engine(std::move(engine)), kernel(kernel),
        resultLayout(std::move(resultLayout)), threads(threads) {}

  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override;

private:
  /// What the checks read.
  OwningOpRef<ModuleOp> graph;
  func::FuncOp function;
  ContentChecks checks;
  std::unique_ptr<ExecutionEngine> engine;
  void (*kernel)(void **);
  ResultBuffer resultLayout;
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

/// The clone's entry as the one function that can be called from outside.
static llvm::Expected<func::FuncOp> isolate(ModuleOp module, StringRef entry) {
  auto function = findEntry(module, entry);
  if (!function)
    return function.takeError();
  for (auto other : module.getOps<func::FuncOp>())
    other.setVisibility(other == *function ? SymbolTable::Visibility::Public
                                           : SymbolTable::Visibility::Private);
  // Arguments belong to the caller, but states are updated in place.
  for (unsigned i = 0; i < function->getNumArguments(); ++i)
    if (isa<RankedTensorType>(function->getArgumentTypes()[i]))
      function->setArgAttr(
          i, bufferization::BufferizationDialect::kWritableAttrName,
          BoolAttr::get(module.getContext(),
                        function->getArgAttr(i, mlir::attn::kStateAttrName) !=
                            nullptr));
  (*function)->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                       UnitAttr::get(module.getContext()));
  return function;
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
  MLIRContext *context = module.getContext();
  context->loadDialect<DLTIDialect>();
  auto size = DataLayoutEntryAttr::get(
      StringAttr::get(context, mlir::attn::CpuSpec::kFirstCache),
      IntegerAttr::get(IntegerType::get(context, 64), bytes));
  DataLayoutEntryInterface device = DataLayoutEntryAttr::get(
      StringAttr::get(context, mlir::attn::CpuSpec::kDevice),
      TargetDeviceSpecAttr::get(context, {size}));
  module->setAttr(DLTIDialect::kTargetSystemDescAttrName,
                  TargetSystemSpecAttr::get(context, {device}));
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
  OwningOpRef<ModuleOp> graph(module.clone());
  auto function = isolate(*graph, entry);
  if (!function)
    return function.takeError();
  for (Type type : function->getArgumentTypes())
    if (auto element = getElementType(getElementTypeOrSelf(type)); !element)
      return createError(function->getLoc(),
                         llvm::toString(element.takeError()));
  auto checks = ContentChecks::create(*function);
  if (!checks)
    return checks.takeError();

  OwningOpRef<ModuleOp> code(graph->clone());
  if (llvm::Error error = lower(*code))
    return std::move(error);
  // States in place are no results of the code.
  SmallVector<int64_t> inPlace(function->getNumResults(), -1);
  if (auto places = code->lookupSymbol(entry)->getAttrOfType<DenseI64ArrayAttr>(
          mlir::attn::kInPlaceAttrName))
    inPlace.assign(places.asArrayRef().begin(), places.asArrayRef().end());
  auto layout = ResultBuffer::create(function->getResultTypes(), inPlace);
  if (!layout)
    return createError(function->getLoc(), llvm::toString(layout.takeError()));
  auto engine =
      compileForHost(*code, {options.optLevel, options.dumpDirectory});
  if (!engine)
    return engine.takeError();
  auto kernel = (*engine)->lookupPacked(("_mlir_ciface_" + entry).str());
  if (!kernel)
    return kernel.takeError();
  return std::make_unique<CpuCallable>(
      std::move(graph), *function, std::move(*checks), std::move(*engine),
      *kernel, std::move(*layout), options.threads);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

llvm::Expected<SmallVector<Array>>
CpuCallable::call(ArrayRef<Array> arguments) const {
  if (llvm::Error error = checkArguments(function, arguments))
    return std::move(error);
  if (llvm::Error error = checks.check(arguments))
    return std::move(error);

  // A packed argument is the address of what the C function takes: of a
  // pointer to a descriptor, or of a scalar.
  SmallVector<MemRefDescriptor> descriptors;
  SmallVector<void *> pointers;
  for (const Array &argument : arguments)
    descriptors.emplace_back(argument);
  for (MemRefDescriptor &descriptor : descriptors)
    pointers.push_back(descriptor.getWords());

  ResultBuffer results = resultLayout;
  void *resultData = results.getData();
  SmallVector<void *> packed;
  // A struct is returned through a hidden first argument, a scalar through the
  // last packed one.
  if (results.isStruct())
    packed.push_back(&resultData);
  FunctionType type = func::FuncOp(function).getFunctionType();
  for (auto [i, input] : llvm::enumerate(type.getInputs()))
    packed.push_back(isa<RankedTensorType>(input) ? &pointers[i]
                                                  : arguments[i].getData());
  if (results.isScalar())
    packed.push_back(resultData);

  // A property of the calling thread.
  int before = omp_get_max_threads();
  if (threads > 0)
    omp_set_num_threads(threads);
  kernel(packed.data());
  omp_set_num_threads(before);
  return results.take(arguments);
}

std::unique_ptr<Engine> createCpuEngine(CpuEngineOptions options) {
  return std::make_unique<CpuEngine>(std::move(options));
}

} // namespace attn
