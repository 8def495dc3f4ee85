//===- ReferenceEngine.cpp - The f64 evaluation as an engine -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/CheckContents.h"
#include "runtime/engine/Engine.h"
#include "runtime/reference/Reference.h"

using namespace mlir;

namespace attn {
namespace {

class ReferenceCallable : public Callable {
public:
  ReferenceCallable(OwningOpRef<ModuleOp> module, func::FuncOp function,
                    Signature signature)
      : Callable(std::move(signature)), module(std::move(module)),
        function(function) {
    rules.strided = true;
  }

  llvm::Error run(ArrayRef<DLTensor> arguments, ArrayRef<DLTensor> results,
                  const RunOptions &) const override {
    if (llvm::Error error = checkArguments(signature, arguments, rules))
      return error;
    if (llvm::Error error = checkResults(signature, arguments, results, rules))
      return error;
    SmallVector<Array> copies;
    for (auto [tensor, info] :
         llvm::zip_equal(arguments, signature.arguments)) {
      auto copy = copyOf(tensor, info.type);
      if (!copy)
        return copy.takeError();
      copies.push_back(std::move(*copy));
    }
    auto computed = evaluate(function, copies);
    if (!computed)
      return computed.takeError();
    for (auto [array, result] : llvm::zip_equal(*computed, results))
      copyElements(viewOf(array), result);
    return llvm::Error::success();
  }

  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override {
    SmallVector<DLTensor> views;
    for (const Array &argument : arguments)
      views.push_back(viewOf(argument));
    if (llvm::Error error = checkArguments(signature, views, MemoryRules()))
      return std::move(error);
    return evaluate(function, arguments);
  }

private:
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  MemoryRules rules;
};

class ReferenceEngine : public Engine {
public:
  llvm::Expected<std::unique_ptr<Callable>>
  compile(ModuleOp module, StringRef entry,
          const CompileHooks &) const override {
    // The caller may rewrite its module before the first call.
    OwningOpRef<ModuleOp> copy(module.clone());
    llvm::Expected<func::FuncOp> function = findEntry(*copy, entry);
    if (!function)
      return function.takeError();
    auto classes = analyzeSizes(*function);
    if (!classes)
      return classes.takeError();
    auto signature = Signature::create(*function, *classes);
    if (!signature)
      return signature.takeError();
    for (ResultInfo &result : signature->results) {
      result.type = ElementType::F64;
      result.isTensor = true;
    }
    return std::make_unique<ReferenceCallable>(std::move(copy), *function,
                                               std::move(*signature));
  }
};

} // namespace

std::unique_ptr<Engine> createReferenceEngine() {
  return std::make_unique<ReferenceEngine>();
}

} // namespace attn
