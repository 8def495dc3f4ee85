//===- Masks.cpp - mask -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Evaluators.h"
#include <atomic>

using namespace mlir;
using mlir::attn::MaskOp;
using mlir::attn::MaskPoint;

namespace attn {

namespace {
/// A mask's operands, read within their bounds.
class MaskOperands {
public:
  explicit MaskOperands(ArrayRef<Array> operands) : operands(operands) {
    for (const Array &operand : operands) {
      shapes.emplace_back(operand.getShape());
      strides.push_back(getStrides(operand.getShape()));
    }
  }

  double get(unsigned operand, ArrayRef<int64_t> index) {
    ArrayRef<int64_t> shape = shapes[operand];
    bool isInside = index.size() == shape.size();
    int64_t position = 0;
    for (size_t i = 0; isInside && i < index.size(); ++i) {
      isInside = index[i] >= 0 && index[i] < shape[i];
      position += index[i] * strides[operand][i];
    }
    if (isInside)
      return getDoubles(operands[operand])[position];
    failedOperand = operand;
    return 0;
  }

  ArrayRef<SmallVector<int64_t>> getShapes() const { return shapes; }
  /// The operand that was read outside of its bounds, or -1.
  int64_t getFailedOperand() const { return failedOperand; }

private:
  ArrayRef<Array> operands;
  SmallVector<SmallVector<int64_t>> shapes, strides;
  std::atomic<int64_t> failedOperand = -1;
};
} // namespace

llvm::Expected<Array> evaluateMask(MaskOp op, ArrayRef<Array> operands) {
  const Array &scores = operands.front();
  MaskOperands maskOperands(operands.drop_front());
  ArrayRef<int64_t> shape = scores.getShape();
  int64_t rows = shape[shape.size() - 2], cols = shape.back();
  ArrayRef<int64_t> batchShape = shape.drop_back(2);
  SmallVector<int64_t> batchStrides = getStrides(batchShape);
  auto element = [&](unsigned operand, ArrayRef<int64_t> index) {
    return maskOperands.get(operand, index);
  };
  auto checkReads = [&]() -> llvm::Error {
    int64_t failed = maskOperands.getFailedOperand();
    if (failed < 0)
      return llvm::Error::success();
    return createError(op,
                       "mask operand " + llvm::Twine(failed) + " of shape " +
                           getText(maskOperands.getShapes()[failed]) +
                           " does not fit scores of shape " + getText(shape));
  };

  // 1. What only the call knows about the mask's operands.
  SmallVector<int64_t> origin(batchShape.size(), 0);
  MaskPoint point{0, 0, rows, cols, origin, maskOperands.getShapes(), element};
  if (std::optional<std::string> wrong = op.getMask().verifyContents(point))
    return createError(op, *wrong);
  if (llvm::Error error = checkReads())
    return std::move(error);

  // 2. The fill at every pair outside of the set.
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result || scores.getNumElements() == 0)
    return result;
  double fill = op.getFill().convertToDouble();
  const double *in = getDoubles(scores);
  double *out = getDoubles(*result);
  mlir::attn::MaskAttrInterface mask = op.getMask();
  forBlocks(scores.getNumElements() / cols, 16,
            [&](int64_t begin, int64_t end) {
              SmallVector<int64_t> batch(batchShape.size());
              for (int64_t line = begin; line < end; ++line) {
                for (size_t i = 0; i < batch.size(); ++i)
                  batch[i] = line / rows / batchStrides[i] % batchShape[i];
                for (int64_t col = 0; col < cols; ++col) {
                  MaskPoint pair{line % rows, col,   rows,
                                 cols,        batch, maskOperands.getShapes(),
                                 element};
                  int64_t position = line * cols + col;
                  out[position] = mask.contains(pair) ? in[position] : fill;
                }
              }
            });
  if (llvm::Error error = checkReads())
    return std::move(error);
  return result;
}

} // namespace attn
