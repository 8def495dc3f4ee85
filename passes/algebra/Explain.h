//===- Explain.h - Plans as text -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_EXPLAIN_H
#define ATTN_PASSES_ALGEBRA_EXPLAIN_H

#include "passes/algebra/Plan.h"

namespace mlir::attn {

/// An order as a formula, `phi(arg0) (phi(arg1)^T [arg2 1])`.
std::string getFormula(const Chain &chain, const Bracketing &order);

/// The plan of a function as a table: for each chain all orders with flops,
/// bytes and peak memory, the chosen one marked, and below it what could not
/// be reordered. `dimSizes` gives the sizes of dynamic dimensions by their name
/// (ShapeClasses::getName); where one is missing, costs are polynomials and the
/// condition under which an order wins is printed.
std::string
explainPlan(ModuleOp module, StringRef entry,
            function_ref<std::optional<int64_t>(StringRef)> dimSizes,
            double flopsPerByte = 16);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_EXPLAIN_H
