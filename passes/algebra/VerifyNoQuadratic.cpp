//===- VerifyNoQuadratic.cpp - The guard against N x M values -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "passes/Passes.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNVERIFYNOQUADRATIC
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
struct VerifyNoQuadratic
    : attn::impl::AttnVerifyNoQuadraticBase<VerifyNoQuadratic> {
  void runOnOperation() override {
    bool found = false;
    auto report = [&](Operation *op, StringRef axes) {
      found = true;
      op->emitError() << "quadratic intermediate: the result of '"
                      << op->getName() << "' has the token axes " << axes
                      << ", of type " << op->getResult(0).getType();
    };
    getOperation()->walk([&](Operation *op) {
      if (auto product = dyn_cast<ContractionOpInterface>(op)) {
        SmallVector<StringRef> axes;
        Einsum einsum = product.getSubscripts();
        for (const EinsumDim &dim : einsum.result)
          for (const char &axis : dim)
            if (Einsum::isTokenAxis(axis))
              axes.push_back(StringRef(&axis, 1));
        if (axes.size() > 1)
          report(op, llvm::join(axes, ", "));
      } else if (isa<MaskOp, SoftmaxOp, NormalizeOp>(op)) {
        report(op, "n, m");
      }
    });
    if (found)
      signalPassFailure();
  }
};
} // namespace
