//===- MasksTest.cpp - Definitions of the masks -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttnTest.h"
#include "MaskInputs.h"

using namespace mlir;
using namespace mlir::attn;

namespace {
class MasksTest : public AttnTest {
protected:
  std::string verifyError(StringRef mask, StringRef scores,
                          ArrayRef<StringRef> operands) {
    SmallVector<Type> types;
    for (StringRef operand : operands)
      types.push_back(parseTensor(operand));
    if (succeeded(parseMask(mask).verifyMask([this] { return emitError(); },
                                             parseTensor(scores), types)))
      return "";
    return takeDiagnostics();
  }
};

/// What is wrong with the contents of a packed mask's operands, or "".
class PackedContentsTest : public MasksTest {
protected:
  std::string check(const MaskInputs &inputs) {
    return inputs.verifyContents(parseMask("#attn.packed")).value_or("");
  }
};

using Set = std::vector<double>;
} // namespace

TEST_F(MasksTest, Full) {
  EXPECT_EQ(MaskInputs(2, 3).getSet(parseMask("#attn.full")), Set(6, 1));
  EXPECT_TRUE(parseMask("#attn.full").isFull());
  EXPECT_FALSE(parseMask("#attn.causal").isFull());
  EXPECT_FALSE(parseMask("#attn.sliding_window<left = 9, right = 9>").isFull());
}

TEST_F(MasksTest, Causal) {
  EXPECT_EQ(MaskInputs(3, 4).getSet(parseMask("#attn.causal")),
            (Set{1, 0, 0, 0, //
                 1, 1, 0, 0, //
                 1, 1, 1, 0}));
  EXPECT_EQ(MaskInputs(2, 4).getSet(parseMask("#attn.causal<offset = 2>")),
            (Set{1, 1, 1, 0, //
                 1, 1, 1, 1}));
}

TEST_F(MasksTest, StrictlyCausal) {
  EXPECT_EQ(MaskInputs(3, 4).getSet(parseMask("#attn.strictly_causal")),
            (Set{0, 0, 0, 0, //
                 1, 0, 0, 0, //
                 1, 1, 0, 0}));
}

TEST_F(MasksTest, SlidingWindow) {
  EXPECT_EQ(MaskInputs(4, 5).getSet(
                parseMask("#attn.sliding_window<left = 1, right = 2>")),
            (Set{1, 1, 1, 0, 0, //
                 1, 1, 1, 1, 0, //
                 0, 1, 1, 1, 1, //
                 0, 0, 1, 1, 1}));
  EXPECT_EQ(MaskInputs(3, 3).getSet(
                parseMask("#attn.sliding_window<left = 0, right = 0>")),
            (Set{1, 0, 0, //
                 0, 1, 0, //
                 0, 0, 1}));
  // The largest windows do not overflow.
  EXPECT_EQ(MaskInputs(3, 3).getSet(parseMask(
                "#attn.sliding_window<left = 9223372036854775807, right = 0>")),
            MaskInputs(3, 3).getSet(parseMask("#attn.causal")));
  EXPECT_EQ(MaskInputs(3, 3).getSet(
                parseMask("#attn.sliding_window<left = 9223372036854775807, "
                          "right = 9223372036854775807>")),
            Set(9, 1));
}

TEST_F(MasksTest, Packed) {
  // Segments of 2, 0 and 1 tokens.
  EXPECT_EQ(
      MaskInputs(3, 3).add({0, 2, 2, 3}).getSet(parseMask("#attn.packed")),
      (Set{1, 1, 0, //
           1, 1, 0, //
           0, 0, 1}));
  // The second segment of queries, tokens 1 and 2, has no keys.
  EXPECT_EQ(MaskInputs(4, 3)
                .add({0, 1, 3, 4})
                .add({0, 2, 2, 3})
                .getSet(parseMask("#attn.packed")),
            (Set{1, 1, 0, //
                 0, 0, 0, //
                 0, 0, 0, //
                 0, 0, 1}));
}

TEST_F(MasksTest, DenseBroadcasts) {
  auto dense = parseMask("#attn.dense");
  EXPECT_EQ(MaskInputs(2, 3).add({2, 3}, {1, 0, 1, 0, 1, 1}).getSet(dense),
            (Set{1, 0, 1, 0, 1, 1}));
  EXPECT_EQ(MaskInputs(2, 3).add({3}, {1, 0, 1}).getSet(dense),
            (Set{1, 0, 1, 1, 0, 1}));
  EXPECT_EQ(MaskInputs(2, 3).add({2, 1}, {0, 1}).getSet(dense),
            (Set{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(MaskInputs(2, 3).add(ArrayRef<int64_t>(), {1}).getSet(dense),
            Set(6, 1));
  // One mask for each of two sequences, shared by the heads.
  MaskInputs inputs(1, 2);
  inputs.add({2, 1, 1, 2}, {1, 0, 0, 1});
  for (int64_t head : {0, 5}) {
    EXPECT_TRUE(inputs.contains(dense, 0, 0, {0, head}));
    EXPECT_FALSE(inputs.contains(dense, 0, 1, {0, head}));
    EXPECT_FALSE(inputs.contains(dense, 0, 0, {1, head}));
    EXPECT_TRUE(inputs.contains(dense, 0, 1, {1, head}));
  }
}

TEST_F(MasksTest, M3Operands) {
  for (StringRef mask : {"#attn.full", "#attn.causal", "#attn.strictly_causal",
                         "#attn.sliding_window<left = 1, right = 1>"}) {
    EXPECT_EQ(verifyError(mask, "tensor<8x8xf32>", {}), "");
    EXPECT_EQ(verifyError(mask, "tensor<8x8xf32>", {"tensor<8xi32>"}),
              "[M3] the mask takes no operands, got 1\n");
  }
}

TEST_F(MasksTest, M4Packed) {
  StringRef mask = "#attn.packed", scores = "tensor<2x?x?xf32>";
  EXPECT_EQ(verifyError(mask, scores, {"tensor<4xi32>"}), "");
  EXPECT_EQ(verifyError(mask, scores, {"tensor<?xi64>"}), "");
  EXPECT_EQ(verifyError(mask, scores, {"tensor<4xi32>", "tensor<?xi64>"}), "");
  StringRef count = "[M4] expected cu_seqlens of the tokens, or of queries and "
                    "of keys, got ";
  EXPECT_EQ(verifyError(mask, scores, {}), (count + "0 operands\n").str());
  EXPECT_EQ(verifyError(mask, scores,
                        {"tensor<4xi32>", "tensor<4xi32>", "tensor<4xi32>"}),
            (count + "3 operands\n").str());
  for (StringRef wrong : {"tensor<4xf32>", "tensor<4xi1>", "tensor<4x1xi32>",
                          "tensor<i32>", "tensor<0xi32>", "tensor<4xi16>"})
    EXPECT_EQ(verifyError(mask, scores, {wrong}),
              ("[M4] expected cu_seqlens of one or more i32 or i64, got '" +
               wrong + "'\n")
                  .str());
  EXPECT_EQ(verifyError(mask, "tensor<4x6xf32>", {"tensor<4xi32>"}),
            "[M4] expected as many keys as queries for one cu_seqlens, got "
            "'tensor<4x6xf32>'\n");
  EXPECT_EQ(
      verifyError(mask, "tensor<4x6xf32>", {"tensor<4xi32>", "tensor<4xi32>"}),
      "");
  EXPECT_EQ(verifyError(mask, scores, {"tensor<4xi32>", "tensor<5xi32>"}),
            "[M4] expected as many segments of queries as of keys, got "
            "'tensor<4xi32>' and 'tensor<5xi32>'\n");
}

TEST_F(MasksTest, M5Dense) {
  StringRef mask = "#attn.dense", scores = "tensor<2x?x6xf32>";
  for (StringRef right :
       {"tensor<2x5x6xi1>", "tensor<1x?x6xi1>", "tensor<?x1xi1>",
        "tensor<?xi1>", "tensor<i1>", "tensor<6xi1>"})
    EXPECT_EQ(verifyError(mask, scores, {right}), "") << right.str();
  for (StringRef wrong :
       {"tensor<2x5x6xi8>", "tensor<6xf32>", "tensor<1x2x5x6xi1>",
        "tensor<3x5x6xi1>", "tensor<5x7xi1>", "tensor<0xi1>"})
    EXPECT_EQ(verifyError(mask, scores, {wrong}),
              ("[M5] expected an i1 tensor that broadcasts to "
               "'tensor<2x?x6xf32>', got '" +
               wrong + "'\n")
                  .str());
  EXPECT_EQ(verifyError(mask, scores, {}),
            "[M5] expected one boolean tensor, got 0 operands\n");
}

TEST_F(MasksTest, M6SlidingWindow) {
  for (StringRef wrong : {"left = -1, right = 0", "left = 0, right = -1"}) {
    EXPECT_FALSE(parse(("#attn.sliding_window<" + wrong + ">").str()));
    EXPECT_NE(takeDiagnostics().find("[M6] expected left and right of 0 or "
                                     "more, got "),
              std::string::npos)
        << wrong.str();
  }
}

TEST_F(PackedContentsTest, Accepts) {
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 2, 5})), "");
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 0, 5, 5})), ""); // empty segments
  EXPECT_EQ(check(MaskInputs(0, 0).add(std::vector<double>{0})), "");
  EXPECT_EQ(check(MaskInputs(5, 3).add({0, 2, 5}).add({0, 3, 3})), "");
}

TEST_F(PackedContentsTest, Start) {
  EXPECT_EQ(check(MaskInputs(5, 5).add({1, 2, 5})),
            "cu_seqlens starts at 1, expected 0");
  EXPECT_EQ(check(MaskInputs(5, 5).add({-1, 2, 5})),
            "cu_seqlens starts at -1, expected 0");
  EXPECT_EQ(check(MaskInputs(0, 0).add(std::vector<double>())),
            "cu_seqlens is empty, expected a 0 at least");
}

TEST_F(PackedContentsTest, Order) {
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 4, 3, 5})),
            "cu_seqlens does not increase at position 2: 3 after 4");
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 5}).add({0, -2})),
            "cu_seqlens does not increase at position 1: -2 after 0");
}

TEST_F(PackedContentsTest, End) {
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 2, 4})),
            "cu_seqlens ends at 4, expected the number of queries, 5");
  EXPECT_EQ(check(MaskInputs(5, 5).add({0, 2, 6})),
            "cu_seqlens ends at 6, expected the number of queries, 5");
  // One operand serves as many keys as queries.
  EXPECT_EQ(check(MaskInputs(5, 6).add({0, 2, 5})),
            "cu_seqlens ends at 5, expected the number of keys, 6");
  EXPECT_EQ(check(MaskInputs(5, 3).add({0, 5}).add({0, 4})),
            "cu_seqlens ends at 4, expected the number of keys, 3");
}

TEST_F(PackedContentsTest, NumberOfSegments) {
  EXPECT_EQ(check(MaskInputs(5, 3).add({0, 5}).add({0, 1, 3})),
            "cu_seqlens has 1 segments of queries and 2 of keys");
}
