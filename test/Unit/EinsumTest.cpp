//===- EinsumTest.cpp - Subscripts of products -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnTest.h"

using namespace mlir;
using namespace mlir::attn;

namespace {
class EinsumTest : public AttnTest {
protected:
  FailureOr<Einsum> read(StringRef text) {
    return Einsum::parse(text, [this] { return emitError(); });
  }
  /// The error that reading gives.
  std::string readError(StringRef text) {
    EXPECT_TRUE(failed(read(text))) << text.str();
    return takeDiagnostics();
  }
  using Sizes = SmallVector<std::pair<char, int64_t>>;
  FailureOr<Sizes> sizes(StringRef text, ArrayRef<int64_t> lhs,
                         ArrayRef<int64_t> rhs, ArrayRef<int64_t> result) {
    return read(text)->getAxisSizes(lhs, rhs, result,
                                    [this] { return emitError(); });
  }
};

std::string str(ArrayRef<char> axes) {
  return std::string(axes.begin(), axes.end());
}

constexpr int64_t dynamic = ShapedType::kDynamic;
} // namespace

TEST_F(EinsumTest, PrintsWhatItReads) {
  for (StringRef text : {"bhnd,bhmd->bhnm", "b(gr)nd,bgmd->b(gr)nm",
                         "bnhd,bmhd->bhnm", "n,m->nm", "nd,d->n"}) {
    FailureOr<Einsum> einsum = read(text);
    ASSERT_TRUE(succeeded(einsum)) << text.str();
    EXPECT_EQ(einsum->str(), text);
  }
  EXPECT_EQ(read("b h n d, b h m d -> b h n m")->str(), "bhnd,bhmd->bhnm");
  // A group of one axis is the axis.
  EXPECT_EQ(read("(h)nd,(h)md->(h)nm")->str(), "hnd,hmd->hnm");
}

TEST_F(EinsumTest, SaysWhatIsWrong) {
  EXPECT_EQ(readError("nd,md"), "[P1] expected subscripts of the form "
                                "'lhs,rhs->result', got 'nd,md'\n");
  EXPECT_EQ(readError("nd->nm"), "[P1] expected subscripts of the form "
                                 "'lhs,rhs->result', got 'nd->nm'\n");
  EXPECT_EQ(readError("nnd,md->nm"),
            "[P1] axis 'n' stands twice in subscripts 'nnd'\n");
  EXPECT_EQ(readError("(gg)nd,md->nm"),
            "[P1] axis 'g' stands twice in subscripts '(gg)nd'\n");
  EXPECT_EQ(readError("nd,()md->nm"),
            "[P1] empty group in subscripts '()md'\n");
  EXPECT_EQ(readError("nd,(gmd->nm"),
            "[P1] group is not closed in subscripts '(gmd'\n");
  EXPECT_EQ(readError("nd,g)md->nm"),
            "[P1] unexpected ')' in subscripts 'g)md'\n");
  EXPECT_EQ(readError("((g)h)nd,md->nm"),
            "[P1] unexpected '(' in subscripts '((g)h)nd'\n");
  EXPECT_EQ(readError("nD,md->nm"), "[P1] unexpected 'D' in subscripts 'nD'\n");
  EXPECT_EQ(readError("nd,md,x->nm"),
            "[P1] unexpected ',' in subscripts 'md,x'\n");
}

TEST_F(EinsumTest, Roles) {
  EinsumRoles roles = read("b(gr)nd,bgmd->b(gr)nm")->getRoles();
  EXPECT_EQ(str(roles.batch), "bg");
  EXPECT_EQ(str(roles.lhsFree), "rn");
  EXPECT_EQ(str(roles.rhsFree), "m");
  EXPECT_EQ(str(roles.contracted), "d");
  // An axis of one operand alone is free, whether or not the result has it.
  roles = read("xnd,md->nm")->getRoles();
  EXPECT_EQ(str(roles.lhsFree), "xn");
}

TEST_F(EinsumTest, Defaults) {
  auto score = [&](StringRef lhs, StringRef rhs) {
    return Einsum::forScore(parseTensor(lhs), parseTensor(rhs)).str();
  };
  auto apply = [&](StringRef lhs, StringRef rhs) {
    return Einsum::forApply(parseTensor(lhs), parseTensor(rhs)).str();
  };
  EXPECT_EQ(score("tensor<4x8xf32>", "tensor<6x8xf32>"), "nd,md->nm");
  EXPECT_EQ(apply("tensor<4x6xf32>", "tensor<6x8xf32>"), "nm,mv->nv");
  EXPECT_EQ(score("tensor<2x8x?x64xf32>", "tensor<2x8x?x64xf32>"),
            "bhnd,bhmd->bhnm");
  EXPECT_EQ(apply("tensor<2x8x?x?xf32>", "tensor<2x8x?x64xf32>"),
            "bhnm,bhmv->bhnv");
  EXPECT_EQ(score("tensor<3x2x8x?x64xf32>", "tensor<3x2x8x?x64xf32>"),
            "cbhnd,cbhmd->cbhnm");
  // Grouped heads only where both are static and differ.
  EXPECT_EQ(score("tensor<2x8x?x64xf32>", "tensor<2x2x?x64xf32>"),
            "b(gr)nd,bgmd->b(gr)nm");
  EXPECT_EQ(apply("tensor<2x8x?x?xf32>", "tensor<2x2x?x64xf32>"),
            "b(gr)nm,bgmv->b(gr)nv");
  EXPECT_EQ(score("tensor<2x8x?x64xf32>", "tensor<2x?x?x64xf32>"),
            "bhnd,bhmd->bhnm");
}

TEST_F(EinsumTest, DefaultsOfTheHighestRankCanBeRead) {
  SmallVector<int64_t> shape(Einsum::kMaxRank, 2);
  auto type = RankedTensorType::get(shape, Float32Type::get(&context));
  for (const Einsum &einsum :
       {Einsum::forScore(type, type), Einsum::forApply(type, type)})
    EXPECT_TRUE(succeeded(read(einsum.str()))) << einsum.str();
}

TEST_F(EinsumTest, TokenAxes) {
  std::string tokens;
  for (char axis = 'a'; axis <= 'z'; ++axis)
    if (Einsum::isTokenAxis(axis))
      tokens += axis;
  EXPECT_EQ(tokens, "mnst");
}

TEST_F(EinsumTest, Find) {
  Einsum einsum = *read("b(gr)nd,bgmd->b(gr)nm");
  EXPECT_EQ(Einsum::find(einsum.lhs, 'b'), 0);
  EXPECT_EQ(Einsum::find(einsum.lhs, 'g'), 1);
  EXPECT_EQ(Einsum::find(einsum.lhs, 'r'), 1);
  EXPECT_EQ(Einsum::find(einsum.lhs, 'd'), 3);
  EXPECT_EQ(Einsum::find(einsum.lhs, 'm'), -1);
}

TEST_F(EinsumTest, AxisSizes) {
  // r = 8 / 2; n is known from the result, m from nowhere.
  FailureOr<Sizes> found = sizes("b(gr)nd,bgmd->b(gr)nm", {1, 8, dynamic, 64},
                                 {1, 2, dynamic, 64}, {1, 8, 100, dynamic});
  ASSERT_TRUE(succeeded(found));
  EXPECT_EQ(*found, (Sizes{{'b', 1},
                           {'g', 2},
                           {'r', 4},
                           {'n', 100},
                           {'d', 64},
                           {'m', dynamic}}));
  // Neither g nor r is known alone.
  found = sizes("(gr)nd,gmd->(gr)nm", {8, 4, 4}, {dynamic, 4, 4}, {8, 4, 4});
  ASSERT_TRUE(succeeded(found));
  EXPECT_EQ((*found)[0], (std::pair<char, int64_t>('g', dynamic)));
  EXPECT_EQ((*found)[1], (std::pair<char, int64_t>('r', dynamic)));
}

TEST_F(EinsumTest, SizesThatDisagree) {
  EXPECT_TRUE(failed(sizes("nd,md->nm", {4, 8}, {6, 9}, {4, 6})));
  EXPECT_EQ(takeDiagnostics(),
            "[P4] axis 'd' has the sizes 8 and 9 in 'nd,md->nm'\n");
  EXPECT_TRUE(failed(sizes("nd,md->nm", {4, 8}, {6, 8}, {5, 6})));
  EXPECT_EQ(takeDiagnostics(),
            "[P4] axis 'n' has the sizes 4 and 5 in 'nd,md->nm'\n");
  EXPECT_TRUE(
      failed(sizes("(gr)nd,gmd->(gr)nm", {8, 4, 4}, {3, 4, 4}, {8, 4, 4})));
  EXPECT_EQ(takeDiagnostics(), "[P5] dimension of size 8 is not a multiple of "
                               "its group of 3 in '(gr)nd,gmd->(gr)nm'\n");
}
