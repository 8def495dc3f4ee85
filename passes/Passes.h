//===- Passes.h - Every pass and its options -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PASSES_H
#define ATTN_PASSES_PASSES_H

#include "dialect/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::attn {

/// The orders of a chain of products that attn-reassociate may take.
enum class OrderChoice {
  Auto,   ///< the cheapest
  Linear, ///< the cheapest of those without N x M values
  Written ///< the one that is written
};

/// The attribute of an argument that is a state: it is updated in place.
inline constexpr llvm::StringLiteral kStateAttrName = "attn.state";
/// The attribute of a buffer that is the memory of a result, whose number it
/// has: attn-write-outputs puts the result there.
inline constexpr llvm::StringLiteral kOutputAttrName = "attn.output";
/// The attribute of a function some of whose results are in arguments
/// (attn-write-outputs, attn-drop-state-results): the argument that stands for
/// each result, or -1.
inline constexpr llvm::StringLiteral kInPlaceAttrName = "attn.in_place";

/// The attribute of a function whose last argument is the address of an i64
/// that is 0: attn-check-allocations stores the bytes there that were not to
/// be had.
inline constexpr llvm::StringLiteral kStatusAttrName = "attn.status";

#define GEN_PASS_DECL
#include "passes/Passes.h.inc"

/// Registers all passes of Passes.td.
void registerAttnPasses();
/// Registers the pipelines, one for each kind of target.
void registerAttnPipelines();

} // namespace mlir::attn

#endif // ATTN_PASSES_PASSES_H
