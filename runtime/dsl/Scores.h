//===- Scores.h - Masks, normalisers and softmax of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_SCORES_H
#define ATTN_RUNTIME_DSL_SCORES_H

#include "runtime/dsl/FeatureMaps.h"

namespace attn::dsl {

/// What stands for the scores that a mask excludes: 0 before a product or a
/// normaliser, -inf before a softmax.
enum class Fill { Zero, MinusInfinity };

/// Keys m <= n + offset of query n.
Expr causal(Expr scores, Fill fill = Fill::Zero, int64_t offset = 0,
            SourceLine where = {});
/// Keys m < n.
Expr strictlyCausal(Expr scores, Fill fill = Fill::Zero, SourceLine where = {});
/// Keys n - left <= m <= n + right.
Expr slidingWindow(Expr scores, int64_t left, int64_t right,
                   Fill fill = Fill::Zero, SourceLine where = {});
/// Query and key in one segment of cu_seqlens, i32 or i64 [S + 1].
Expr packed(Expr scores, Expr cuSeqlens, Fill fill = Fill::Zero,
            SourceLine where = {});
/// The same, where keys have segments of their own.
Expr packed(Expr scores, Expr cuQueries, Expr cuKeys, Fill fill = Fill::Zero,
            SourceLine where = {});
/// Pairs where an i1 tensor, which broadcasts to the scores, is true.
Expr masked(Expr scores, Expr mask, Fill fill = Fill::Zero,
            SourceLine where = {});

/// attn.softmax over the last dimension. Scores whose excluded pairs are 0 are
/// an error: they would count.
Expr softmax(Expr scores, SourceLine where = {});
/// The same, which passes may replace by the rows of a feature map.
Expr softmax(Expr scores, FeatureMap approximatedBy, SourceLine where = {});

/// What bounds a divisor: `eps + y`, with a floor `eps + max(|y|, floor)`, with
/// a log scale m as well `eps + max(|y|, floor e^-m)`.
struct Divisor {
  double eps = 0;
  std::optional<double> floor;
  /// Not for normalize.
  std::optional<Expr> logScale;
};

/// attn.normalize: rows divided by their sums.
Expr normalize(Expr scores, Divisor divisor = {}, SourceLine where = {});
/// attn.append_ones, by default along the last dimension.
Expr appendOnes(Expr x, std::optional<int64_t> dim = std::nullopt,
                SourceLine where = {});
/// attn.divide_by_last, by default along the last dimension.
Expr divideByLast(Expr x, Divisor divisor = {},
                  std::optional<int64_t> dim = std::nullopt,
                  SourceLine where = {});
/// attn.divide: element by element, 0 where the divisor is.
Expr divide(Expr numerator, Expr denominator, Divisor divisor = {},
            SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_SCORES_H
