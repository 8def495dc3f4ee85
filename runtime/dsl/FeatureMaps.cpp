//===- FeatureMaps.cpp - Feature maps of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/FeatureMaps.h"
#include "runtime/dsl/Maps.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using mlir::attn::FeatureMapAttrInterface;

namespace attn::dsl {

static IntegerAttr getDim(GraphBuilder &builder, std::optional<int64_t> dim) {
  return dim ? builder.getI64IntegerAttr(*dim) : IntegerAttr();
}

/// The dimension of the features of `x`; reports one that is not there.
static FailureOr<size_t> findFeatures(GraphBuilder &builder, const Tensor &x,
                                      const FeatureDims &dims) {
  int64_t feature = dims.feature.value_or(x.getRank() - 1);
  if (feature < 0 || feature >= x.getRank())
    return builder.error() << describe(x) << " has no dimension " << feature
                           << " of features";
  return static_cast<size_t>(feature);
}

Expr featureMap(Expr x, FeatureMap map, FeatureDims dims,
                std::optional<Expr> start, SourceLine where) {
  std::vector<Expr> operands{std::move(x)};
  llvm::append_range(operands, map.operands);
  if (start)
    operands.push_back(*start);
  bool hasStart = start.has_value();
  return makeExpr(
      where, std::move(operands),
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        auto attribute = builder.parse<FeatureMapAttrInterface>(map.attribute);
        if (failed(attribute))
          return failure();
        const Tensor &input = operands[0];
        SmallVector<Value> mapOperands;
        for (const Tensor &operand :
             operands.drop_front().take_front(map.operands.size()))
          mapOperands.push_back(operand.value);
        Value first = hasStart ? operands.back().value : Value();
        std::vector<Dim> result = input.dims;
        if (!attribute->isElementwise()) {
          FailureOr<size_t> features = findFeatures(builder, input, dims);
          if (failed(features))
            return failure();
          Dim &width = result[*features];
          // Also asked of operands that the verifier refuses.
          auto error = [&] { return builder.error(); };
          if (width.isStatic()) {
            if (failed(attribute->verifyFeatureMap(
                    error, width.getFactor(),
                    ValueRange(mapOperands).getTypes())))
              return failure();
            width = Dim(attribute->getNumFeatures(
                width.getFactor(), ValueRange(mapOperands).getTypes()));
          }
        }
        return builder.make<mlir::attn::FeatureMapOp>(
            std::move(result),
            builder.getWideElement(hasStart ? operands.drop_back() : operands),
            input.isScores, input.value, mapOperands, first, *attribute,
            getDim(builder, dims.token), getDim(builder, dims.feature));
      });
}

Expr featureMap(Expr x, ScalarMap map, FeatureDims dims, SourceLine where) {
  return makeExpr(where, {std::move(x)},
                  [body = map(makeArgument(0)),
                   dims](GraphBuilder &builder,
                         ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
                    return makeRegionMap(builder, body, operands[0],
                                         getDim(builder, dims.token),
                                         getDim(builder, dims.feature));
                  });
}

Expr featureScale(Expr x, FeatureMap map, FeatureDims dims, SourceLine where) {
  std::vector<Expr> operands{std::move(x)};
  llvm::append_range(operands, map.operands);
  return makeExpr(
      where, std::move(operands),
      [=](GraphBuilder &builder,
          ArrayRef<Tensor> operands) -> FailureOr<Tensor> {
        auto attribute = builder.parse<FeatureMapAttrInterface>(map.attribute);
        if (failed(attribute))
          return failure();
        FailureOr<size_t> features = findFeatures(builder, operands[0], dims);
        if (failed(features))
          return failure();
        SmallVector<Value> mapOperands;
        for (const Tensor &operand : operands.drop_front())
          mapOperands.push_back(operand.value);
        std::vector<Dim> result = operands[0].dims;
        result.erase(result.begin() + *features);
        return builder.make<mlir::attn::FeatureScaleOp>(
            std::move(result), builder.getWideElement(operands),
            /*isScores=*/false, operands[0].value, mapOperands, *attribute,
            getDim(builder, dims.token), getDim(builder, dims.feature));
      });
}

//===----------------------------------------------------------------------===//
// The maps of the dialect
//===----------------------------------------------------------------------===//

namespace maps {
FeatureMap identity() { return {"#attn.identity", {}}; }
FeatureMap elu1() { return {"#attn.elu1", {}}; }
FeatureMap relu() { return {"#attn.relu", {}}; }
FeatureMap squaredRelu() { return {"#attn.squared_relu", {}}; }
FeatureMap exp() { return {"#attn.exp", {}}; }
FeatureMap sigmoid() { return {"#attn.sigmoid", {}}; }
FeatureMap logSigmoid() { return {"#attn.log_sigmoid", {}}; }
FeatureMap softplus() { return {"#attn.softplus", {}}; }
FeatureMap silu() { return {"#attn.silu", {}}; }
FeatureMap negativeExp() { return {"#attn.negative_exp", {}}; }
FeatureMap taylor2() { return {"#attn.taylor2", {}}; }
FeatureMap hedgehog() { return {"#attn.hedgehog", {}}; }
FeatureMap hedgehog(Expr w) { return {"#attn.hedgehog", {std::move(w)}}; }
FeatureMap favor(Expr w) { return {"#attn.favor", {std::move(w)}}; }

FeatureMap l2Norm(double eps) {
  std::string text;
  llvm::raw_string_ostream(text)
      << "#attn.l2_norm<eps = " << llvm::format("%.17e", eps) << '>';
  return {std::move(text), {}};
}

FeatureMap cosformer(int64_t maxTokens) {
  return {"#attn.cosformer<max_len = " + std::to_string(maxTokens) + ">", {}};
}
} // namespace maps

static Expr makeMap(Expr x, FeatureMap map, SourceLine where) {
  return featureMap(std::move(x), std::move(map), FeatureDims(), std::nullopt,
                    where);
}

Expr identity(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::identity(), where);
}
Expr elu1(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::elu1(), where);
}
Expr relu(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::relu(), where);
}
Expr squaredRelu(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::squaredRelu(), where);
}
Expr exp(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::exp(), where);
}
Expr sigmoid(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::sigmoid(), where);
}
Expr logSigmoid(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::logSigmoid(), where);
}
Expr softplus(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::softplus(), where);
}
Expr silu(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::silu(), where);
}
Expr negativeExp(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::negativeExp(), where);
}
Expr l2Norm(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::l2Norm(), where);
}
Expr taylor2(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::taylor2(), where);
}
Expr favor(Expr x, Expr w, SourceLine where) {
  return makeMap(std::move(x), maps::favor(std::move(w)), where);
}
Expr hedgehog(Expr x, SourceLine where) {
  return makeMap(std::move(x), maps::hedgehog(), where);
}
Expr hedgehog(Expr x, Expr w, SourceLine where) {
  return makeMap(std::move(x), maps::hedgehog(std::move(w)), where);
}
Expr cosformer(Expr x, int64_t maxTokens, SourceLine where) {
  return makeMap(std::move(x), maps::cosformer(maxTokens), where);
}

} // namespace attn::dsl
