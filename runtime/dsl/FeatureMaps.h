//===- FeatureMaps.h - Feature maps of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_FEATUREMAPS_H
#define ATTN_RUNTIME_DSL_FEATUREMAPS_H

#include "runtime/dsl/Expr.h"
#include "runtime/dsl/Scalar.h"
#include <optional>

namespace attn::dsl {

/// A named feature map of the dialect with its operands.
struct FeatureMap {
  /// The attribute, "#attn.elu1".
  std::string attribute;
  std::vector<Expr> operands;
};

/// The dimensions of tokens and features; by default the two last ones.
struct FeatureDims {
  std::optional<int64_t> token, feature;
};

/// attn.feature_map with a named map. `start`, an i64 of rank 0, is the
/// position of the first token.
Expr featureMap(Expr x, FeatureMap map, FeatureDims dims = {},
                std::optional<Expr> start = std::nullopt,
                SourceLine where = {});
/// attn.feature_map with a region: a map of one's own, of each element.
Expr featureMap(Expr x, ScalarMap map, FeatureDims dims = {},
                SourceLine where = {});
/// attn.feature_scale: log max_f phi_f of each token, for an exponential map.
Expr featureScale(Expr x, FeatureMap map, FeatureDims dims = {},
                  SourceLine where = {});

/// The maps of the dialect; docs/Spec.md has their formulas.
namespace maps {
FeatureMap identity();
FeatureMap elu1();
FeatureMap relu();
FeatureMap squaredRelu();
FeatureMap exp();
FeatureMap sigmoid();
FeatureMap logSigmoid();
FeatureMap softplus();
FeatureMap silu();
FeatureMap negativeExp();
FeatureMap l2Norm(double eps = 1e-6);
FeatureMap taylor2();
/// W is [m, D] or [H, m, D].
FeatureMap favor(Expr w);
FeatureMap hedgehog();
FeatureMap hedgehog(Expr w);
FeatureMap cosformer(int64_t maxTokens);
} // namespace maps

Expr identity(Expr x, SourceLine where = {});
Expr elu1(Expr x, SourceLine where = {});
Expr relu(Expr x, SourceLine where = {});
Expr squaredRelu(Expr x, SourceLine where = {});
Expr exp(Expr x, SourceLine where = {});
Expr sigmoid(Expr x, SourceLine where = {});
Expr logSigmoid(Expr x, SourceLine where = {});
Expr softplus(Expr x, SourceLine where = {});
Expr silu(Expr x, SourceLine where = {});
Expr negativeExp(Expr x, SourceLine where = {});
Expr l2Norm(Expr x, SourceLine where = {});
Expr taylor2(Expr x, SourceLine where = {});
Expr favor(Expr x, Expr w, SourceLine where = {});
Expr hedgehog(Expr x, SourceLine where = {});
Expr hedgehog(Expr x, Expr w, SourceLine where = {});
Expr cosformer(Expr x, int64_t maxTokens, SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_FEATUREMAPS_H
