//===- HalideEngine.cpp - Graphs through Halide ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/IsolatedGraph.h"
#include "runtime/engine/halide/HalideGraph.h"
#include "runtime/engine/halide/HalideLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn {
namespace {

using PipelineDeleter = void (*)(attn_halide_pipeline *);

class HalideCallable : public Callable {
public:
  HalideCallable(OwningOpRef<ModuleOp> graph, Signature signature,
                 ContentChecks checks, halide::GraphProgram program,
                 const attn_halide_api &api, attn_halide_pipeline *pipeline,
                 int threads)
      : Callable(std::move(signature)), graph(std::move(graph)),
        checks(std::move(checks)), program(std::move(program)), api(api),
        pipeline(pipeline, api.destroy), threads(threads) {
    rules.strided = true;
  }

  llvm::Error run(ArrayRef<DLTensor> arguments, ArrayRef<DLTensor> results,
                  const RunOptions &options) const override;
  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override;

private:
  llvm::Error check(ArrayRef<DLTensor> arguments,
                    const RunOptions &options) const;
  SmallVector<int64_t> getSizes(ArrayRef<DLTensor> arguments) const;
  /// Calls without a check. No result is memory of an argument.
  llvm::Error runChecked(ArrayRef<DLTensor> arguments,
                         ArrayRef<DLTensor> results) const;

  /// What the checks read.
  OwningOpRef<ModuleOp> graph;
  ContentChecks checks;
  halide::GraphProgram program;
  const attn_halide_api &api;
  std::unique_ptr<attn_halide_pipeline, PipelineDeleter> pipeline;
  MemoryRules rules;
  int threads;
};

class HalideEngine : public Engine {
public:
  explicit HalideEngine(HalideEngineOptions options)
      : options(std::move(options)) {}

  llvm::Expected<std::unique_ptr<Callable>>
  compile(ModuleOp module, StringRef entry,
          const CompileHooks &hooks) const override;

private:
  HalideEngineOptions options;
};

/// A tensor as the plugin sees it.
struct View {
  SmallVector<int64_t, 6> strides;
  attn_halide_buffer buffer;

  explicit View(const DLTensor &tensor) {
    int64_t stride = 1;
    strides.assign(tensor.ndim, 0);
    for (int i = tensor.ndim; i-- > 0;) {
      strides[i] = tensor.strides ? tensor.strides[i] : stride;
      stride *= tensor.shape[i];
    }
    buffer = {getData(tensor), tensor.ndim, tensor.shape, nullptr};
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

llvm::Error HalideCallable::check(ArrayRef<DLTensor> arguments,
                                  const RunOptions &options) const {
  if (llvm::Error error = checkArguments(signature, arguments, rules))
    return error;
  SmallVector<Array, 8> arrays;
  for (auto [tensor, info] : llvm::zip_equal(arguments, signature.arguments))
    arrays.push_back(wrap(tensor, info.type));
  if (llvm::Error error = checks.checkSizes(arrays))
    return error;
  if (!options.checkContents || !checks.hasContents())
    return llvm::Error::success();
  for (auto [i, tensor] : llvm::enumerate(arguments)) {
    if (!checks.reads(i) || isDense(tensor))
      continue;
    auto copy = copyOf(tensor, signature.arguments[i].type);
    if (!copy)
      return copy.takeError();
    arrays[i] = std::move(*copy);
  }
  return checks.checkContents(arrays);
}

SmallVector<int64_t>
HalideCallable::getSizes(ArrayRef<DLTensor> arguments) const {
  SmallVector<int64_t> sizes;
  for (const halide::SizePlace &place : program.graph.sizes)
    sizes.push_back(arguments[place.argument].shape[place.dim]);
  return sizes;
}

llvm::Error HalideCallable::runChecked(ArrayRef<DLTensor> arguments,
                                       ArrayRef<DLTensor> results) const {
  SmallVector<int32_t> sizes;
  for (int64_t size : getSizes(arguments)) {
    if (size > INT32_MAX)
      return createError("Halide: a dimension of " + Twine(size) +
                         ": expected less than 2^31");
    sizes.push_back(static_cast<int32_t>(size));
  }
  SmallVector<View, 8> views;
  for (unsigned input : program.graph.inputs)
    views.emplace_back(arguments[input]);
  for (const DLTensor &result : results)
    views.emplace_back(result);
  SmallVector<attn_halide_buffer, 8> buffers;
  for (View &view : views) {
    view.buffer.strides = view.strides.data();
    buffers.push_back(view.buffer);
  }
  return halide::takeError(
      api, api.run(pipeline.get(), sizes.data(), buffers.data(),
                   buffers.data() + program.graph.inputs.size(), threads));
}

llvm::Expected<SmallVector<Array>>
HalideCallable::call(ArrayRef<Array> arguments) const {
  SmallVector<DLTensor, 8> views;
  for (const Array &argument : arguments)
    views.push_back(viewOf(argument));
  if (llvm::Error error = check(views, RunOptions()))
    return std::move(error);
  SmallVector<int64_t> sizes = getSizes(views);
  SmallVector<Array> results;
  SmallVector<DLTensor, 4> places;
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    SmallVector<int64_t> shape;
    for (halide::Term size : program.graph.results[i])
      shape.push_back(program.graph.program.evaluate(size, sizes));
    auto array = Array::create(info.type, shape);
    if (!array)
      return array.takeError();
    results.push_back(std::move(*array));
  }
  for (const Array &result : results)
    places.push_back(viewOf(result));
  if (llvm::Error error = runChecked(views, places))
    return std::move(error);
  // States are updated in place.
  for (auto [info, result] : llvm::zip_equal(signature.results, results))
    if (info.state >= 0) {
      copyElements(viewOf(result), views[info.state]);
      result = arguments[info.state];
    }
  return results;
}

llvm::Error HalideCallable::run(ArrayRef<DLTensor> arguments,
                                ArrayRef<DLTensor> results,
                                const RunOptions &options) const {
  if (llvm::Error error = check(arguments, options))
    return error;
  if (llvm::Error error = checkResults(signature, arguments, results, rules))
    return error;
  // A state's own memory is written when nothing reads it any more.
  SmallVector<DLTensor, 4> places(results);
  SmallVector<Array> copies(results.size());
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    if (info.state < 0 || getData(results[i]) != getData(arguments[info.state]))
      continue;
    auto copy =
        Array::create(info.type, ArrayRef(results[i].shape, results[i].ndim));
    if (!copy)
      return copy.takeError();
    copies[i] = std::move(*copy);
    places[i] = viewOf(copies[i]);
  }
  if (llvm::Error error = runChecked(arguments, places))
    return error;
  for (auto [copy, result] : llvm::zip_equal(copies, results))
    if (copy.getData())
      copyElements(viewOf(copy), result);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

static llvm::Error dump(StringRef folder, StringRef text) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return createError("cannot create folder '" + folder +
                       "': " + code.message());
  SmallString<128> path(folder);
  llvm::sys::path::append(path, "program.txt");
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return createError("cannot write '" + path + "': " + code.message());
  stream << text;
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Callable>>
HalideEngine::compile(ModuleOp module, StringRef entry,
                      const CompileHooks &hooks) const {
  auto api = halide::openLibrary();
  if (!api)
    return api.takeError();
  auto graph = IsolatedGraph::create(module, entry, /*exposesStates=*/false);
  if (!graph)
    return graph.takeError();
  auto program = halide::writeProgram(
      *graph->module, graph->getName(),
      {options.keepOrder, options.allowQuadratic}, hooks.times);
  if (!program)
    return program.takeError();
  for (auto [info, state] :
       llvm::zip_equal(graph->signature.results, program->states))
    info.state = state;

  Stopwatch watch(hooks.times ? &hooks.times->llvm : nullptr);
  const std::string &text = program->graph.program.getText();
  std::string loops;
  if (!options.dumpDirectory.empty()) {
    if (llvm::Error error = dump(options.dumpDirectory, text))
      return std::move(error);
    SmallString<128> path(options.dumpDirectory);
    llvm::sys::path::append(path, "loops.txt");
    loops = std::string(path);
  }
  attn_halide_options plugin = {
      options.target.c_str(), options.autoscheduler.c_str(),
      static_cast<int32_t>(options.estimate), loops.c_str()};
  attn_halide_pipeline *pipeline = nullptr;
  if (llvm::Error error = halide::takeError(
          **api, (*api)->compile(text.c_str(), &plugin, &pipeline)))
    return std::move(error);
  return std::make_unique<HalideCallable>(
      std::move(graph->module), std::move(graph->signature),
      std::move(graph->checks), std::move(*program), **api, pipeline,
      options.threads);
}

std::unique_ptr<Engine> createHalideEngine(HalideEngineOptions options) {
  return std::make_unique<HalideEngine>(std::move(options));
}

} // namespace attn
