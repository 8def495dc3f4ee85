//===- AttnAttrs.td - All attributes of the dialect ---------*- tablegen -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_ATTNATTRS_TD
#define ATTN_DIALECT_ATTNATTRS_TD

include "dialect/AttnFeatureMaps.td"
include "dialect/AttnMasks.td"
include "dialect/AttnTransitions.td"

#endif // ATTN_DIALECT_ATTNATTRS_TD
