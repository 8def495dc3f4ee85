//===- ReferenceEngine.cpp - The f64 evaluation as an engine -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CheckArguments.h"
#include "runtime/engine/Engine.h"
#include "runtime/reference/Reference.h"

using namespace mlir;
using attn::Array;

namespace {

class ReferenceCallable : public attn::Callable {
public:
  ReferenceCallable(OwningOpRef<ModuleOp> module, func::FuncOp function)
      : module(std::move(module)), function(function) {}

  llvm::Expected<SmallVector<Array>>
  call(ArrayRef<Array> arguments) const override {
    if (llvm::Error error = attn::checkArguments(function, arguments))
      return std::move(error);
    return attn::evaluate(function, arguments);
  }

private:
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
};

class ReferenceEngine : public attn::Engine {
public:
  llvm::Expected<std::unique_ptr<attn::Callable>>
  compile(ModuleOp module, StringRef entry) const override {
    // The caller may rewrite its module before the first call.
    OwningOpRef<ModuleOp> copy(module.clone());
    llvm::Expected<func::FuncOp> function = attn::findEntry(*copy, entry);
    if (!function)
      return function.takeError();
    return std::make_unique<ReferenceCallable>(std::move(copy), *function);
  }
};

} // namespace

std::unique_ptr<attn::Engine> attn::createReferenceEngine() {
  return std::make_unique<ReferenceEngine>();
}
