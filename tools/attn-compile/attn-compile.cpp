//===- attn-compile.cpp - Compiles a graph ahead of time -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "runtime/aot/CrossTarget.h"
#include "runtime/aot/HalideObject.h"
#include "runtime/aot/Package.h"
#include "runtime/aot/Ptx.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/ExposeStates.h"
#include "runtime/engine/Graph.h"
#include "tools/support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

using namespace ::attn::tool;
using ::attn::createError;

/// The C function of a graph's.
static std::string getName(llvm::StringRef function, const Options &options) {
  if (!options.name.empty())
    return options.name;
  if (function != "main")
    return function.str();
  return llvm::sys::path::stem(options.file).str();
}

static llvm::Error compileForCpu(mlir::func::FuncOp function,
                                 const Options &options) {
  auto cpu = ::attn::findCpu(options.target.model);
  if (!cpu)
    return cpu.takeError();
  ::attn::ObjectFileOptions object;
  object.cpu = *cpu;
  object.name = getName(function.getSymName(), options);
  object.exposesStates = options.exposesStates;
  object.keepOrder = options.keepOrder;
  object.form = options.form;
  object.chunk = options.chunk;
  object.threads = options.threads;
  auto file =
      ::attn::compileToObject(function->getParentOfType<mlir::ModuleOp>(),
                              function.getSymName(), object);
  if (!file)
    return file.takeError();
  llvm::Error error = llvm::Error::success();
  switch (options.kind) {
  case Output::StaticLibrary:
    error = ::attn::writeStaticLibrary(options.output, *file);
    break;
  case Output::SharedLibrary:
    error =
        ::attn::writeSharedLibrary(options.output, *file, *cpu, options.linker);
    break;
  default:
    error = ::attn::writeFile(options.output, file->object->getBuffer());
  }
  if (error)
    return error;
  return ::attn::writeFile(
      options.header,
      ::attn::writeHeader(file->interface,
                          llvm::sys::path::filename(options.file)));
}

/// One kernel in the file that is named, several in files that have the names
/// of kernels as well, which are printed.
static llvm::Error compileForGpu(mlir::func::FuncOp function,
                                 const Options &options) {
  ::attn::PtxOptions ptx;
  ptx.chip = options.target.model;
  ptx.keepOrder = options.keepOrder;
  auto kernels = ::attn::compileToPtx(
      function->getParentOfType<mlir::ModuleOp>(), function.getSymName(), ptx);
  if (!kernels)
    return kernels.takeError();
  for (const ::attn::PtxModule &kernel : *kernels) {
    llvm::SmallString<128> path(options.output);
    if (kernels->size() > 1) {
      llvm::sys::path::replace_extension(path, kernel.name + ".ptx");
      llvm::outs() << path << '\n';
    }
    if (llvm::Error error = ::attn::writeFile(path, kernel.text))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error compileForHalide(mlir::func::FuncOp function,
                                    const Options &options) {
  ::attn::HalideObjectOptions halide;
  halide.target = options.target.model;
  halide.name = getName(function.getSymName(), options);
  halide.autoscheduler = options.autoscheduler;
  halide.keepOrder = options.keepOrder;
  return ::attn::writeHalideObject(function->getParentOfType<mlir::ModuleOp>(),
                                   function.getSymName(), halide,
                                   options.output, options.header);
}

static llvm::Error compileFile(const Options &options) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(options.file);
  if (!buffer)
    return createError("cannot read '" + options.file +
                       "': " + buffer.getError().message());
  auto graph = ::attn::Graph::parse((*buffer)->getBuffer(), options.file);
  if (!graph)
    return graph.takeError();
  auto function = ::attn::findEntry(graph->getModule(), options.entry);
  if (!function)
    return function.takeError();
  bool isForHalide = options.target.kind == ::attn::Target::Kind::Halide;
  if (!isForHalide && options.kind != Output::Ptx)
    return compileForCpu(*function, options);
  if (options.exposesStates) {
    auto before = ::attn::exposeStates(*function);
    if (!before)
      return before.takeError();
  }
  return isForHalide ? compileForHalide(*function, options)
                     : compileForGpu(*function, options);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  auto options = parseCommandLine(argc, argv);
  if (!options)
    return reportErrors("attn-compile", options.takeError());
  return reportErrors("attn-compile", compileFile(*options));
}
