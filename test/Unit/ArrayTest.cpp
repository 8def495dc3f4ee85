//===- ArrayTest.cpp - Rounding, comparison and random values -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Array.h"
#include "test/Unit/TestGraph.h"
#include <cmath>

using namespace attn;

static constexpr double kInf = std::numeric_limits<double>::infinity();
static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What a value is after it is stored in an array of the type.
static double roundTo(ElementType type, double value) {
  return makeArray(type, {1}, value).get(0);
}

TEST(Array, RoundsToBF16) {
  auto round = [](double x) { return roundTo(ElementType::BF16, x); };
  // 8 bits of precision: neighbours of 1 are 2^-7 apart, ties go to even.
  EXPECT_EQ(round(1 + 0x1p-8), 1.0);
  EXPECT_EQ(round(1 + 0x3p-8), 1 + 0x1p-6);
  EXPECT_EQ(round(-(1 + 0x3p-8)), -(1 + 0x1p-6));
  EXPECT_EQ(round(1 + 0x1p-8 + 0x1p-20), 1 + 0x1p-7);
  // Rounded to f32 first, this would become a tie.
  EXPECT_EQ(round(1 + 0x1p-8 + 0x1p-50), 1 + 0x1p-7);
  EXPECT_EQ(round(1 + 0x3p-8 - 0x1p-50), 1 + 0x1p-7);
  EXPECT_EQ(round(1e39), kInf);
  EXPECT_EQ(round(-1e300), -kInf);
  EXPECT_EQ(round(0x1.fep127), 0x1.fep127);
  EXPECT_EQ(round(0x1.ffp127), kInf);
  EXPECT_EQ(round(0x1p-133), 0x1p-133); // the smallest subnormal
  EXPECT_EQ(round(0x1p-134), 0.0);
  EXPECT_EQ(round(0x3p-134), 0x1p-132);
  EXPECT_TRUE(std::signbit(round(-0.0)));
  EXPECT_TRUE(std::isnan(round(kNaN)));
}

TEST(Array, RoundsToF16) {
  auto round = [](double x) { return roundTo(ElementType::F16, x); };
  EXPECT_EQ(round(1 + 0x1p-11), 1.0);
  EXPECT_EQ(round(1 + 0x3p-11), 1 + 0x1p-9);
  EXPECT_EQ(round(1 + 0x1p-11 + 0x1p-50), 1 + 0x1p-10);
  EXPECT_EQ(round(65504), 65504);
  EXPECT_EQ(round(65519.99), 65504);
  EXPECT_EQ(round(65520), kInf);
  EXPECT_EQ(round(-1e9), -kInf);
  EXPECT_EQ(round(0x1p-14), 0x1p-14);
  EXPECT_EQ(round(0x1p-24), 0x1p-24); // the smallest subnormal
  EXPECT_EQ(round(0x1p-25), 0.0);
  EXPECT_EQ(round(0x1p-25 + 0x1p-60), 0x1p-24);
  EXPECT_EQ(round(-0x3p-25), -0x1p-23);
  EXPECT_TRUE(std::isnan(round(kNaN)));
}

TEST(Array, WidensEveryF16) {
  Array half = llvm::cantFail(Array::create(ElementType::F16, {1 << 16}));
  for (int bits = 0; bits < 1 << 16; ++bits)
    static_cast<uint16_t *>(half.getData())[bits] = bits;
  Array wide = llvm::cantFail(convert(half, ElementType::F64));
  for (int bits = 0; bits < 1 << 16; ++bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 0 ? std::ldexp(fraction, -24)
                   : exponent == 31
                       ? (fraction ? kNaN : kInf)
                       : std::ldexp(1024 + fraction, exponent - 25);
    if (bits >> 15)
      value = -value;
    ASSERT_TRUE(wide.get(bits) == value ||
                (std::isnan(value) && std::isnan(wide.get(bits))))
        << bits;
  }
  // Rounding what is exact gives it back.
  Array back = llvm::cantFail(convert(wide, ElementType::F16));
  for (int bits = 0; bits < 1 << 16; ++bits)
    if (!std::isnan(wide.get(bits))) {
      ASSERT_EQ(static_cast<uint16_t *>(back.getData())[bits], bits);
    }
}

TEST(Array, ConvertsIntegers) {
  Array wide = makeArray(ElementType::I64, {2}, {-5, 0x1p31});
  EXPECT_CONTAINS(getMessage(convert(wide, ElementType::I32)),
                  "cannot convert i64 to i32: a value is out of range");
  Array small = llvm::cantFail(convert(
      makeArray(ElementType::F64, {3}, {2.5, -7, 3.5}), ElementType::I32));
  EXPECT_EQ(small.get(0), 2);
  EXPECT_EQ(small.get(1), -7);
  EXPECT_EQ(small.get(2), 4);
  EXPECT_CONTAINS(getMessage(convert(makeArray({1}, {kNaN}), ElementType::I64)),
                  "out of range");
  Array truth =
      llvm::cantFail(convert(makeArray({3}, {0, 2, -1}), ElementType::I1));
  EXPECT_EQ(truth.get(0), 0);
  EXPECT_EQ(truth.get(1), 1);
  EXPECT_EQ(truth.get(2), 1);
}

TEST(Array, RefusesImpossibleShapes) {
  EXPECT_CONTAINS(getMessage(Array::create(ElementType::F32, {-1})),
                  "expected sizes of 0 or more, got [-1]");
  int64_t huge = int64_t(1) << 40;
  EXPECT_CONTAINS(getMessage(Array::create(ElementType::F64, {huge, huge})),
                  "exceeds the address space");
  EXPECT_CONTAINS(getMessage(Array::create(ElementType::F64, {huge, 1 << 18})),
                  "out of memory");
  Array empty = llvm::cantFail(Array::create(ElementType::F32, {4, 0, 3}));
  EXPECT_EQ(empty.getNumElements(), 0);
  EXPECT_NE(empty.getData(), nullptr);
}

TEST(Array, IsAligned) {
  for (int64_t size : {1, 1000, 1 << 20}) {
    Array array = llvm::cantFail(Array::create(ElementType::F32, {size}));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(array.getData()) % 64, 0u);
  }
}

TEST(RelativeError, IsNormOfDifferenceOverNorm) {
  auto error = [](llvm::ArrayRef<double> a, llvm::ArrayRef<double> b) {
    int64_t size = a.size();
    return llvm::cantFail(
        getRelativeError(makeArray(ElementType::F64, {size}, a),
                         makeArray(ElementType::F64, {size}, b)));
  };
  EXPECT_DOUBLE_EQ(error({3, 4.5}, {3, 4}), 0.1);
  EXPECT_EQ(error({0, 0}, {0, 0}), 0);
  EXPECT_EQ(error({1, 0}, {0, 0}), kInf);
  EXPECT_EQ(error({}, {}), 0);
  // NaN and infinity must be at the same places.
  EXPECT_DOUBLE_EQ(error({kNaN, 3, kInf, 4.5}, {kNaN, 3, kInf, 4}), 0.1);
  EXPECT_TRUE(std::isnan(error({kNaN, 1}, {1, 1})));
  EXPECT_TRUE(std::isnan(error({1, 1}, {1, kNaN})));
  EXPECT_TRUE(std::isnan(error({kInf, 1}, {-kInf, 1})));
  EXPECT_TRUE(std::isnan(error({kInf, 1}, {kNaN, 1})));
  // Squares would overflow or vanish.
  EXPECT_DOUBLE_EQ(error({3e200, 4.5e200}, {3e200, 4e200}), 0.1);
  EXPECT_DOUBLE_EQ(error({3e-200, 4.5e-200}, {3e-200, 4e-200}), 0.1);
}

TEST(RelativeError, SeesEveryElement) {
  // Longer than a block; one element differs at a time.
  int64_t size = 40001;
  Array a = makeNormal({size}, 1);
  Array b = llvm::cantFail(convert(a, ElementType::F64));
  EXPECT_EQ(llvm::cantFail(getRelativeError(a, b)), 0);
  for (int64_t i : {0, 16383, 16384, 39999, 40000}) {
    double before = b.get(i);
    b.set(i, before + 1);
    double error = llvm::cantFail(getRelativeError(a, b));
    EXPECT_NEAR(error, 1 / std::sqrt(size), 1e-4) << i;
    b.set(i, kNaN);
    EXPECT_TRUE(std::isnan(llvm::cantFail(getRelativeError(a, b)))) << i;
    b.set(i, before);
  }
  EXPECT_CONTAINS(getMessage(getRelativeError(a, makeNormal({1, size}, 1))),
                  "[40001] and [1, 40001]");
}

TEST(FillNormal, HasTheMomentsOfANormal) {
  int64_t size = 1 << 20;
  Array array = llvm::cantFail(Array::create(ElementType::F64, {size}));
  fillNormal(array, 3, 2.0);
  double sum = 0, square = 0, cube = 0, fourth = 0, lag = 0;
  int64_t beyond = 0;
  for (int64_t i = 0; i < size; ++i) {
    double x = array.get(i) / 2.0;
    sum += x;
    square += x * x;
    cube += x * x * x;
    fourth += x * x * x * x;
    lag += i ? x * array.get(i - 1) / 2.0 : 0;
    beyond += std::fabs(x) > 1.959963984540054;
  }
  // About five standard errors each.
  EXPECT_NEAR(sum / size, 0, 0.005);
  EXPECT_NEAR(square / size, 1, 0.007);
  EXPECT_NEAR(cube / size, 0, 0.02);
  EXPECT_NEAR(fourth / size, 3, 0.05);
  EXPECT_NEAR(lag / size, 0, 0.005);
  EXPECT_NEAR(double(beyond) / size, 0.05, 0.0011);
}

TEST(FillNormal, DependsOnSeedAndPositionAlone) {
  Array longer = makeNormal({200000}, 5), shorter = makeNormal({10, 7}, 5),
        other = makeNormal({70}, 6);
  int64_t same = 0;
  for (int64_t i = 0; i < 70; ++i) {
    EXPECT_EQ(longer.get(i), shorter.get(i));
    same += longer.get(i) == other.get(i);
  }
  EXPECT_EQ(same, 0);
  Array half = llvm::cantFail(Array::create(ElementType::F16, {70}));
  fillNormal(half, 5);
  EXPECT_LT(llvm::cantFail(getRelativeError(
                half, llvm::cantFail(
                          convert(makeNormal({70}, 5), ElementType::F16)))),
            1e-3);
  Array integers = makeArray(ElementType::I32, {2}, {4, 5});
  fillNormal(integers, 5);
  EXPECT_EQ(integers.get(1), 0);
}
