//===- CostModelTest.cpp - Polynomials in sizes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/CostModel.h"
#include "gtest/gtest.h"

using namespace mlir::attn;

static std::string name(unsigned id) { return std::string(1, "nmd"[id]); }

TEST(Polynomial, AddsMultipliesAndPrints) {
  Polynomial n = Polynomial::symbol(0), m = Polynomial::symbol(1);
  Polynomial sum = n + m;
  EXPECT_EQ((sum * sum).str(name), "n*n + 2*n*m + m*m");
  EXPECT_EQ(
      (Polynomial(2) * n * m + Polynomial(0.5) * n + Polynomial(3)).str(name),
      "2*n*m + 0.5*n + 3");
  EXPECT_EQ(Polynomial().str(name), "0");
}

TEST(Polynomial, Evaluates) {
  Polynomial n = Polynomial::symbol(0), m = Polynomial::symbol(1);
  Polynomial cost = Polynomial(2) * n * m + n * n + Polynomial(7);
  EXPECT_EQ(cost.evaluate([](unsigned id) { return id == 0 ? 10.0 : 3.0; }),
            2 * 10 * 3 + 100 + 7);
  EXPECT_TRUE(Polynomial(4).isConstant());
  EXPECT_FALSE(cost.isConstant());
}

TEST(CostModel, RoundsRowTilesUp) {
  EXPECT_EQ(getRowTiles(Polynomial(1)).str(name), "1");
  EXPECT_EQ(getRowTiles(Polynomial(64)).str(name), "1");
  EXPECT_EQ(getRowTiles(Polynomial(65)).str(name), "2");
  EXPECT_EQ(getRowTiles(Polynomial::symbol(0)).str(name), "0.015625*n + 1");
}
