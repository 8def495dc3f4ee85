//===- HostFunction.cpp - A compiled function that the host calls -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/HostFunction.h"
#include "runtime/array/Error.h"
#include "runtime/engine/PackedCall.h"

using namespace mlir;

namespace attn {

static llvm::Expected<HostCode> compileCode(const IsolatedGraph &graph,
                                            bool strided,
                                            HostFunction::Compile compile) {
  OwningOpRef<ModuleOp> module = graph.copyToLower(strided);
  auto object = compile(*module, ("_mlir_ciface_" + graph.getName()).str());
  if (!object)
    return object.takeError();
  HostCode code;
  code.object = std::move(*object);
  code.inPlace = graph.getPlaces(*module);
  return code;
}

llvm::Expected<HostFunction>
HostFunction::create(ModuleOp module, StringRef entry, MemoryRules rules,
                     Compile compile, const CompileHooks &hooks) {
  auto graph = IsolatedGraph::create(module, entry, /*exposesStates=*/false);
  if (!graph)
    return graph.takeError();
  Signature &signature = graph->signature;

  std::optional<HostCode> code;
  std::optional<LoadedCode> loaded;
  auto load = [&]() -> llvm::Error {
    Stopwatch watch(hooks.times ? &hooks.times->load : nullptr);
    auto created = LoadedCode::load(std::move(code->object));
    if (!created)
      return created.takeError();
    loaded.emplace(std::move(*created));
    return llvm::Error::success();
  };
  if (hooks.store && (code = hooks.store->find())) {
    // What cannot be loaded is compiled again.
    if (code->inPlace.size() != signature.results.size())
      code.reset();
    else if (llvm::Error error = load())
      llvm::consumeError(std::move(error));
  }
  if (!loaded) {
    auto compiled = compileCode(*graph, rules.strided, compile);
    if (!compiled)
      return compiled.takeError();
    code = std::move(*compiled);
    if (hooks.store)
      hooks.store->save(*code);
    if (llvm::Error error = load())
      return std::move(error);
  }
  int64_t numArguments = signature.arguments.size();
  for (auto [info, place] : llvm::zip_equal(signature.results, code->inPlace))
    if (place < numArguments)
      info.state = place;
  return HostFunction(std::move(*graph), rules, std::move(*loaded),
                      code->inPlace);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

llvm::Error HostFunction::check(ArrayRef<Array> arguments) const {
  SmallVector<DLTensor, 8> views;
  for (const Array &argument : arguments)
    views.push_back(viewOf(argument));
  if (llvm::Error error = checkArguments(graph.signature, views, MemoryRules()))
    return error;
  return graph.checks.check(arguments);
}

llvm::Error HostFunction::check(ArrayRef<DLTensor> arguments,
                                ArrayRef<DLTensor> results,
                                bool checkContents) const {
  if (llvm::Error error = checkArguments(graph.signature, arguments, rules))
    return error;
  SmallVector<Array, 8> arrays;
  for (auto [tensor, info] :
       llvm::zip_equal(arguments, graph.signature.arguments))
    arrays.push_back(wrap(tensor, info.type));
  if (llvm::Error error = graph.checks.checkSizes(arrays))
    return error;
  if (llvm::Error error =
          checkResults(graph.signature, arguments, results, rules))
    return error;
  for (auto [i, info] : llvm::enumerate(graph.signature.results))
    if (info.isTensor && inPlace[i] < 0 && rules.device.device_type != kDLCPU)
      return createError(graph.signature.location + ": '" +
                         graph.signature.function + "', result " + Twine(i) +
                         ": the function returns memory of the device; call() "
                         "takes it");
  if (!checkContents || !graph.checks.hasContents() ||
      rules.device.device_type != kDLCPU)
    return llvm::Error::success();
  // The checks read dense arrays.
  for (auto [i, tensor] : llvm::enumerate(arguments)) {
    if (!graph.checks.reads(i) || isDense(tensor))
      continue;
    auto copy = copyOf(tensor, graph.signature.arguments[i].type);
    if (!copy)
      return copy.takeError();
    arrays[i] = std::move(*copy);
  }
  return graph.checks.checkContents(arrays);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

llvm::Error HostFunction::run(ArrayRef<DLTensor> arguments,
                              ArrayRef<DLTensor> results) const {
  PackedCall call(graph.signature, inPlace);
  for (const DLTensor &argument : arguments)
    call.addArgument(argument);
  for (const DLTensor &result : results)
    call.addResult(result);
  if (llvm::Error error = call.run(code))
    return error;
  call.copyReturned(arguments, results);
  return llvm::Error::success();
}

llvm::Expected<SmallVector<Array>>
HostFunction::call(ArrayRef<Array> arguments, const Memory &memory) const {
  PackedCall call(graph.signature, inPlace);
  for (const Array &argument : arguments)
    call.addArgument(viewOf(argument, memory.device));
  SmallVector<Array> results(graph.signature.results.size());
  for (auto [result, info] :
       llvm::zip_equal(results, graph.signature.results)) {
    if (info.state >= 0) {
      result = arguments[info.state];
    } else if (info.isTensor && info.hasKnownShape()) {
      auto array = memory.allocate(info.type, info.getShape(arguments));
      if (!array)
        return array.takeError();
      result = std::move(*array);
    }
    call.addResult(viewOf(result, memory.device));
  }
  if (llvm::Error error = call.run(code))
    return std::move(error);
  call.takeReturned(arguments, results, memory.release);
  return results;
}

} // namespace attn
