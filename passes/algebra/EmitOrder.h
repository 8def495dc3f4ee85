//===- EmitOrder.h - IR of a chain in a given order -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_EMITORDER_H
#define ATTN_PASSES_ALGEBRA_EMITORDER_H

#include "passes/algebra/Chain.h"

namespace mlir::attn {

/// Writes the chain in `order` at the builder's insertion point; a value of the
/// type of the chain's root. The order that is written is cloned as it stands.
Value emitOrder(OpBuilder &builder, const Chain &chain,
                const Bracketing &order);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_EMITORDER_H
