//===- Attn.td - The whole dialect, for its reference -------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTN_TD
#define ATTN_DIALECT_ATTN_TD

include "dialect/AttnAttrs.td"
include "dialect/AttnOps.td"

#endif // ATTN_DIALECT_ATTN_TD
