//===- FragmentsTest.cpp - Where tiles lie in shared memory ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/Fragments.h"
#include "AttnTest.h"
#include <set>

using namespace mlir::attn;

namespace {

TileLayout makeLayout(int64_t cols, int64_t elementBytes = 2,
                      int64_t parts = 1) {
  TileLayout layout;
  layout.cols = cols;
  layout.elementBytes = elementBytes;
  layout.parts = parts;
  return layout;
}

// A matrix of 8 x 8 is read as eight rows of 16 bytes, at once if they are in
// different eighths of the 32 banks of 4 bytes.
TEST(TileLayout, RowsOfAMatrixAreInDifferentBanks) {
  for (int64_t cols = 16; cols <= 256; cols += 16) {
    TileLayout layout = makeLayout(cols);
    for (int64_t row : {0, 8})
      for (int64_t col = 0; col < cols; col += 8) {
        std::set<int64_t> units;
        for (int64_t i = 0; i < 8; ++i)
          units.insert(layout.getOffset(row + i, col) / 16 % 8);
        EXPECT_EQ(units.size(), 8u)
            << cols << " columns, at " << row << ", " << col;
      }
  }
}

TEST(TileLayout, ElementsHavePlacesOfTheirOwn) {
  for (int64_t bytes : {2, 4})
    for (int64_t cols : {1, 20, 64, 65, 256}) {
      TileLayout layout = makeLayout(cols, bytes);
      std::set<int64_t> offsets;
      for (int64_t row = 0; row < layout.rows; ++row)
        for (int64_t col = 0; col < cols; ++col) {
          int64_t offset = layout.getOffset(row, col);
          EXPECT_LE(offset + bytes, layout.getPartBytes());
          offsets.insert(offset);
        }
      EXPECT_EQ(offsets.size(), size_t(layout.rows * cols));
    }
}

TEST(TileLayout, RowsAndPartsAreAlignedForCopies) {
  for (int64_t cols : {1, 20, 64, 65, 256}) {
    TileLayout layout = makeLayout(cols, 2, 3);
    EXPECT_EQ(layout.getRowBytes() % 16, 0);
    EXPECT_EQ(layout.getPartBytes() % 16, 0);
    EXPECT_EQ(layout.getBytes(), 3 * layout.getPartBytes());
  }
}

} // namespace
