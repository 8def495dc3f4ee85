//===- Products.h - Products of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_PRODUCTS_H
#define ATTN_RUNTIME_DSL_PRODUCTS_H

#include "runtime/dsl/Expr.h"

namespace attn::dsl {

/// attn.score: `..nd,..md->..nm`, or as the subscripts say.
Expr score(Expr lhs, Expr rhs, std::string subscripts = "",
           SourceLine where = {});
/// attn.apply: `..nm,..mv->..nv`, or as the subscripts say.
Expr apply(Expr scores, Expr values, std::string subscripts = "",
           SourceLine where = {});
/// attn.contract, the product that the subscripts say.
Expr contract(Expr lhs, Expr rhs, std::string subscripts,
              SourceLine where = {});
/// What `lhs * rhs` is.
Expr multiply(Expr lhs, Expr rhs, SourceLine where = {});
/// attn.scale: factor * x
Expr scale(Expr x, double factor, SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_PRODUCTS_H
