//===- HostFunction.cpp - A compiled function that the host calls --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/HostFunction.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/Passes.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckArguments.h"

using namespace mlir;

namespace attn {

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

llvm::Expected<HostFunction>
HostFunction::create(ModuleOp module, StringRef entry,
                     llvm::function_ref<llvm::Error(ModuleOp)> lower,
                     const JitOptions &options) {
  OwningOpRef<ModuleOp> graph(module.clone());
  auto function = isolate(*graph, entry);
  if (!function)
    return function.takeError();
  for (Type type : llvm::concat<const Type>(function->getArgumentTypes(),
                                            function->getResultTypes()))
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
    return layout.takeError();
  auto engine = compileForHost(*code, options);
  if (!engine)
    return engine.takeError();
  auto kernel = (*engine)->lookupPacked(("_mlir_ciface_" + entry).str());
  if (!kernel)
    return kernel.takeError();
  HostFunction result(std::move(graph), *function, std::move(*checks));
  result.engine = std::move(*engine);
  result.kernel = *kernel;
  result.resultLayout = std::move(*layout);
  return result;
}

llvm::Error HostFunction::check(ArrayRef<Array> arguments) const {
  if (llvm::Error error = checkArguments(function, arguments))
    return error;
  return checks.check(arguments);
}

SmallVector<Array> HostFunction::call(ArrayRef<Array> arguments,
                                      void (*release)(void *)) const {
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
  kernel(packed.data());
  return results.take(arguments, release);
}

} // namespace attn
