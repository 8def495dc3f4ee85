//===- DropStateResults.cpp - What is in place is no result --------------===//
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

/// The number of the state or output that `value` is the whole buffer of, or
/// -1.
static int64_t getPlace(func::FuncOp function, Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || !isa<MemRefType>(value.getType()) ||
      argument.getOwner() != &function.getBody().front())
    return -1;
  unsigned number = argument.getArgNumber();
  if (!function.getArgAttr(number, kStateAttrName) &&
      !function.getArgAttr(number, kOutputAttrName))
    return -1;
  return number;
}

static void dropPlaced(func::FuncOp function) {
  auto ret = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  SmallVector<int64_t> inPlace;
  llvm::BitVector dropped(ret.getNumOperands());
  for (auto [i, operand] : llvm::enumerate(ret.getOperands())) {
    inPlace.push_back(getPlace(function, operand));
    dropped[i] = inPlace.back() >= 0;
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
        dropPlaced(function);
  }
};
} // namespace
