//===- attn-run.cpp - Runs a graph on files or random input -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "Measure.h"
#include "Options.h"
#include "Results.h"
#include "Stream.h"
#include "StreamRun.h"
#include "dialect/Attn.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "passes/algebra/Explain.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/ExposeStates.h"
#include "runtime/engine/GraphContext.h"
#include "tools/support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include <cstring>

using namespace mlir;
using namespace ::attn::tool;
using ::attn::Array;
using ::attn::createError;

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The function named by --entry, or the public one.
static llvm::Expected<func::FuncOp> selectEntry(ModuleOp module,
                                                const Options &options) {
  if (options.entry)
    return ::attn::findEntry(module, *options.entry);
  SmallVector<func::FuncOp> candidates;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      candidates.push_back(function);
  if (candidates.size() == 1)
    return candidates.front();
  if (candidates.empty())
    return createError("'" + options.file + "': no public function to run");
  std::string names;
  for (func::FuncOp function : candidates)
    names += (names.empty() ? "" : ", ") + function.getSymName().str();
  return createError("'" + options.file +
                     "': several public functions: choose one by --entry of " +
                     names);
}

static void printMemory(ArrayRef<Array> arguments, ArrayRef<Array> results,
                        int64_t peak) {
  auto print = [](StringRef what, double bytes) {
    llvm::outs() << what << llvm::format(" %.1f MiB", bytes / (1 << 20));
  };
  auto total = [](ArrayRef<Array> arrays) {
    double bytes = 0;
    for (const Array &array : arrays)
      bytes += static_cast<double>(array.getNumElements()) *
               ::attn::getElementSize(array.getType());
    return bytes;
  };
  print("measured peak memory: inputs", total(arguments));
  print(", outputs", total(results));
  print(", the run added", peak);
  llvm::outs() << '\n';
}

/// Reads what --check names, before anything runs.
static llvm::Expected<SmallVector<std::optional<Array>>>
readExpected(ArrayRef<std::string> paths) {
  SmallVector<std::optional<Array>> arrays;
  for (const std::string &path : paths) {
    arrays.emplace_back();
    if (path.empty())
      continue;
    auto array = ::attn::readNpy(path);
    if (!array)
      return array.takeError();
    arrays.back() = std::move(*array);
  }
  return arrays;
}

static std::unique_ptr<::attn::Engine> createEngine(const Options &options) {
  if (options.target == Target::Reference)
    return ::attn::createReferenceEngine();
  if (options.target == Target::Halide) {
    ::attn::HalideEngineOptions halide;
    halide.target = options.chip;
    halide.autoscheduler = options.autoscheduler;
    halide.threads = options.engine.threads;
    halide.keepOrder = options.engine.keepOrder;
    halide.allowQuadratic = options.engine.allowQuadratic;
    halide.dumpDirectory = options.engine.dumpDirectory;
    return ::attn::createHalideEngine(halide);
  }
  if (options.target == Target::Gpu)
    return ::attn::createGpuEngine({options.chip, options.engine.keepOrder});
  return ::attn::createCpuEngine(options.engine);
}

/// A copy: a call updates states in place.
static llvm::Expected<SmallVector<Array>> copyStates(ArrayRef<Array> arguments,
                                                     unsigned firstState) {
  SmallVector<Array> copies(arguments);
  for (Array &array : MutableArrayRef(copies).drop_front(firstState)) {
    auto copy = Array::create(array.getType(), array.getShape());
    if (!copy)
      return copy.takeError();
    std::memcpy(copy->getData(), array.getData(),
                array.getNumElements() *
                    ::attn::getElementSize(array.getType()));
    array = std::move(*copy);
  }
  return copies;
}

/// Runs, times, compares and writes.
static llvm::Error runFunction(ModuleOp module, func::FuncOp function,
                               ArrayRef<Array> arguments, unsigned firstState,
                               const Options &options) {
  auto outputPaths =
      splitPaths("outputs", options.outputs, function.getNumResults());
  if (!outputPaths)
    return outputPaths.takeError();
  auto checkPaths =
      splitPaths("check", options.check, function.getNumResults());
  if (!checkPaths)
    return checkPaths.takeError();
  if (llvm::Error error = checkOutputPaths(*outputPaths))
    return error;
  auto expected = readExpected(*checkPaths);
  if (!expected)
    return expected.takeError();

  auto callable = createEngine(options)->compile(module, function.getSymName());
  if (!callable)
    return callable.takeError();
  SmallVector<Array> results;
  auto call = [&]() -> llvm::Error {
    // Two results at a time would be memory that one run does not need.
    results.clear();
    auto copies = copyStates(arguments, firstState);
    if (!copies)
      return copies.takeError();
    auto called = (*callable)->call(*copies);
    if (!called)
      return called.takeError();
    results = std::move(*called);
    return llvm::Error::success();
  };
  std::optional<int64_t> peak;
  if (llvm::Error error = measurePeakMemory(call, peak))
    return error;
  constexpr StringLiteral names[] = {"cpu", "nvvm", "halide", "reference"};
  llvm::outs() << names[static_cast<int>(options.target)] << ": @"
               << function.getSymName() << " -> ";
  llvm::interleaveComma(results, llvm::outs(), [](const Array &result) {
    llvm::outs() << getShapeText(result);
  });
  llvm::outs() << '\n';
  if (options.explain && peak)
    printMemory(arguments, results, *peak);
  if (options.timedRuns > 0)
    if (llvm::Error error = printTimes(options.timedRuns, call))
      return error;

  double limit = options.tolerance.value_or(getDefaultTolerance(function));
  llvm::Error mismatch = llvm::Error::success();
  if (!expected->empty())
    mismatch = compare(results, *expected, limit, *checkPaths);
  if (options.verify)
    mismatch = llvm::joinErrors(
        std::move(mismatch),
        compareWithReference(module, function, arguments, results, limit));
  // Results that are wrong leave no file.
  if (mismatch)
    return mismatch;
  if (outputPaths->empty())
    return llvm::Error::success();
  return writeResults(results, *outputPaths);
}

static llvm::Error run(ModuleOp module, const Options &options) {
  auto function = selectEntry(module, options);
  if (!function)
    return function.takeError();
  unsigned numArguments = function->getNumArguments();
  if (options.exposesState || options.pieceTokens > 0) {
    auto before = ::attn::exposeStates(*function);
    if (!before)
      return before.takeError();
    numArguments = *before;
  }
  auto namedSizes = parseDims(options.dims);
  if (!namedSizes)
    return namedSizes.takeError();
  auto sizes = FunctionSizes::create(*function);
  if (!sizes)
    return sizes.takeError();
  if (llvm::Error error = sizes->setDims(*namedSizes))
    return error;

  ArgumentSources sources;
  sources.seed = options.seed;
  // States may be left out.
  unsigned given =
      options.inputs &&
              StringRef(*options.inputs).count(',') + 1 == numArguments
          ? numArguments
          : function->getNumArguments();
  auto inputPaths = splitPaths("inputs", options.inputs, given);
  if (!inputPaths)
    return inputPaths.takeError();
  sources.files = *inputPaths;
  if (options.pieceTokens > 0)
    return runStreamed(*createEngine(options), module, *function, numArguments,
                       sources, *sizes, options);
  // A plan needs no values.
  bool plansOnly = options.explain && !sources.seed && sources.files.empty() &&
                   function->getNumArguments() > 0;
  SmallVector<Array> arguments;
  if (!plansOnly) {
    auto made = makeArguments(*function, sources, numArguments, *sizes);
    if (!made)
      return made.takeError();
    arguments = std::move(*made);
    auto states = makeStates(*function, numArguments, *sizes);
    if (!states)
      return states.takeError();
    for (unsigned i = numArguments; i < function->getNumArguments(); ++i)
      if (arguments[i].getShape().empty() && !arguments[i].getData())
        arguments[i] = (*states)[i - numArguments];
  }
  if (options.explain) {
    OwningOpRef<ModuleOp> copy(module.clone());
    llvm::outs() << mlir::attn::explainPlan(
        *copy, function->getSymName(),
        [&](StringRef name) { return sizes->getSize(name); });
  }
  if (plansOnly)
    return llvm::Error::success();
  // One chunk of all tokens needs to know their number.
  if (options.engine.form == ::attn::Form::Quadratic)
    specialize(*function, arguments);
  return runFunction(module, *function, arguments, numArguments, options);
}

//===----------------------------------------------------------------------===//
// main
//===----------------------------------------------------------------------===//

static llvm::Error runFile(const Options &options) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer =
      openInputFile(options.file, &message);
  if (!buffer)
    return createError(message);
  std::unique_ptr<MLIRContext> context = ::attn::createGraphContext();
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(*sources, context.get());
  if (options.remarks) {
    remark::RemarkCategories all;
    all.all = all.passed = all.missed = all.analysis = all.failed = ".*";
    if (failed(remark::enableOptimizationRemarks(
            *context, /*streamer=*/nullptr,
            std::make_unique<remark::RemarkEmittingPolicyAll>(), all,
            /*printAsEmitRemarks=*/true)))
      return createError("remarks cannot be enabled");
  }
  auto module = parseSourceFile<ModuleOp>(sources, context.get());
  if (!module)
    return createError("cannot parse '" + options.file + "'");
  return run(*module, options);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  auto options = parseCommandLine(argc, argv);
  if (!options)
    return reportErrors("attn-run", options.takeError());
  return reportErrors("attn-run", runFile(*options));
}
