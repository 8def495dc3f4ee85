//===- ReferenceTest.cpp - Operations on small numbers -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Reference.h"
#include "test/Unit/TestGraph.h"
#include <cmath>

using namespace attn;
using llvm::ArrayRef;
using llvm::StringRef;

static constexpr double kInf = std::numeric_limits<double>::infinity();
static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The only result of @f.
static Array run(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  auto results = evaluate(graph.getFunction(), arguments);
  if (!results) {
    ADD_FAILURE() << llvm::toString(results.takeError());
    return Array::wrap(ElementType::F64, {0}, nullptr, nullptr);
  }
  EXPECT_EQ(results->size(), 1u);
  EXPECT_EQ(results->front().getType(), ElementType::F64);
  return results->front();
}

/// What evaluating @f says.
static std::string runBad(StringRef text, ArrayRef<Array> arguments) {
  TestGraph graph(text);
  return getMessage(evaluate(graph.getFunction(), arguments));
}

static void expectValues(const Array &array, ArrayRef<int64_t> shape,
                         ArrayRef<double> values) {
  ASSERT_EQ(array.getShape(), shape);
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i])) {
      EXPECT_TRUE(std::isnan(array.get(i))) << i << ": " << array.get(i);
    } else {
      EXPECT_DOUBLE_EQ(array.get(i), values[i]) << i;
    }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

TEST(Reference, ScoreAndApply) {
  Array q = makeArray({2, 2}, {1, 2, 3, 4});
  Array k = makeArray({3, 2}, {1, 0, 0, 1, -1, 2});
  expectValues(run(R"mlir(
func.func @f(%q: tensor<2x2xf32>, %k: tensor<3x2xf32>) -> tensor<2x3xf32> {
  %s = attn.score %q, %k : tensor<2x2xf32>, tensor<3x2xf32> -> tensor<2x3xf32>
  return %s : tensor<2x3xf32>
})mlir",
                   {q, k}),
               {2, 3}, {1, 2, 3, 3, 4, 5});
  expectValues(run(R"mlir(
func.func @f(%a: tensor<2x2xf32>, %v: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %s = attn.apply %a, %v : tensor<2x2xf32>, tensor<2x3xf32> -> tensor<2x3xf32>
  return %s : tensor<2x3xf32>
})mlir",
                   {q, makeArray({2, 3}, {1, 0, -1, 0, 1, 2})}),
               {2, 3}, {1, 2, 3, 3, 4, 5});
}

TEST(Reference, GroupedHeadsInAnyLayout) {
  // Four query heads share two key heads; the tokens come before the heads,
  // and odd sizes leave remainders in every blocking.
  int64_t B = 2, N = 5, M = 7, H = 4, R = 2, D = 3;
  Array q = makeNormal({B, N, H, D}, 1), k = makeNormal({M, H / R, B, D}, 2);
  Array result = run(R"mlir(
func.func @f(%q: tensor<?x?x4x3xf32>, %k: tensor<?x2x?x3xf32>) -> tensor<?x?x?x4xf32> {
  %s = attn.contract %q, %k subscripts "bn(gr)d,mgbd->mbn(gr)" : tensor<?x?x4x3xf32>, tensor<?x2x?x3xf32> -> tensor<?x?x?x4xf32>
  return %s : tensor<?x?x?x4xf32>
})mlir",
                     {q, k});
  ASSERT_EQ(result.getShape(), ArrayRef<int64_t>({M, B, N, H}));
  for (int64_t m = 0; m < M; ++m)
    for (int64_t b = 0; b < B; ++b)
      for (int64_t n = 0; n < N; ++n)
        for (int64_t h = 0; h < H; ++h) {
          double sum = 0;
          for (int64_t d = 0; d < D; ++d)
            sum += q.get(((b * N + n) * H + h) * D + d) *
                   k.get(((m * (H / R) + h / R) * B + b) * D + d);
          ASSERT_NEAR(result.get(((m * B + b) * N + n) * H + h), sum, 1e-14);
        }
}

TEST(Reference, LargeProduct) {
  // More columns than a tile, more rows than a block.
  int64_t N = 70, M = 1100, D = 5;
  Array q = makeNormal({N, D}, 1), k = makeNormal({M, D}, 2);
  Array result = run(R"mlir(
func.func @f(%q: tensor<?x5xf32>, %k: tensor<?x5xf32>) -> tensor<?x?xf32> {
  %s = attn.score %q, %k : tensor<?x5xf32>, tensor<?x5xf32> -> tensor<?x?xf32>
  return %s : tensor<?x?xf32>
})mlir",
                     {q, k});
  for (int64_t n = 0; n < N; ++n)
    for (int64_t m = 0; m < M; ++m) {
      double sum = 0;
      for (int64_t d = 0; d < D; ++d)
        sum += q.get(n * D + d) * k.get(m * D + d);
      ASSERT_NEAR(result.get(n * M + m), sum, 1e-14);
    }
}

TEST(Reference, ProductsOfDisagreeingSizes) {
  StringRef score = R"mlir(
func.func @f(%q: tensor<?x?x2xf32>, %k: tensor<?x?x2xf32>) -> tensor<?x?x?xf32> {
  %s = attn.score %q, %k : tensor<?x?x2xf32>, tensor<?x?x2xf32> -> tensor<?x?x?xf32>
  return %s : tensor<?x?x?xf32>
})mlir";
  EXPECT_EQ(runBad(score, {makeNormal({2, 3, 2}, 1), makeNormal({3, 3, 2}, 1)}),
            "graph.mlir:3:8: 'attn.score': axis 'h' has the sizes 2 and 3 in "
            "'hnd,hmd->hnm'");
  EXPECT_CONTAINS(runBad(R"mlir(
func.func @f(%q: tensor<?x?x2xf32>, %k: tensor<?x?x2xf32>) -> tensor<?x?x?xf32> {
  %s = attn.score %q, %k subscripts "(gr)nd,gmd->(gr)nm" : tensor<?x?x2xf32>, tensor<?x?x2xf32> -> tensor<?x?x?xf32>
  return %s : tensor<?x?x?xf32>
})mlir",
                         {makeNormal({5, 3, 2}, 1), makeNormal({2, 3, 2}, 1)}),
                  "dimension of size 5 is not a multiple of its group of 2");
  EXPECT_CONTAINS(runBad(R"mlir(
func.func @f(%q: tensor<?x2xf32>) -> tensor<3x?xf32> {
  %s = attn.score %q, %q : tensor<?x2xf32>, tensor<?x2xf32> -> tensor<?x?xf32>
  %c = tensor.cast %s : tensor<?x?xf32> to tensor<3x?xf32>
  return %c : tensor<3x?xf32>
})mlir",
                         makeNormal({4, 2}, 1)),
                  "graph.mlir:4:8: 'tensor.cast': expected tensor<3x?xf32>, "
                  "got the shape [4, 4]");
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static constexpr char kSoftmax[] = R"mlir(
func.func @f(%s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %p = attn.softmax %s : tensor<?x?xf32>
  return %p : tensor<?x?xf32>
})mlir";

TEST(Reference, Softmax) {
  double e = std::exp(1.0);
  expectValues(run(kSoftmax, makeArray({5, 2}, {0, 1, 1000, 999, -kInf, -kInf,
                                                kNaN, 0, -kInf, 3})),
               {5, 2},
               {1 / (1 + e), e / (1 + e), e / (1 + e), 1 / (1 + e), 0, 0, kNaN,
                kNaN, 0, 1});
  expectValues(run(kSoftmax, makeArray({1, 2}, {kNaN, -kInf})), {1, 2},
               {kNaN, kNaN});
  expectValues(run(kSoftmax, makeArray({2, 0}, {})), {2, 0}, {});
  expectValues(run(kSoftmax, makeArray({0, 3}, {})), {0, 3}, {});
}

TEST(Reference, Normalize) {
  expectValues(
      run(R"mlir(
func.func @f(%s: tensor<?x2xf64>) -> tensor<?x2xf64> {
  %p = attn.normalize %s : tensor<?x2xf64>
  return %p : tensor<?x2xf64>
})mlir",
          makeArray(ElementType::F64, {4, 2}, {1, 3, 0, 0, 2, -2, kNaN, 1})),
      {4, 2}, {0.25, 0.75, 0, 0, 0, 0, kNaN, kNaN});
  expectValues(run(R"mlir(
func.func @f(%s: tensor<?x2xf64>) -> tensor<?x2xf64> {
  %p = attn.normalize %s eps 1.000000e+00 : tensor<?x2xf64>
  return %p : tensor<?x2xf64>
})mlir",
                   makeArray(ElementType::F64, {2, 2}, {1, 2, 0, 0})),
               {2, 2}, {0.25, 0.5, 0, 0});
}

TEST(Reference, ColumnOfOnes) {
  Array x = makeArray({2, 2}, {1, 2, 3, 4});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<?x2xf32>) -> tensor<?x3xf32> {
  %y = attn.append_ones %x : tensor<?x2xf32> -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
})mlir",
                   x),
               {2, 3}, {1, 2, 1, 3, 4, 1});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<2x?xf32>) -> tensor<3x?xf32> {
  %y = attn.append_ones %x dim 0 : tensor<2x?xf32> -> tensor<3x?xf32>
  return %y : tensor<3x?xf32>
})mlir",
                   x),
               {3, 2}, {1, 2, 3, 4, 1, 1});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %y = attn.divide_by_last %x : tensor<?x3xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
})mlir",
                   makeArray({2, 3}, {1, 3, 4, 5, 6, 0})),
               {2, 2}, {0.25, 0.75, 0, 0});
  expectValues(run(R"mlir(
func.func @f(%x: tensor<3x?xf32>) -> tensor<2x?xf32> {
  %y = attn.divide_by_last %x dim 0 eps 1.000000e+00 : tensor<3x?xf32> -> tensor<2x?xf32>
  return %y : tensor<2x?xf32>
})mlir",
                   makeArray({3, 2}, {1, 2, 3, 4, 3, 7})),
               {2, 2}, {0.25, 0.25, 0.75, 0.5});
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

TEST(Reference, MaskedOutRowsAreZero) {
  // Query 0 sees no key.
  StringRef text = R"mlir(
func.func @f(%s: tensor<2x?x?xf32>) -> tensor<2x?x?xf32> {
  %m = attn.mask %s, #attn.strictly_causal else -inf : tensor<2x?x?xf32>
  %p = attn.softmax %m : tensor<2x?x?xf32>
  return %p : tensor<2x?x?xf32>
})mlir";
  expectValues(run(text, makeArray({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})),
               {2, 2, 2}, {0, 0, 1, 0, 0, 0, 1, 0});
  expectValues(run(text, makeArray({2, 1, 1}, {1, 2})), {2, 1, 1}, {0, 0});
  expectValues(run(text, makeArray({2, 0, 0}, {})), {2, 0, 0}, {});
  // More keys than queries.
  expectValues(run(R"mlir(
func.func @f(%s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %m = attn.mask %s, #attn.causal<offset = 1> else 0.0 : tensor<?x?xf32>
  return %m : tensor<?x?xf32>
})mlir",
                   makeArray({2, 3}, {1, 2, 3, 4, 5, 6})),
               {2, 3}, {1, 2, 0, 4, 5, 6});
}

TEST(Reference, DenseMask) {
  StringRef text = R"mlir(
func.func @f(%s: tensor<2x?x?xf32>, %m: tensor<2x1x?xi1>) -> tensor<2x?x?xf32> {
  %0 = attn.mask %s, #attn.dense(%m : tensor<2x1x?xi1>) else 0.0 : tensor<2x?x?xf32>
  return %0 : tensor<2x?x?xf32>
})mlir";
  Array scores = makeArray({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  expectValues(
      run(text, {scores, makeArray(ElementType::I1, {2, 1, 2}, {1, 0, 0, 1})}),
      {2, 2, 2}, {1, 0, 3, 0, 0, 6, 0, 8});
  Array wide = makeArray({2, 1, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_CONTAINS(runBad(text, {wide, makeArray(ElementType::I1, {2, 1, 3},
                                                {1, 1, 1, 1, 1, 1})}),
                  "graph.mlir:3:8: 'attn.mask': ");
}

TEST(Reference, PackedMask) {
  StringRef text = R"mlir(
func.func @f(%s: tensor<?x?xf32>, %c: tensor<?xi32>) -> tensor<?x?xf32> {
  %0 = attn.mask %s, #attn.packed(%c : tensor<?xi32>) else 0.0 : tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
})mlir";
  Array scores = makeArray({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  expectValues(run(text, {scores, makeArray(ElementType::I32, {3}, {0, 1, 3})}),
               {3, 3}, {1, 0, 0, 0, 5, 6, 0, 8, 9});
  EXPECT_CONTAINS(
      runBad(text, {scores, makeArray(ElementType::I32, {3}, {0, 1, 9})}),
      "graph.mlir:3:8: 'attn.mask': ");
}

//===----------------------------------------------------------------------===//
// Feature maps
//===----------------------------------------------------------------------===//

TEST(Reference, NamedMapAlongAnyDimensions) {
  // Features before tokens; a projection for each head.
  Array x = makeNormal({3, 2, 5}, 1), w = makeNormal({2, 4, 3}, 2);
  Array result = run(R"mlir(
func.func @f(%x: tensor<3x2x?xf32>, %w: tensor<2x4x3xf32>) -> tensor<4x2x?xf32> {
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<2x4x3xf32>) token_dim = 2 feature_dim = 0 : tensor<3x2x?xf32> -> tensor<4x2x?xf32>
  return %0 : tensor<4x2x?xf32>
})mlir",
                     {x, w});
  ASSERT_EQ(result.getShape(), ArrayRef<int64_t>({4, 2, 5}));
  for (int h = 0; h < 2; ++h)
    for (int n = 0; n < 5; ++n)
      for (int m = 0; m < 4; ++m) {
        double log = 0;
        for (int d = 0; d < 3; ++d) {
          double xd = x.get((d * 2 + h) * 5 + n);
          log += w.get((h * 4 + m) * 3 + d) * xd - xd * xd / 2;
        }
        EXPECT_NEAR(result.get((m * 2 + h) * 5 + n), std::exp(log) / 2, 1e-13);
      }
}

TEST(Reference, MapsKnowTheirToken) {
  StringRef text = R"mlir(
func.func @f(%x: tensor<?x1xf32>) -> tensor<?x2xf32> {
  %0 = attn.feature_map %x, #attn.cosformer<max_len = 3> : tensor<?x1xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
})mlir";
  double half = std::sqrt(3.0) / 2;
  Array result = run(text, makeArray({3, 1}, {1, 2, 2}));
  double expected[] = {1, 0, 2 * half, 1, 1, 2 * half};
  for (int i = 0; i < 6; ++i)
    EXPECT_NEAR(result.get(i), expected[i], 1e-15);
  EXPECT_EQ(runBad(text, makeArray({4, 1}, {1, 1, 1, 1})),
            "graph.mlir:3:8: 'attn.feature_map': the map takes at most 3 "
            "tokens, got 4");
}

TEST(Reference, OperandsOfMapsFitTheBatch) {
  EXPECT_EQ(runBad(R"mlir(
func.func @f(%x: tensor<?x?x3xf32>, %w: tensor<?x4x3xf32>) -> tensor<?x?x4xf32> {
  %0 = attn.feature_map %x, #attn.favor(%w : tensor<?x4x3xf32>) : tensor<?x?x3xf32> -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
})mlir",
                   {makeNormal({2, 5, 3}, 1), makeNormal({3, 4, 3}, 1)}),
            "graph.mlir:3:8: 'attn.feature_map': map operand 0 of shape "
            "[3, 4, 3] does not fit the batch dimensions [2]");
}

TEST(Reference, RegionWithCapturedValues) {
  // x > c: tanh(x) / 4, else max(|x|, 1 / sqrt(x^2 + 3)).
  Array result = run(R"mlir(
func.func @f(%x: tensor<?x2xf32>, %c: f32) -> tensor<?x2xf32> {
  %four = arith.constant 4.0 : f32
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    %three = arith.constant 3.0 : f32
    %t = math.tanh %e : f32
    %d = arith.divf %t, %four : f32
    %f = math.fma %e, %e, %three : f32
    %r = math.rsqrt %f : f32
    %a = math.absf %e : f32
    %m = arith.maximumf %a, %r : f32
    %g = arith.cmpf ogt, %e, %c : f32
    %s = arith.select %g, %d, %m : f32
    attn.yield %s : f32
  } : tensor<?x2xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
})mlir",
                     {makeArray({2, 2}, {-2, 1, 3, kNaN}), makeArray({}, 2)});
  expectValues(result, {2, 2}, {2, 1, std::tanh(3.0) / 4, kNaN});
}

TEST(Reference, UnknownOperations) {
  EXPECT_EQ(runBad(R"mlir(
func.func @f(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %0 = attn.feature_map %x {
  ^bb0(%e: f32):
    %i = arith.bitcast %e : f32 to i32
    %t = arith.bitcast %i : i32 to f32
    attn.yield %t : f32
  } : tensor<?x2xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
})mlir",
                   makeArray({1, 2}, {1, 2})),
            "graph.mlir:5:10: 'arith.bitcast': the reference evaluator does "
            "not know this operation in a feature map");
  EXPECT_EQ(runBad(R"mlir(
func.func @f(%x: tensor<2x2xf32>) -> tensor<4xf32> {
  %0 = tensor.collapse_shape %x [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  return %0 : tensor<4xf32>
})mlir",
                   makeArray({2, 2}, {1, 2, 3, 4})),
            "graph.mlir:3:8: 'tensor.collapse_shape': the reference evaluator "
            "does not know this operation");
}

//===----------------------------------------------------------------------===//
// Everything around
//===----------------------------------------------------------------------===//

TEST(Reference, ElementwiseTensors) {
  // Casts do not round: the spec is exact arithmetic.
  expectValues(run(R"mlir(
func.func @f(%x: tensor<?xf32>, %c: i1) -> tensor<?xf32> {
  %h = arith.truncf %x : tensor<?xf32> to tensor<?xbf16>
  %w = arith.extf %h : tensor<?xbf16> to tensor<?xf32>
  %e = math.exp %w : tensor<?xf32>
  %s = attn.scale %x by -2.000000e+00 : tensor<?xf32> -> tensor<?xf32>
  %r = arith.select %c, %e, %s : tensor<?xf32>
  %y = arith.addf %r, %s : tensor<?xf32>
  return %y : tensor<?xf32>
})mlir",
                   {makeArray({2}, {1.0009765625, 3}),
                    makeArray(ElementType::I1, {}, 1)}),
               {2}, {std::exp(1.0009765625) - 2.001953125, std::exp(3.0) - 6});
  EXPECT_EQ(runBad(R"mlir(
func.func @f(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %z = arith.mulf %x, %y : tensor<?xf32>
  return %z : tensor<?xf32>
})mlir",
                   {makeNormal({3}, 1), makeNormal({4}, 1)}),
            "graph.mlir:3:8: 'arith.mulf': operands have the shapes [3] and "
            "[4]");
}

TEST(Reference, Constants) {
  expectValues(run(R"mlir(
func.func @f() -> tensor<3xf32> {
  %a = arith.constant dense<[1.5, -2.0, 0x7F800000]> : tensor<3xf32>
  %b = arith.constant dense<2> : tensor<3xi32>
  %c = arith.sitofp %b : tensor<3xi32> to tensor<3xf32>
  %d = arith.mulf %a, %c : tensor<3xf32>
  return %d : tensor<3xf32>
})mlir",
                   {}),
               {3}, {3, -4, kInf});
}

TEST(Reference, BranchesAndCalls) {
  StringRef text = R"mlir(
func.func @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = arith.addf %x, %x : tensor<?xf32>
  return %y : tensor<?xf32>
}
func.func @f(%x: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0 : index
  %three = arith.constant 3 : index
  %n = tensor.dim %x, %zero : tensor<?xf32>
  %c = arith.cmpi sgt, %n, %three : index
  %y = scf.if %c -> tensor<?xf32> {
    %t = func.call @twice(%x) : (tensor<?xf32>) -> tensor<?xf32>
    scf.yield %t : tensor<?xf32>
  } else {
    scf.yield %x : tensor<?xf32>
  }
  return %y : tensor<?xf32>
})mlir";
  expectValues(run(text, makeArray({4}, {1, 2, 3, 4})), {4}, {2, 4, 6, 8});
  expectValues(run(text, makeArray({2}, {1, 2})), {2}, {1, 2});
  EXPECT_CONTAINS(runBad(R"mlir(
func.func @f(%x: f32) -> f32 {
  %y = func.call @f(%x) : (f32) -> f32
  return %y : f32
})mlir",
                         makeArray({}, 1)),
                  "calls are nested more than 64 deep");
}

TEST(Reference, Integers) {
  auto divide = [](StringRef op) {
    return ("func.func @f(%x: i32, %y: i32) -> i32 {\n  %z = " + op +
            " %x, %y : i32\n  return %z : i32\n}")
        .str();
  };
  auto i32 = [](double value) {
    return makeArray(ElementType::I32, {}, value);
  };
  expectValues(run(divide("arith.divsi"), {i32(-7), i32(2)}), {}, -3);
  expectValues(run(divide("arith.floordivsi"), {i32(-7), i32(2)}), {}, -4);
  expectValues(run(divide("arith.remsi"), {i32(-7), i32(2)}), {}, -1);
  expectValues(run(divide("arith.addi"), {i32(2147483647), i32(1)}), {},
               -2147483648.0);
  expectValues(run(divide("arith.maxui"), {i32(-1), i32(1)}), {}, -1);
  for (StringRef op : {"arith.divsi", "arith.remui"})
    EXPECT_EQ(runBad(divide(op), {i32(1), i32(0)}),
              ("graph.mlir:2:8: '" + op +
               "': division by zero or a value that is out of range")
                  .str());
}

TEST(Reference, ArgumentsOfTheWrongShape) {
  EXPECT_CONTAINS(runBad(kSoftmax, {}), "expected 1 arguments, got 0");
  EXPECT_CONTAINS(runBad(kSoftmax, makeArray({2}, {1, 2})),
                  "expected tensor<?x?xf32>, got the shape [2]");
}
