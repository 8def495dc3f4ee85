//===- attn-run.cpp - Runs a graph on files or random input -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "Measure.h"
#include "Results.h"
#include "Stream.h"
#include "dialect/Attn.h"
#include "mlir/IR/Remarks.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "passes/algebra/Explain.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/Engine.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include <cstring>

using namespace mlir;
using namespace ::attn::tool;
using ::attn::Array;
using ::attn::createError;
using ::attn::Form;
namespace cl = llvm::cl;

//===----------------------------------------------------------------------===//
// Command line
//===----------------------------------------------------------------------===//

namespace {
enum class Target { Cpu, Reference };
} // namespace

// The shared LLVM library brings hundreds of options, `--threads` among them.
// They go before this tool's are registered; help and version stay.
static const bool isCommandLineCleared = [] {
  SmallVector<cl::Option *> foreign;
  for (auto &entry : cl::getRegisteredOptions()) {
    auto isGeneric = [](cl::OptionCategory *category) {
      return category->getName() == "Generic Options";
    };
    if (llvm::none_of(entry.second->Categories, isGeneric))
      foreign.push_back(entry.second);
  }
  for (cl::Option *option : foreign)
    option->removeArgument();
  return true;
}();

static cl::OptionCategory category("attn-run options");

static cl::opt<std::string> file(cl::Positional, cl::desc("FILE.mlir"),
                                 cl::cat(category));
static cl::opt<std::string>
    entry("entry", cl::value_desc("name"), cl::cat(category),
          cl::desc("The function to run; needless if one alone is public"));
static cl::opt<Target>
    target("target", cl::init(Target::Cpu), cl::cat(category),
           cl::desc("What runs the function:"),
           cl::values(clEnumValN(Target::Cpu, "cpu",
                                 "compiled for this machine (default)"),
                      clEnumValN(Target::Reference, "reference",
                                 "the literal f64 evaluation")));
static cl::opt<std::string>
    inputs("inputs", cl::value_desc("a.npy,b.npy,..."), cl::cat(category),
           cl::desc("The arguments in order; an empty one is random"));
static cl::opt<uint64_t> seed("random", cl::value_desc("seed"),
                              cl::cat(category),
                              cl::desc("Standard normal arguments"));
static cl::list<std::string>
    dims("dim", cl::value_desc("name=size"), cl::cat(category),
         cl::desc("The size of a dynamic dimension of random arguments"));
static cl::opt<std::string>
    outputs("outputs", cl::value_desc("o.npy,..."), cl::cat(category),
            cl::desc("Where results go; an empty one is dropped"));
static cl::opt<std::string>
    check("check", cl::value_desc("golden.npy,..."), cl::cat(category),
          cl::desc("Results to compare with; an empty one is not compared"));
static cl::opt<double>
    tolerance("tol", cl::value_desc("error"), cl::cat(category),
              cl::desc("The largest relative error of --check and --verify; by "
                       "default 1e-10 for f64, 1e-5 for f32, else 1e-2"));
static cl::opt<bool>
    verify("verify", cl::cat(category),
           cl::desc("Compare with the f64 evaluation of the graph"));
static cl::opt<unsigned> timedRuns("time", cl::value_desc("runs"),
                                   cl::cat(category),
                                   cl::desc("Time this many runs"));
static cl::opt<bool>
    explain("explain", cl::cat(category),
            cl::desc("Print the plan: flops, bytes and peak memory of each "
                     "order of products"));
static cl::opt<int> threads("threads", cl::value_desc("count"),
                            cl::cat(category),
                            cl::desc("Threads; by default as OpenMP says"));
static cl::opt<bool> keepOrder("keep-order", cl::cat(category),
                               cl::desc("Leave products as they are written"));
static cl::opt<Form> form(
    "form", cl::cat(category), cl::init(Form::Auto),
    cl::desc("The form of recurrences:"),
    cl::values(
        clEnumValN(Form::Auto, "auto",
                   "the cheapest by the cost model (default)"),
        clEnumValN(Form::Quadratic, "quadratic", "all tokens in one chunk"),
        clEnumValN(Form::Chunkwise, "chunkwise", "chunks of tokens"),
        clEnumValN(Form::Recurrent, "recurrent", "one token at a time")));
static cl::opt<int64_t>
    chunk("chunk", cl::value_desc("tokens"), cl::cat(category), cl::init(0),
          cl::desc("Tokens in a chunk of a recurrence; by cost if not given"));
static cl::opt<bool> exposesState(
    "state", cl::cat(category),
    cl::desc("States become arguments and results after the function's own; "
             "those that --inputs leaves out are zero"));
static cl::opt<int64_t> pieceTokens(
    "stream", cl::value_desc("tokens"), cl::cat(category), cl::init(0),
    cl::desc("Feed so many tokens a call and carry the state: memory "
             "does not grow with the input"));
static cl::opt<bool>
    allowQuadratic("allow-quadratic", cl::cat(category),
                   cl::desc("Give scores that the function returns a buffer"));
static cl::opt<std::string>
    dumpIR("dump-ir", cl::value_desc("folder"), cl::cat(category),
           cl::desc("Write the IR after each pass into a folder"));
static cl::opt<bool> remarks("remarks", cl::cat(category),
                             cl::desc("Print what passes did and did not do"));

/// LLVM's command line library, with this tool's form of errors.
static llvm::Error parseCommandLine(int argc, char **argv) {
  assert(isCommandLineCleared && "options are registered in order");
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (!cl::ParseCommandLineOptions(
          argc, argv, "Runs a function of attention on files or random input\n",
          &stream)) {
    // "attn-run: Unknown command line argument ..."; what is wrong with the
    // value of an option is on stderr by now.
    StringRef first = StringRef(text).split('\n').first;
    if (first.empty())
      return createError("the command line cannot be read");
    return createError(first.substr(first.find(": ") + 2));
  }
  if (file.empty())
    return createError("expected FILE.mlir");
  if (tolerance.getNumOccurrences() && !(tolerance >= 0))
    return createError("--tol: expected 0 or more");
  if (timedRuns.getNumOccurrences() && timedRuns == 0)
    return createError("--time: expected 1 or more runs");
  if (chunk < 0 || chunk > 4096)
    return createError("--chunk: expected 0 to 4096 tokens");
  if (pieceTokens.getNumOccurrences() && pieceTokens < 1)
    return createError("--stream: expected 1 or more tokens");
  if (pieceTokens > 0 && (timedRuns > 0 || explain))
    return createError("--time and --explain are not for --stream");
  if (threads < 0)
    return createError("--threads: expected 0 or more");
  if (dumpIR.getNumOccurrences() && dumpIR.empty())
    return createError("--dump-ir: expected a folder");
  if (target == Target::Reference && (!dumpIR.empty() || keepOrder))
    return createError("--dump-ir and --keep-order are for --target=cpu");
  return llvm::Error::success();
}

/// The paths between commas; as many as there are things, if there are any.
static llvm::Expected<SmallVector<std::string>>
splitPaths(StringRef option, const cl::opt<std::string> &value, size_t count) {
  SmallVector<std::string> paths;
  if (!value.getNumOccurrences())
    return paths;
  SmallVector<StringRef> parts;
  StringRef(value).split(parts, ',');
  if (parts.size() != count)
    return createError("--" + option + ": expected " + Twine(count) +
                       " paths, got " + Twine(parts.size()));
  for (StringRef part : parts)
    paths.push_back(part.str());
  return paths;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// The function named by --entry, or the public one.
static llvm::Expected<func::FuncOp> selectEntry(ModuleOp module) {
  if (entry.getNumOccurrences())
    return ::attn::findEntry(module, entry);
  SmallVector<func::FuncOp> candidates;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      candidates.push_back(function);
  if (candidates.size() == 1)
    return candidates.front();
  if (candidates.empty())
    return createError("'" + file + "': no public function to run");
  std::string names;
  for (func::FuncOp function : candidates)
    names += (names.empty() ? "" : ", ") + function.getSymName().str();
  return createError("'" + file +
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

static std::unique_ptr<::attn::Engine> createEngine() {
  if (target == Target::Reference)
    return ::attn::createReferenceEngine();
  ::attn::CpuEngineOptions options;
  options.threads = threads;
  options.keepOrder = keepOrder;
  options.form = form;
  options.chunk = chunk;
  options.allowQuadratic = allowQuadratic;
  options.dumpDirectory = dumpIR;
  return ::attn::createCpuEngine(options);
}

/// The results of the f64 evaluation, to compare with.
static llvm::Error compareWithReference(ModuleOp module, func::FuncOp function,
                                        ArrayRef<Array> arguments,
                                        ArrayRef<Array> results, double limit) {
  auto reference =
      ::attn::createReferenceEngine()->compile(module, function.getSymName());
  if (!reference)
    return reference.takeError();
  auto exact = (*reference)->call(arguments);
  if (!exact)
    return exact.takeError();
  SmallVector<std::optional<Array>> arrays(exact->begin(), exact->end());
  SmallVector<std::string> names(exact->size(), "the f64 evaluation");
  return compare(results, arrays, limit, names);
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

/// Feeds the tokens in pieces. Random arguments are those of the pieces.
static llvm::Error runStreamed(ModuleOp module, func::FuncOp function,
                               unsigned numArguments, FunctionSizes &sizes,
                               const ArgumentSources &sources) {
  auto dims = findTokenDims(function);
  if (!dims)
    return dims.takeError();
  // 1. The number of tokens, from files or from --dim.
  SmallVector<Array> files(numArguments);
  for (unsigned i = 0; i < sources.files.size() && i < numArguments; ++i)
    if (!sources.files[i].empty()) {
      auto array = readFileArgument(function, sources.files[i], i, sizes);
      if (!array)
        return array.takeError();
      files[i] = std::move(*array);
    }
  int64_t tokens = -1;
  for (auto [i, cut] : llvm::enumerate(dims->arguments)) {
    if (cut.dim < 0 || i >= numArguments)
      continue;
    auto shape = sizes.getShape(i);
    if (!shape)
      return shape.takeError();
    tokens = (*shape)[cut.dim] / cut.steps;
  }
  if (tokens < 0)
    return createError("no argument has tokens to stream");
  auto states = makeStates(function, numArguments, sizes);
  if (!states)
    return states.takeError();
  bool kept =
      verify || check.getNumOccurrences() || outputs.getNumOccurrences();
  auto getPiece = [&](int64_t begin,
                      int64_t count) -> llvm::Expected<SmallVector<Array>> {
    SmallVector<Array> arguments;
    for (unsigned i = 0; i < numArguments; ++i) {
      TokenDims::Cut cut = dims->arguments[i];
      if (files[i].getData()) {
        auto part = slice(files[i], cut, begin, count);
        if (!part)
          return part.takeError();
        arguments.push_back(std::move(*part));
        continue;
      }
      if (!sources.seed)
        return createError("argument " + Twine(i) +
                           " has no value: give its "
                           "file by --inputs or --random=SEED");
      auto shape = sizes.getShape(i);
      if (!shape)
        return shape.takeError();
      uint64_t seed = *sources.seed;
      if (cut.dim >= 0) {
        (*shape)[cut.dim] = count * cut.steps;
        seed += uint64_t(begin) << 20;
      }
      auto drawn = drawArgument(seed, function, i, *shape);
      if (!drawn)
        return drawn.takeError();
      arguments.push_back(std::move(*drawn));
    }
    return arguments;
  };

  auto callable = createEngine()->compile(module, function.getSymName());
  if (!callable)
    return callable.takeError();
  SmallVector<Array> results;
  std::optional<int64_t> peak;
  if (llvm::Error error = measurePeakMemory(
          [&] {
            return runStream(**callable, *dims, tokens, pieceTokens, getPiece,
                             *states, kept, results);
          },
          peak))
    return error;
  llvm::outs() << "streamed: @" << function.getSymName() << ", " << tokens
               << " tokens, " << int64_t(pieceTokens) << " a call";
  if (peak)
    llvm::outs() << llvm::format(", the run added %.1f MiB at its peak",
                                 double(*peak) / (1 << 20));
  llvm::outs() << '\n';
  if (!kept)
    return llvm::Error::success();

  // 2. Compared with one run over all tokens.
  double limit = tolerance.getNumOccurrences() ? double(tolerance)
                                               : getDefaultTolerance(function);
  unsigned numResults =
      exposesState ? results.size() : results.size() - states->size();
  ArrayRef<Array> shown = ArrayRef(results).take_front(numResults);
  auto outputPaths = splitPaths("outputs", outputs, numResults);
  if (!outputPaths)
    return outputPaths.takeError();
  auto checkPaths = splitPaths("check", check, numResults);
  if (!checkPaths)
    return checkPaths.takeError();
  auto expected = readExpected(*checkPaths);
  if (!expected)
    return expected.takeError();
  llvm::Error mismatch = llvm::Error::success();
  if (!expected->empty())
    mismatch = compare(shown, *expected, limit, *checkPaths);
  if (verify) {
    SmallVector<Array> whole;
    for (int64_t begin = 0; begin < tokens; begin += pieceTokens) {
      int64_t count = std::min<int64_t>(pieceTokens, tokens - begin);
      auto piece = getPiece(begin, count);
      if (!piece)
        return llvm::joinErrors(std::move(mismatch), piece.takeError());
      if (llvm::Error error = append(whole, *piece, *dims, begin, tokens))
        return llvm::joinErrors(std::move(mismatch), std::move(error));
    }
    auto initial = makeStates(function, numArguments, sizes);
    if (!initial)
      return llvm::joinErrors(std::move(mismatch), initial.takeError());
    llvm::append_range(whole, *initial);
    mismatch = llvm::joinErrors(
        std::move(mismatch),
        compareWithReference(module, function, whole, results, limit));
  }
  if (mismatch || outputPaths->empty())
    return mismatch;
  return writeResults(shown, *outputPaths);
}

/// Runs, times, compares and writes.
static llvm::Error runFunction(ModuleOp module, func::FuncOp function,
                               ArrayRef<Array> arguments, unsigned firstState) {
  auto outputPaths = splitPaths("outputs", outputs, function.getNumResults());
  if (!outputPaths)
    return outputPaths.takeError();
  auto checkPaths = splitPaths("check", check, function.getNumResults());
  if (!checkPaths)
    return checkPaths.takeError();
  if (llvm::Error error = checkOutputPaths(*outputPaths))
    return error;
  auto expected = readExpected(*checkPaths);
  if (!expected)
    return expected.takeError();

  auto callable = createEngine()->compile(module, function.getSymName());
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
  llvm::outs() << (target == Target::Cpu ? "cpu" : "reference") << ": @"
               << function.getSymName() << " -> ";
  llvm::interleaveComma(results, llvm::outs(), [](const Array &result) {
    llvm::outs() << getShapeText(result);
  });
  llvm::outs() << '\n';
  if (explain && peak)
    printMemory(arguments, results, *peak);
  if (timedRuns > 0)
    if (llvm::Error error = printTimes(timedRuns, call))
      return error;

  double limit = tolerance.getNumOccurrences() ? double(tolerance)
                                               : getDefaultTolerance(function);
  llvm::Error mismatch = llvm::Error::success();
  if (!expected->empty())
    mismatch = compare(results, *expected, limit, *checkPaths);
  if (verify)
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

static llvm::Error run(ModuleOp module) {
  auto function = selectEntry(module);
  if (!function)
    return function.takeError();
  unsigned numArguments = function->getNumArguments();
  if (exposesState || pieceTokens > 0) {
    auto before = exposeStates(*function);
    if (!before)
      return before.takeError();
    numArguments = *before;
  }
  auto namedSizes = parseDims(dims);
  if (!namedSizes)
    return namedSizes.takeError();
  auto sizes = FunctionSizes::create(*function);
  if (!sizes)
    return sizes.takeError();
  if (llvm::Error error = sizes->setDims(*namedSizes))
    return error;

  ArgumentSources sources;
  if (seed.getNumOccurrences())
    sources.seed = seed;
  // States may be left out.
  unsigned given = StringRef(inputs).count(',') + 1 == numArguments
                       ? numArguments
                       : function->getNumArguments();
  auto inputPaths = splitPaths("inputs", inputs, given);
  if (!inputPaths)
    return inputPaths.takeError();
  sources.files = *inputPaths;
  if (pieceTokens > 0)
    return runStreamed(module, *function, numArguments, *sizes, sources);
  // A plan needs no values.
  bool plansOnly = explain && !sources.seed && sources.files.empty() &&
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
  if (explain) {
    OwningOpRef<ModuleOp> copy(module.clone());
    llvm::outs() << mlir::attn::explainPlan(
        *copy, function->getSymName(),
        [&](StringRef name) { return sizes->getSize(name); });
  }
  if (plansOnly)
    return llvm::Error::success();
  // One chunk of all tokens needs to know their number.
  if (form == Form::Quadratic)
    specialize(*function, arguments);
  return runFunction(module, *function, arguments, numArguments);
}

//===----------------------------------------------------------------------===//
// main
//===----------------------------------------------------------------------===//

static llvm::Error runFile() {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(file, &message);
  if (!buffer)
    return createError(message);
  DialectRegistry registry;
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registry.insert<mlir::attn::AttnDialect>();
  MLIRContext context(registry);
  // A kernel is thousands of lines.
  context.printOpOnDiagnostic(false);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(*sources, &context);
  if (remarks) {
    remark::RemarkCategories all;
    all.all = all.passed = all.missed = all.analysis = all.failed = ".*";
    if (failed(remark::enableOptimizationRemarks(
            context, /*streamer=*/nullptr,
            std::make_unique<remark::RemarkEmittingPolicyAll>(), all,
            /*printAsEmitRemarks=*/true)))
      return createError("remarks cannot be enabled");
  }
  auto module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return createError("cannot parse '" + file + "'");
  return run(*module);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  auto report = [](llvm::Error error) {
    if (!error)
      return 0;
    llvm::outs().flush();
    llvm::handleAllErrors(
        std::move(error), [](const llvm::ErrorInfoBase &info) {
          llvm::errs() << "attn-run: error: " << info.message() << '\n';
        });
    return 1;
  };
  if (int status = report(parseCommandLine(argc, argv)))
    return status;
  return report(runFile());
}
