//===- FeatureMapTilesTest.cpp - IR of the feature maps against their
// definitions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnTest.h"
#include "Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/IR/Verifier.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

namespace {
/// A map on tiles of `tokens` by `width`, with a projection to m features if
/// m is not 0.
struct Case {
  const char *map;
  int64_t width, m;
};

// No power of two, so that no vector divides a tile.
constexpr int64_t tokens = 5;
constexpr int64_t position = 3;

class FeatureMapTiles : public AttnTest,
                        public testing::WithParamInterface<Case> {
protected:
  FeatureMapTiles() {
    registerKernelDialects(context);
    map = parseMap(GetParam().map);
    x = getRandom(tokens * GetParam().width, 7);
    w = getRandom(GetParam().m * GetParam().width, 8);
  }

  RankedTensorType getProjectionType(Type element) const {
    return RankedTensorType::get({GetParam().m, GetParam().width}, element);
  }
  SmallVector<Type> getOperandTypes(Type element) const {
    if (GetParam().m == 0)
      return {};
    return {getProjectionType(element)};
  }

  Kernel createKernel(Type element) {
    return Kernel(context, [&](OpBuilder &builder, Location loc) {
      FeatureMapTile tile;
      tile.input = createConstant(
          builder, loc,
          RankedTensorType::get({tokens, GetParam().width}, element), x);
      tile.position = arith::ConstantIndexOp::create(builder, loc, position);
      if (GetParam().m != 0)
        tile.operands.push_back(
            createConstant(builder, loc, getProjectionType(element), w));
      return map.emitTile(builder, loc, tile);
    });
  }

  /// The definition, a row after the other.
  std::vector<double> evaluate() {
    int64_t features = map.getNumFeatures(
        GetParam().width, getOperandTypes(Float64Type::get(&context)));
    std::vector<double> out(tokens * features);
    SmallVector<SpecMatrix> operands;
    if (GetParam().m != 0)
      operands.push_back({w, GetParam().m, GetParam().width});
    for (int64_t t = 0; t < tokens; ++t)
      map.evaluateRow(ArrayRef(x).slice(t * GetParam().width, GetParam().width),
                      FeatureMapRow{position + t, operands},
                      MutableArrayRef(out).slice(t * features, features));
    return out;
  }

  void expectDefinition(Type element, double tolerance) {
    Kernel kernel = createKernel(element);
    ASSERT_TRUE(succeeded(kernel.bufferize())) << takeDiagnostics();
    FailureOr<std::vector<double>> got = kernel.run();
    ASSERT_TRUE(succeeded(got)) << takeDiagnostics();
    std::vector<double> expected = evaluate();
    ASSERT_EQ(got->size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      if (std::isfinite(expected[i]))
        EXPECT_NEAR((*got)[i], expected[i],
                    tolerance * (1 + std::abs(expected[i])))
            << "at " << i;
      else if (std::isnan(expected[i]))
        EXPECT_TRUE(std::isnan((*got)[i])) << "at " << i << ": " << (*got)[i];
      else
        EXPECT_EQ((*got)[i], expected[i]) << "at " << i;
    }
  }

  FeatureMapAttrInterface map;
  std::vector<double> x, w;
};
} // namespace

TEST_P(FeatureMapTiles, Verify) {
  for (Type element :
       {Type(Float32Type::get(&context)), Type(Float64Type::get(&context))}) {
    Kernel kernel = createKernel(element);
    EXPECT_TRUE(succeeded(verify(kernel.getModule()))) << takeDiagnostics();
  }
}

TEST_P(FeatureMapTiles, EvaluateInF64) {
  expectDefinition(Float64Type::get(&context), 1e-14);
}

TEST_P(FeatureMapTiles, EvaluateInF32) {
  // In f32 the inputs are rounded, too.
  for (std::vector<double> *values : {&x, &w})
    for (double &value : *values)
      value = static_cast<float>(value);
  expectDefinition(Float32Type::get(&context), 5e-6);
}

TEST_P(FeatureMapTiles, PropagateNaNAndInfinity) {
  x[0] = std::numeric_limits<double>::quiet_NaN();
  x[GetParam().width + 1] = std::numeric_limits<double>::infinity();
  x[2 * GetParam().width + 1] = -std::numeric_limits<double>::infinity();
  expectDefinition(Float64Type::get(&context), 1e-14);
}

TEST_P(FeatureMapTiles, BufferizeInPlace) {
  Kernel kernel = createKernel(Float32Type::get(&context));
  FailureOr<int64_t> copies = kernel.bufferize();
  ASSERT_TRUE(succeeded(copies)) << takeDiagnostics();
  EXPECT_EQ(*copies, 1);
}

TEST_P(FeatureMapTiles, HaveVectorForms) {
  Kernel kernel = createKernel(Float32Type::get(&context));
  SmallVector<linalg::LinalgOp> ops;
  kernel.getModule().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  EXPECT_FALSE(ops.empty());
  IRRewriter rewriter(&context);
  for (linalg::LinalgOp op : ops) {
    std::string name = op->getName().getStringRef().str();
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::VectorizationResult> result =
        linalg::vectorize(rewriter, op);
    ASSERT_TRUE(succeeded(result)) << name;
    rewriter.replaceOp(op, result->replacements);
  }
  EXPECT_TRUE(succeeded(verify(kernel.getModule()))) << takeDiagnostics();
}

INSTANTIATE_TEST_SUITE_P(
    Maps, FeatureMapTiles,
    testing::Values(Case{"#attn.identity", 6, 0}, Case{"#attn.elu1", 6, 0},
                    Case{"#attn.relu", 6, 0}, Case{"#attn.exp", 6, 0},
                    Case{"#attn.squared_relu", 6, 0},
                    Case{"#attn.hedgehog", 6, 0}, Case{"#attn.hedgehog", 6, 3},
                    Case{"#attn.favor", 6, 9},
                    Case{"#attn.cosformer<max_len = 16>", 6, 0},
                    Case{"#attn.taylor2", 3, 0}, Case{"#attn.sigmoid", 6, 0},
                    Case{"#attn.log_sigmoid", 6, 0},
                    Case{"#attn.softplus", 6, 0}, Case{"#attn.silu", 6, 0},
                    Case{"#attn.negative_exp", 6, 0},
                    Case{"#attn.l2_norm", 6, 0}),
    [](const testing::TestParamInfo<Case> &info) {
      std::string name = info.param.map;
      name = name.substr(sizeof("#attn.") - 1);
      name = name.substr(0, name.find('<'));
      name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
      return name + (info.param.m ? "Projected" : "");
    });
