//===- IsolatedGraph.cpp - One function of a graph by itself --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/IsolatedGraph.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/Passes.h"
#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/ExposeStates.h"

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

llvm::Expected<IsolatedGraph>
IsolatedGraph::create(ModuleOp module, StringRef entry, bool exposesStates) {
  OwningOpRef<ModuleOp> copy(module.clone());
  auto function = isolate(*copy, entry);
  if (!function)
    return function.takeError();
  if (exposesStates) {
    auto before = exposeStates(*function);
    if (!before)
      return before.takeError();
  }
  auto checks = ContentChecks::create(*function);
  if (!checks)
    return checks.takeError();
  auto signature = Signature::create(*function, checks->getClasses());
  if (!signature)
    return signature.takeError();
  return IsolatedGraph{std::move(copy), *function, std::move(*checks),
                       std::move(*signature)};
}

/// Arguments belong to the caller, but states are updated in place. Results
/// whose shape the caller knows get a buffer from it, as last arguments.
static void declareMemory(func::FuncOp function, const Signature &signature,
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
  function.getContext()->loadDialect<LLVM::LLVMDialect>();
  (void)function.insertArgument(
      function.getNumArguments(),
      LLVM::LLVMPointerType::get(function.getContext()),
      b.getDictionaryAttr({}), function.getLoc());
  function->setAttr(mlir::attn::kStatusAttrName, b.getUnitAttr());
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    b.getUnitAttr());
}

OwningOpRef<ModuleOp> IsolatedGraph::copyToLower(bool strided) const {
  OwningOpRef<ModuleOp> copy(cast<ModuleOp>(module.get()->clone()));
  declareMemory(copy->lookupSymbol<func::FuncOp>(getName()), signature,
                strided);
  return copy;
}

SmallVector<int64_t> IsolatedGraph::getPlaces(ModuleOp lowered) const {
  SmallVector<int64_t> places(signature.results.size(), -1);
  if (auto known =
          lowered.lookupSymbol(getName())->getAttrOfType<DenseI64ArrayAttr>(
              mlir::attn::kInPlaceAttrName))
    places.assign(known.asArrayRef().begin(), known.asArrayRef().end());
  return places;
}

} // namespace attn
