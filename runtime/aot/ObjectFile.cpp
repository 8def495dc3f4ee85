//===- ObjectFile.cpp - A graph as an object that needs no LLVM -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/ObjectFile.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/RegisterDialects.h"
#include "passes/pipelines/CpuPipeline.h"
#include "runtime/aot/EntryPoint.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/IsolatedGraph.h"
#include "runtime/engine/ObjectCode.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/ObjectFile.h"

using namespace mlir;

namespace attn {

static llvm::Error lower(ModuleOp module, const ObjectFileOptions &options) {
  MLIRContext *context = module.getContext();
  PassManager pm(context);
  pm.addPass(createSymbolDCEPass());
  mlir::attn::CpuPipelineOptions pipeline;
  pipeline.keepOrder = options.keepOrder;
  pipeline.form = options.form;
  pipeline.chunk = options.chunk;
  pipeline.threads = options.threads;
  pipeline.parallel = options.threads != 1;
  mlir::attn::buildCpuPipeline(pm, pipeline);
  return collectErrors(context, "the CPU pipeline failed",
                       [&] { return pm.run(module); });
}

//===----------------------------------------------------------------------===//
// What the object needs
//===----------------------------------------------------------------------===//

/// Functions of every C library that compiled code calls.
static bool isLibc(StringRef name) {
  static const llvm::StringSet<> names = {"malloc", "free",    "aligned_alloc",
                                          "memcpy", "memmove", "memset"};
  return names.contains(name);
}

/// Functions of C99's libm that the dialect math has, for double or float.
static bool isMath(StringRef name) {
  static const llvm::StringSet<> names = {
      "acos",  "acosh", "asin",  "asinh",     "atan",      "atan2", "atanh",
      "cbrt",  "ceil",  "cos",   "cosh",      "copysign",  "erf",   "erfc",
      "exp",   "exp2",  "expm1", "fabs",      "floor",     "fma",   "fmax",
      "fmin",  "fmod",  "log",   "log10",     "log1p",     "log2",  "pow",
      "round", "sin",   "sinh",  "nearbyint", "roundeven", "sqrt",  "tan",
      "tanh",  "trunc", "ldexp", "sincos"};
  if (names.contains(name))
    return true;
  return name.consume_back("f") && names.contains(name);
}

static llvm::Error findSymbols(ObjectFile &file, Location loc) {
  auto object = llvm::object::ObjectFile::createObjectFile(
      file.object->getMemBufferRef());
  if (!object)
    return object.takeError();
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    auto flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    auto name = symbol.getName();
    if (!name)
      return name.takeError();
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined) || name->empty())
      continue;
    // How a function outside of the module is called.
    name->consume_front("_mlir_ciface_");
    bool isOpenMP = name->starts_with("__kmpc_") || name->starts_with("omp_");
    if (!isLibc(*name) && !isMath(*name) && !isOpenMP)
      return createError(loc, "the code would need '" + *name +
                                  "', which the C library has not");
    file.needsMath |= isMath(*name);
    file.needsOpenMP |= isOpenMP;
    file.interface.allocates |= name->ends_with("alloc");
    file.undefinedSymbols.push_back(name->str());
  }
  llvm::sort(file.undefinedSymbols);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

llvm::Expected<ObjectFile> compileToObject(ModuleOp module, StringRef entry,
                                           const ObjectFileOptions &options) {
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  mlir::attn::registerDialects(registry);
  context->appendDialectRegistry(registry);

  // 1. The graph, and what its calls look like.
  auto graph = IsolatedGraph::create(module, entry, options.exposesStates);
  if (!graph)
    return graph.takeError();

  // 2. The code, whose results are in memory of the caller.
  StringRef name = graph->getName();
  OwningOpRef<ModuleOp> code = graph->copyToLower(/*strided=*/false);
  SmallVector<Type> argumentTypes(
      code->lookupSymbol<func::FuncOp>(name).getArgumentTypes());
  setTarget(*code, options.cpu);
  if (llvm::Error error = lower(*code, options))
    return std::move(error);

  // 3. The C function around it, and the object.
  auto interface = CInterface::create(
      graph->function, graph->checks.getClasses(), graph->signature,
      graph->getPlaces(*code), options.name);
  if (!interface)
    return interface.takeError();
  if (llvm::Error error = addEntryPoint(*code, name, argumentTypes, *interface))
    return std::move(error);
  auto object = compileObject(*code, options.cpu, ObjectOptions());
  if (!object)
    return object.takeError();
  ObjectFile file;
  file.object = std::move(*object);
  file.interface = std::move(*interface);
  if (llvm::Error error = findSymbols(file, graph->function.getLoc()))
    return std::move(error);
  return file;
}

} // namespace attn
