//===- InPlace.h - Updates of tensors -*- C++ -*- -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_CPU_INPLACE_H
#define ATTN_PASSES_CPU_INPLACE_H

#include "mlir/IR/Value.h"

namespace mlir::attn {

/// Whether `value` is `tensor` after updates in place.
bool isUpdateOf(Value value, Value tensor);

} // namespace mlir::attn

#endif // ATTN_PASSES_CPU_INPLACE_H
