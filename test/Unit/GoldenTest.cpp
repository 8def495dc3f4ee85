//===- GoldenTest.cpp - The evaluator against golden data -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Reference.h"
#include "test/Unit/TestGraph.h"

using namespace attn;

/// A graph on the layout [B, N, H, D]; `scores` ends with the rows %p.
static std::string getGraph(const std::string &scores, bool hasProjection) {
  return std::string(R"mlir(
!q = tensor<1x?x2x16xf32>
!v = tensor<1x?x2x24xf32>
!w = tensor<2x32x16xf32>
!f = tensor<1x?x2x32xf32>
!s = tensor<1x2x?x?xf32>
func.func @f(%q: !q, %k: !q, %v: !v)mlir") +
         (hasProjection ? ", %w: !w" : "") + ") -> !v {" + scores + R"mlir(
  %o = attn.apply %p, %v subscripts "bhnm,bmhv->bnhv" : !s, !v -> !v
  return %o : !v
})mlir";
}

/// Names the masked scores %m, which are %a.
static std::string getMask(const char *fill) {
  return std::string("\n  %m = attn.mask %a, #attn.causal else ") + fill +
         " : !s";
}

static std::string getSoftmax(bool causal) {
  return R"mlir(
  %s = attn.score %q, %k subscripts "bnhd,bmhd->bhnm" : !q, !q -> !s
  %a = attn.scale %s by 2.500000e-01 : !s -> !s)mlir" +
         (causal ? getMask("-inf") + "\n  %p = attn.softmax %m : !s"
                 : "\n  %p = attn.softmax %a : !s");
}

static std::string getNormalized(bool causal) {
  return causal ? getMask("0.0") + "\n  %p = attn.normalize %m : !s"
                : "\n  %p = attn.normalize %a : !s";
}

static std::string getElu1(bool causal) {
  return R"mlir(
  %x = attn.feature_map %q, #attn.elu1 token_dim = 1 : !q -> !q
  %y = attn.feature_map %k, #attn.elu1 token_dim = 1 : !q -> !q
  %a = attn.score %x, %y subscripts "bnhd,bmhd->bhnm" : !q, !q -> !s)mlir" +
         getNormalized(causal);
}

static std::string getPerformer(bool causal) {
  return R"mlir(
  %qs = attn.scale %q by 5.000000e-01 : !q -> !q
  %ks = attn.scale %k by 5.000000e-01 : !q -> !q
  %x = attn.feature_map %qs, #attn.favor(%w : !w) token_dim = 1 : !q -> !f
  %y = attn.feature_map %ks, #attn.favor(%w : !w) token_dim = 1 : !q -> !f
  %a = attn.score %x, %y subscripts "bnhd,bmhd->bhnm" : !f, !f -> !s)mlir" +
         getNormalized(causal);
}

static std::string getLinear() {
  return R"mlir(
  %qs = attn.scale %q by 2.500000e-01 : !q -> !q
  %a = attn.score %qs, %k subscripts "bnhd,bmhd->bhnm" : !q, !q -> !s
  %p = attn.mask %a, #attn.causal else 0.0 : !s)mlir";
}

struct GoldenCase {
  const char *folder;
  std::string scores;
};

class Golden : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, Agrees) {
  std::string folder =
      std::string(ATTN_GOLDEN_DIR) + "/" + GetParam().folder + "/";
  bool hasProjection = llvm::StringRef(GetParam().folder).contains("performer");
  TestGraph graph(getGraph(GetParam().scores, hasProjection));
  llvm::SmallVector<Array> arguments;
  for (const char *name : {"in_q", "in_k", "in_v"})
    arguments.push_back(llvm::cantFail(readNpy(folder + name + ".npy")));
  if (hasProjection)
    arguments.push_back(llvm::cantFail(readNpy(folder + "in_W.npy")));
  auto results = evaluate(graph.getFunction(), arguments);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  Array expected = llvm::cantFail(readNpy(folder + "out_o.npy"));
  EXPECT_EQ(results->front().getType(), ElementType::F64);
  // The expected values are rounded to f32, which leaves 6e-8.
  EXPECT_LE(llvm::cantFail(getRelativeError(results->front(), expected)), 1e-7);
}

INSTANTIATE_TEST_SUITE_P(
    Reference, Golden,
    ::testing::Values(GoldenCase{"softmax_causal_N77", getSoftmax(true)},
                      GoldenCase{"softmax_causal_N96", getSoftmax(true)},
                      GoldenCase{"softmax_full_N96", getSoftmax(false)},
                      GoldenCase{"linear_elu1_causal_N77", getElu1(true)},
                      GoldenCase{"linear_elu1_causal_N96", getElu1(true)},
                      GoldenCase{"linear_elu1_full_N96", getElu1(false)},
                      GoldenCase{"performer_causal_N96", getPerformer(true)},
                      GoldenCase{"performer_full_N96", getPerformer(false)},
                      GoldenCase{"linear_N96", getLinear()}),
    [](const auto &info) { return std::string(info.param.folder); });
