//===- FeatureMapsTest.cpp - Definitions of the feature maps -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnTest.h"
#include <cmath>

using namespace mlir;
using namespace mlir::attn;

namespace {
const double kNaN = std::numeric_limits<double>::quiet_NaN();
const double kInf = std::numeric_limits<double>::infinity();

class FeatureMapsTest : public AttnTest {
protected:
  /// phi of one row; a projection has the rows w.
  std::vector<double> evaluate(StringRef text, std::vector<double> x,
                               std::vector<std::vector<double>> w = {},
                               int64_t position = 0) {
    FeatureMapAttrInterface map = parseMap(text);
    SmallVector<SpecMatrix> operands;
    SmallVector<Type> types;
    std::vector<double> data;
    if (!w.empty()) {
      for (const std::vector<double> &row : w)
        llvm::append_range(data, row);
      int64_t rows = w.size(), cols = w.front().size();
      operands.push_back({data, rows, cols});
      types.push_back(
          RankedTensorType::get({rows, cols}, Float64Type::get(&context)));
    }
    std::vector<double> out(map.getNumFeatures(x.size(), types), kNaN);
    map.evaluateRow(x, FeatureMapRow{position, operands}, out);
    return out;
  }

  std::string verifyError(StringRef text, int64_t width,
                          ArrayRef<StringRef> operands) {
    SmallVector<Type> types;
    for (StringRef operand : operands)
      types.push_back(parseTensor(operand));
    if (succeeded(parseMap(text).verifyFeatureMap(
            [this] { return emitError(); }, width, types)))
      return "";
    return takeDiagnostics();
  }
};

void expectNear(const std::vector<double> &got,
                const std::vector<double> &expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(got[i])) << "at " << i << ": " << got[i];
    else
      EXPECT_DOUBLE_EQ(got[i], expected[i]) << "at " << i;
  }
}

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}
} // namespace

TEST_F(FeatureMapsTest, Identity) {
  expectNear(evaluate("#attn.identity", {-1, 0, kNaN, kInf}),
             {-1, 0, kNaN, kInf});
}

TEST_F(FeatureMapsTest, Elu1) {
  expectNear(evaluate("#attn.elu1", {-1, 0, 2, kNaN, kInf, -kInf}),
             {1 / std::exp(1.0), 1, 3, kNaN, kInf, 0});
}

TEST_F(FeatureMapsTest, Relu) {
  expectNear(evaluate("#attn.relu", {-1, 0, 2.5, kNaN, kInf, -kInf}),
             {0, 0, 2.5, kNaN, kInf, 0});
}

TEST_F(FeatureMapsTest, SquaredRelu) {
  expectNear(evaluate("#attn.squared_relu", {-3, 0, 1.5, kNaN, kInf, -kInf}),
             {0, 0, 2.25, kNaN, kInf, 0});
}

TEST_F(FeatureMapsTest, Exp) {
  expectNear(evaluate("#attn.exp", {0, std::log(7.0), kNaN, -kInf}),
             {1, 7, kNaN, 0});
}

TEST_F(FeatureMapsTest, GatesDoNotOverflow) {
  double log3 = std::log(3.0);
  expectNear(evaluate("#attn.sigmoid", {0, log3, -1000, 1000, kNaN}),
             {0.5, 0.75, 0, 1, kNaN});
  expectNear(evaluate("#attn.log_sigmoid", {0, -1000, 1000, kNaN, -kInf}),
             {-std::log(2.0), -1000, 0, kNaN, -kInf});
  expectNear(evaluate("#attn.softplus", {0, -1000, 1000, kNaN, kInf}),
             {std::log(2.0), 0, 1000, kNaN, kInf});
  expectNear(evaluate("#attn.silu", {0, log3, kNaN}), {0, 0.75 * log3, kNaN});
  expectNear(evaluate("#attn.negative_exp", {0, log3, -kInf, kNaN}),
             {-1, -3, 0, kNaN});
}

TEST_F(FeatureMapsTest, L2Norm) {
  expectNear(evaluate("#attn.l2_norm<eps = 0.0>", {3, -4}), {0.6, -0.8});
  expectNear(evaluate("#attn.l2_norm<eps = 0.0>", {0, 0}), {0, 0});
  expectNear(evaluate("#attn.l2_norm<eps = 11.0>", {3, -4}), {0.5, -4 / 6.0});
  expectNear(evaluate("#attn.l2_norm", {1e-3}), {1e-3 / std::sqrt(2e-6)});
}

TEST_F(FeatureMapsTest, RangesHoldTheFeatures) {
  for (StringRef map :
       {"#attn.identity", "#attn.elu1", "#attn.relu", "#attn.exp",
        "#attn.squared_relu", "#attn.hedgehog", "#attn.sigmoid",
        "#attn.log_sigmoid", "#attn.softplus", "#attn.silu",
        "#attn.negative_exp", "#attn.l2_norm", "#attn.taylor2"}) {
    auto [lo, hi] = parseMap(map).getRange();
    std::vector<double> x = getRandom(64, 11);
    for (double factor : {1.0, 100.0}) {
      for (double &value : x)
        value *= factor;
      for (double feature : evaluate(map, x)) {
        EXPECT_GE(feature, lo) << map.str();
        EXPECT_LE(feature, hi) << map.str();
      }
    }
  }
}

TEST_F(FeatureMapsTest, HedgehogIsTwoSoftmaxes) {
  // exp gives 1 and 3, then 1 and 1/3.
  expectNear(evaluate("#attn.hedgehog", {0, std::log(3.0)}),
             {0.25, 0.75, 0.75, 0.25});
  // W x = (0, log 3, log 3)
  expectNear(
      evaluate("#attn.hedgehog", {std::log(3.0), 5}, {{0, 0}, {1, 0}, {1, 0}}),
      {1.0 / 7, 3.0 / 7, 3.0 / 7, 0.6, 0.2, 0.2});
  std::vector<double> w = getRandom(12, 1);
  std::vector<double> phi = evaluate("#attn.hedgehog", getRandom(4, 2),
                                     {{w.begin(), w.begin() + 4},
                                      {w.begin() + 4, w.begin() + 8},
                                      {w.begin() + 8, w.end()}});
  double sum = 0;
  for (double feature : phi) {
    EXPECT_GT(feature, 0);
    sum += feature;
  }
  EXPECT_NEAR(sum, 2, 1e-14);
}

TEST_F(FeatureMapsTest, HedgehogDoesNotOverflow) {
  expectNear(evaluate("#attn.hedgehog", {1000, -1000}), {1, 0, 0, 1});
  expectNear(evaluate("#attn.hedgehog", {kNaN, 1}), {kNaN, kNaN, kNaN, kNaN});
}

TEST_F(FeatureMapsTest, Favor) {
  // |x|^2 / 2 = 1, W x = (1, 2)
  expectNear(evaluate("#attn.favor", {1, 1}, {{1, 0}, {0, 2}}),
             {1 / std::sqrt(2.0), std::exp(1.0) / std::sqrt(2.0)});
  expectNear(evaluate("#attn.favor", {kNaN, 1}, {{1, 0}, {0, 2}}),
             {kNaN, kNaN});
}

TEST_F(FeatureMapsTest, CosformerByHand) {
  // The angle of position 1 of 2 is pi / 4.
  std::vector<double> phi =
      evaluate("#attn.cosformer<max_len = 2>", {2, -1}, {}, 1);
  ASSERT_EQ(phi.size(), 4u);
  EXPECT_NEAR(phi[0], std::sqrt(2.0), 1e-15);
  EXPECT_EQ(phi[1], 0);
  EXPECT_NEAR(phi[2], std::sqrt(2.0), 1e-15);
  EXPECT_EQ(phi[3], 0);
  expectNear(evaluate("#attn.cosformer<max_len = 2>", {2, -1, kNaN}),
             {2, 0, kNaN, 0, 0, kNaN});
}

TEST_F(FeatureMapsTest, CosformerWeighsByDistance) {
  // phi(q)_i . phi(k)_j = relu(q) . relu(k) cos(pi (i - j) / 2M)
  std::vector<double> q = getRandom(6, 3), k = getRandom(6, 4);
  double similarity = dot(evaluate("#attn.relu", q), evaluate("#attn.relu", k));
  ASSERT_GT(similarity, 0);
  for (int64_t i : {0, 3, 99})
    for (int64_t j : {0, 40, 99}) {
      double got = dot(evaluate("#attn.cosformer<max_len = 100>", q, {}, i),
                       evaluate("#attn.cosformer<max_len = 100>", k, {}, j));
      EXPECT_NEAR(got, similarity * std::cos(M_PI * (i - j) / 200.0), 1e-13);
    }
}

TEST_F(FeatureMapsTest, Taylor2ByHand) {
  expectNear(evaluate("#attn.taylor2", {2}), {1, 2, 4 / std::sqrt(2.0)});
  // D^(1/4) = 2, sqrt(2 D) = sqrt(32)
  std::vector<double> x(16, 0.0);
  x[0] = 4;
  x[1] = 3;
  std::vector<double> phi = evaluate("#attn.taylor2", x);
  ASSERT_EQ(phi.size(), 273u);
  EXPECT_EQ(phi[0], 1);
  EXPECT_EQ(phi[1], 2);
  EXPECT_EQ(phi[2], 1.5);
  EXPECT_DOUBLE_EQ(phi[17], 16 / std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(phi[18], 12 / std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(phi[17 + 16], 12 / std::sqrt(32.0));
  EXPECT_DOUBLE_EQ(phi[17 + 17], 9 / std::sqrt(32.0));
}

TEST_F(FeatureMapsTest, Taylor2ExpandsTheExponential) {
  // phi(q) . phi(k) = 1 + s + s^2 / 2, s = q . k / sqrt(D)
  for (size_t width : {1, 3, 16}) {
    std::vector<double> q = getRandom(width, 5), k = getRandom(width, 6);
    double s = dot(q, k) / std::sqrt(width);
    EXPECT_NEAR(dot(evaluate("#attn.taylor2", q), evaluate("#attn.taylor2", k)),
                1 + s + s * s / 2, 1e-13);
  }
}

TEST_F(FeatureMapsTest, NumberOfFeatures) {
  RankedTensorType shared = parseTensor("tensor<5x8xf32>");
  RankedTensorType perHead = parseTensor("tensor<2x7x8xf32>");
  EXPECT_EQ(parseMap("#attn.exp").getNumFeatures(8, {}), 8);
  EXPECT_EQ(parseMap("#attn.hedgehog").getNumFeatures(8, {}), 16);
  EXPECT_EQ(parseMap("#attn.hedgehog").getNumFeatures(8, shared), 10);
  EXPECT_EQ(parseMap("#attn.hedgehog").getNumFeatures(8, perHead), 14);
  EXPECT_EQ(parseMap("#attn.favor").getNumFeatures(8, perHead), 7);
  EXPECT_EQ(parseMap("#attn.cosformer<max_len = 9>").getNumFeatures(8, {}), 16);
  EXPECT_EQ(parseMap("#attn.taylor2").getNumFeatures(8, {}), 73);
}

TEST_F(FeatureMapsTest, MaxTokens) {
  EXPECT_EQ(parseMap("#attn.cosformer<max_len = 9>").getMaxTokens(), 9);
  EXPECT_EQ(parseMap("#attn.elu1").getMaxTokens(), std::nullopt);
}

TEST_F(FeatureMapsTest, F4Operands) {
  for (StringRef map : {"#attn.identity", "#attn.elu1", "#attn.relu",
                        "#attn.exp", "#attn.squared_relu", "#attn.taylor2",
                        "#attn.cosformer<max_len = 4>"}) {
    EXPECT_EQ(verifyError(map, 8, {}), "");
    EXPECT_EQ(verifyError(map, 8, {"tensor<4x8xf32>"}),
              "[F4] the feature map takes no operands, got 1\n");
  }
  EXPECT_EQ(verifyError("#attn.hedgehog", 8, {}), "");
  EXPECT_EQ(verifyError("#attn.favor", 8, {}),
            "[F4] the feature map takes one projection, got 0 operands\n");
  for (StringRef map : {"#attn.favor", "#attn.hedgehog"}) {
    EXPECT_EQ(verifyError(map, 8, {"tensor<4x8xf32>"}), "");
    EXPECT_EQ(verifyError(map, 8, {"tensor<3x4x8xf32>"}), "");
    EXPECT_EQ(verifyError(map, 8, {"tensor<4x8xf32>", "tensor<4x8xf32>"}),
              "[F4] the feature map takes one projection, got 2 operands\n");
    for (StringRef wrong : {"tensor<4x7xf32>", "tensor<8xf32>",
                            "tensor<?x8xf32>", "tensor<0x8xf32>"})
      EXPECT_EQ(verifyError(map, 8, {wrong}),
                "[F4] expected a projection of static size [.., m, 8], got '" +
                    wrong.str() + "'\n");
  }
}

TEST_F(FeatureMapsTest, F7MaxLen) {
  EXPECT_FALSE(parse("#attn.cosformer<max_len = 0>"));
  EXPECT_NE(takeDiagnostics().find("[F7] expected a positive max_len, got 0"),
            std::string::npos);
  EXPECT_FALSE(parse("#attn.cosformer<max_len = -3>"));
  EXPECT_NE(takeDiagnostics().find("[F7] expected a positive max_len, got -3"),
            std::string::npos);
}

TEST_F(FeatureMapsTest, F7Eps) {
  EXPECT_FALSE(parse("#attn.l2_norm<eps = -1.0>"));
  EXPECT_NE(
      takeDiagnostics().find("[F7] expected a finite eps, 0 or more, got -1"),
      std::string::npos);
}
