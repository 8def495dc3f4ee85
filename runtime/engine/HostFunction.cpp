//===- HostFunction.cpp - A compiled function that the host calls -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/HostFunction.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/Passes.h"
#include "runtime/array/Error.h"
#include "runtime/engine/PackedCall.h"

using namespace mlir;
using mlir::bufferization::BufferizationDialect;

namespace attn {

llvm::Expected<func::FuncOp> isolate(ModuleOp module, StringRef entry) {
  auto function = findEntry(module, entry);
  if (!function)
    return function.takeError();
  for (auto other : module.getOps<func::FuncOp>())
    other.setVisibility(other == *function ? SymbolTable::Visibility::Public
                                           : SymbolTable::Visibility::Private);
  return function;
}

void declareMemory(func::FuncOp function, const Signature &signature,
                   bool strided) {
  Builder b(function.getContext());
  auto getLayout = [&](RankedTensorType type) -> MemRefLayoutAttrInterface {
    if (!strided || type.getRank() == 0)
      return nullptr;
    SmallVector<int64_t> strides(type.getRank(), ShapedType::kDynamic);
    strides.back() = 1;
    return StridedLayoutAttr::get(b.getContext(), 0, strides);
  };
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      continue;
    bool isState = signature.arguments[i].isState;
    function.setArgAttr(i, BufferizationDialect::kWritableAttrName,
                        b.getBoolAttr(isState));
    if (MemRefLayoutAttrInterface layout = getLayout(tensor);
        layout && !isState)
      function.setArgAttr(i, BufferizationDialect::kBufferLayoutAttrName,
                          layout);
  }
  for (auto [i, info] : llvm::enumerate(signature.results)) {
    if (!info.isTensor || !info.hasKnownShape())
      continue;
    auto tensor = cast<RankedTensorType>(function.getResultTypes()[i]);
    auto buffer = MemRefType::get(tensor.getShape(), tensor.getElementType(),
                                  getLayout(tensor));
    (void)function.insertArgument(
        function.getNumArguments(), buffer,
        b.getDictionaryAttr(b.getNamedAttr(mlir::attn::kOutputAttrName,
                                           b.getI64IntegerAttr(i))),
        function.getLoc());
  }
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    b.getUnitAttr());
}

static llvm::Expected<HostCode> compileCode(ModuleOp graph, StringRef entry,
                                            const Signature &signature,
                                            bool strided,
                                            HostFunction::Compile compile) {
  OwningOpRef<ModuleOp> module(graph.clone());
  declareMemory(module->lookupSymbol<func::FuncOp>(entry), signature, strided);
  auto object = compile(*module, ("_mlir_ciface_" + entry).str());
  if (!object)
    return object.takeError();
  HostCode code;
  code.object = std::move(*object);
  code.inPlace.assign(signature.results.size(), -1);
  if (auto places =
          module->lookupSymbol(entry)->getAttrOfType<DenseI64ArrayAttr>(
              mlir::attn::kInPlaceAttrName))
    code.inPlace.assign(places.asArrayRef().begin(), places.asArrayRef().end());
  return code;
}

llvm::Expected<HostFunction>
HostFunction::create(ModuleOp module, StringRef entry, MemoryRules rules,
                     Compile compile, const CompileHooks &hooks) {
  OwningOpRef<ModuleOp> graph(module.clone());
  auto function = isolate(*graph, entry);
  if (!function)
    return function.takeError();
  auto checks = ContentChecks::create(*function);
  if (!checks)
    return checks.takeError();
  auto signature = Signature::create(*function, checks->getClasses());
  if (!signature)
    return signature.takeError();

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
    if (code->inPlace.size() != signature->results.size())
      code.reset();
    else if (llvm::Error error = load())
      llvm::consumeError(std::move(error));
  }
  if (!loaded) {
    auto compiled = compileCode(*graph, function->getSymName(), *signature,
                                rules.strided, compile);
    if (!compiled)
      return compiled.takeError();
    code = std::move(*compiled);
    if (hooks.store)
      hooks.store->save(*code);
    if (llvm::Error error = load())
      return std::move(error);
  }
  int64_t numArguments = signature->arguments.size();
  for (auto [info, place] : llvm::zip_equal(signature->results, code->inPlace))
    if (place < numArguments)
      info.state = place;
  return HostFunction(std::move(graph), std::move(*signature),
                      std::move(*checks), rules, std::move(*loaded),
                      code->inPlace);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

llvm::Error HostFunction::check(ArrayRef<Array> arguments) const {
  SmallVector<DLTensor, 8> views;
  for (const Array &argument : arguments)
    views.push_back(viewOf(argument));
  if (llvm::Error error = checkArguments(signature, views, MemoryRules()))
    return error;
  return checks.check(arguments);
}

llvm::Error HostFunction::check(ArrayRef<DLTensor> arguments,
                                ArrayRef<DLTensor> results,
                                bool checkContents) const {
  if (llvm::Error error = checkArguments(signature, arguments, rules))
    return error;
  SmallVector<Array, 8> arrays;
  for (auto [tensor, info] : llvm::zip_equal(arguments, signature.arguments))
    arrays.push_back(wrap(tensor, info.type));
  if (llvm::Error error = checks.checkSizes(arrays))
    return error;
  if (llvm::Error error = checkResults(signature, arguments, results, rules))
    return error;
  for (auto [i, info] : llvm::enumerate(signature.results))
    if (info.isTensor && inPlace[i] < 0 && rules.device.device_type != kDLCPU)
      return createError(signature.location + ": '" + signature.function +
                         "', result " + Twine(i) +
                         ": the function returns memory of the device; call() "
                         "takes it");
  if (!checkContents || !checks.hasContents() ||
      rules.device.device_type != kDLCPU)
    return llvm::Error::success();
  // The checks read dense arrays.
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

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

void HostFunction::run(ArrayRef<DLTensor> arguments,
                       ArrayRef<DLTensor> results) const {
  PackedCall call(signature, inPlace);
  for (const DLTensor &argument : arguments)
    call.addArgument(argument);
  for (const DLTensor &result : results)
    call.addResult(result);
  call.run(code);
  call.copyReturned(arguments, results);
}

llvm::Expected<SmallVector<Array>>
HostFunction::call(ArrayRef<Array> arguments, const Memory &memory) const {
  PackedCall call(signature, inPlace);
  for (const Array &argument : arguments)
    call.addArgument(viewOf(argument, memory.device));
  SmallVector<Array> results(signature.results.size());
  for (auto [result, info] : llvm::zip_equal(results, signature.results)) {
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
  call.run(code);
  call.takeReturned(arguments, results, memory.release);
  return results;
}

} // namespace attn
