//===- MaskInputs.h - A mask's operands as a call gives them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_MASKINPUTS_H
#define ATTN_TEST_UNIT_MASKINPUTS_H

#include "dialect/Attn.h"

namespace mlir::attn {

/// The sizes of a call and the operands of its mask.
struct MaskInputs {
  int64_t rows, cols;
  SmallVector<SmallVector<int64_t>> shapes;
  std::vector<std::vector<double>> operands;

  MaskInputs(int64_t rows, int64_t cols) : rows(rows), cols(cols) {}
  MaskInputs &add(ArrayRef<int64_t> shape, std::vector<double> elements) {
    shapes.emplace_back(shape);
    operands.push_back(std::move(elements));
    return *this;
  }
  /// One dimension, as cu_seqlens has.
  MaskInputs &add(std::vector<double> elements) {
    int64_t size = elements.size();
    return add({size}, std::move(elements));
  }

  double getElement(unsigned operand, ArrayRef<int64_t> index) const {
    ArrayRef<int64_t> shape = shapes[operand];
    assert(index.size() == shape.size() && "wrong rank");
    int64_t position = 0;
    for (auto [i, size] : llvm::zip_equal(index, shape)) {
      assert(i >= 0 && i < size && "out of bounds");
      position = position * size + i;
    }
    return operands[operand][position];
  }
  bool contains(MaskAttrInterface mask, int64_t row, int64_t col,
                ArrayRef<int64_t> batch = {}) const {
    auto element = [this](unsigned operand, ArrayRef<int64_t> index) {
      return getElement(operand, index);
    };
    return mask.contains(
        MaskPoint{row, col, rows, cols, batch, shapes, element});
  }
  std::optional<std::string> verifyContents(MaskAttrInterface mask) const {
    auto element = [this](unsigned operand, ArrayRef<int64_t> index) {
      return getElement(operand, index);
    };
    return mask.verifyContents(
        MaskPoint{0, 0, rows, cols, {}, shapes, element});
  }
  /// The whole set, row-major, as 0 and 1.
  std::vector<double> getSet(MaskAttrInterface mask) const {
    std::vector<double> set;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t col = 0; col < cols; ++col)
        set.push_back(contains(mask, row, col));
    return set;
  }
};

} // namespace mlir::attn

#endif // ATTN_TEST_UNIT_MASKINPUTS_H
