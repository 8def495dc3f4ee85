//===- DropStateResults.cpp - States in place are no results --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Passes.h"
#include "llvm/ADT/BitVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNDROPSTATERESULTS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// The number of the state that `value` is the whole buffer of, or -1.
static int64_t getState(func::FuncOp function, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || !isa<MemRefType>(value.getType()) ||
      argument.getOwner() != &function.getBody().front() ||
      !function.getArgAttr(argument.getArgNumber(), kStateAttrName))
    return -1;
  return argument.getArgNumber();
}

static void dropStates(func::FuncOp function) {
  auto ret = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  // Outputs are in place already, and not returned.
  SmallVector<int64_t> inPlace(ret.getNumOperands(), -1);
  if (auto outputs =
          function->getAttrOfType<DenseI64ArrayAttr>(kInPlaceAttrName))
    inPlace = llvm::to_vector(outputs.asArrayRef());
  llvm::BitVector dropped(ret.getNumOperands());
  unsigned next = 0;
  for (int64_t &place : inPlace) {
    if (place >= 0)
      continue;
    place = getState(function, ret->getOperand(next));
    dropped[next++] = place >= 0;
  }
  if (dropped.none() || failed(function.eraseResults(dropped)))
    return;
  ret->eraseOperands(dropped);
  function->setAttr(kInPlaceAttrName,
                    DenseI64ArrayAttr::get(function.getContext(), inPlace));
}

namespace {
struct DropStateResults
    : attn::impl::AttnDropStateResultsBase<DropStateResults> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto function : module.getOps<func::FuncOp>())
      if (function.getBody().hasOneBlock() &&
          SymbolTable::symbolKnownUseEmpty(function, module))
        dropStates(function);
  }
};
} // namespace
