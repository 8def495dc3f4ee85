//===- MarkNoAlias.cpp - Buffers of kernels do not overlap ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "passes/Passes.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNMARKNOALIAS
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;

namespace {
struct MarkNoAlias : attn::impl::AttnMarkNoAliasBase<MarkNoAlias> {
  void runOnOperation() override {
    getOperation().walk([](LLVM::LLVMFuncOp function) {
      if (!function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
        return;
      for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
        if (isa<LLVM::LLVMPointerType>(type))
          function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                              UnitAttr::get(function.getContext()));
    });
  }
};
} // namespace
