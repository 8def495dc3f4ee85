//===- ExposeStates.cpp - From a graph to a step of it ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/ExposeStates.h"
#include "mlir/Pass/PassManager.h"
#include "passes/Passes.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/Signature.h"

using namespace mlir;

namespace attn {

/// "state" for one state, else "state0", "state1", ...
static void nameStates(func::FuncOp function, unsigned first) {
  unsigned count = function.getNumArguments() - first;
  for (unsigned i = 0; i < count; ++i)
    function.setArgAttr(
        first + i, kNameAttrName,
        StringAttr::get(function.getContext(),
                        count == 1 ? Twine("state") : "state" + Twine(i)));
}

llvm::Expected<unsigned> exposeStates(func::FuncOp function) {
  unsigned before = function.getNumArguments();
  PassManager pm(function.getContext(), func::FuncOp::getOperationName());
  pm.addPass(mlir::attn::createAttnAnalyzeScans());
  pm.addPass(mlir::attn::createAttnLinearize());
  pm.addPass(mlir::attn::createAttnExposeState());
  if (llvm::Error error =
          collectErrors(function.getContext(), "states cannot be exposed",
                        [&] { return pm.run(function); }))
    return std::move(error);
  if (function.getNumArguments() == before)
    return createError(function.getLoc(), "'" + function.getSymName() +
                                              "' has no state: nothing "
                                              "of it is a recurrence");
  nameStates(function, before);
  return before;
}

} // namespace attn
