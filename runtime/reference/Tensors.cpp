//===- Tensors.cpp - Evaluation of the tensor dialect -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "runtime/reference/Evaluators.h"
#include "llvm/ADT/TypeSwitch.h"
#include <limits>

using namespace mlir;

namespace attn {

static llvm::Expected<Array> evaluateDim(tensor::DimOp op,
                                         ArrayRef<Array> operands) {
  ArrayRef<int64_t> shape = operands[0].getShape();
  double index = *getDoubles(operands[1]);
  if (!(index >= 0 && index < static_cast<double>(shape.size())))
    return createError(op, "a tensor of rank " + llvm::Twine(shape.size()) +
                               " has no dimension " +
                               llvm::Twine(static_cast<int64_t>(index)));
  llvm::Expected<Array> result = createResult(op, {});
  if (result)
    *getDoubles(*result) = shape[static_cast<size_t>(index)];
  return result;
}

static llvm::Expected<Array> evaluateEmpty(tensor::EmptyOp op,
                                           ArrayRef<Array> operands) {
  SmallVector<int64_t> shape(op.getType().getShape());
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size)) {
      size = *getDoubles(operands.front());
      operands = operands.drop_front();
    }
  llvm::Expected<Array> result = createResult(op, shape);
  // It has no contents: whoever reads them gets NaN.
  if (result)
    std::fill_n(getDoubles(*result), result->getNumElements(),
                std::numeric_limits<double>::quiet_NaN());
  return result;
}

/// Offsets, sizes or strides: a number, or the next of the operands.
static SmallVector<int64_t> getNumbers(ArrayRef<int64_t> fixed,
                                       ArrayRef<Array> &operands) {
  SmallVector<int64_t> numbers(fixed);
  for (int64_t &number : numbers)
    if (ShapedType::isDynamic(number)) {
      number = *getDoubles(operands.front());
      operands = operands.drop_front();
    }
  return numbers;
}

/// Copies between `small`, of the shape `sizes` up to dimensions of one, and
/// the box of `large` at `offsets`.
static llvm::Error copyBox(OffsetSizeAndStrideOpInterface op,
                           const Array &large, const Array &small,
                           ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                           ArrayRef<int64_t> strides, bool toLarge) {
  SmallVector<int64_t> largeStrides = getStrides(large.getShape()),
                       boxStrides = getStrides(sizes);
  int64_t count = 1;
  for (auto [i, size] : llvm::enumerate(sizes)) {
    count *= size;
    int64_t last = offsets[i] + (size - 1) * strides[i];
    if (size > 0 && (offsets[i] < 0 || last >= large.getShape()[i]))
      return createError(op, "a slice ends at " + llvm::Twine(last) +
                                 " of a dimension of " +
                                 llvm::Twine(large.getShape()[i]));
  }
  if (count != small.getNumElements())
    return createError(op, "a slice has " + llvm::Twine(count) +
                               " elements, expected " +
                               llvm::Twine(small.getNumElements()));
  for (int64_t i = 0; i < count; ++i) {
    int64_t there = 0;
    for (size_t d = 0; d < sizes.size(); ++d)
      there += (offsets[d] + i / boxStrides[d] % sizes[d] * strides[d]) *
               largeStrides[d];
    if (toLarge)
      getDoubles(large)[there] = getDoubles(small)[i];
    else
      getDoubles(small)[i] = getDoubles(large)[there];
  }
  return llvm::Error::success();
}

static llvm::Expected<Array> evaluateExtractSlice(tensor::ExtractSliceOp op,
                                                  ArrayRef<Array> operands) {
  ArrayRef<Array> rest = operands.drop_front();
  SmallVector<int64_t> offsets = getNumbers(op.getStaticOffsets(), rest),
                       sizes = getNumbers(op.getStaticSizes(), rest),
                       strides = getNumbers(op.getStaticStrides(), rest);
  // Dropped dimensions are of size one.
  SmallVector<int64_t> shape;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [i, size] : llvm::enumerate(sizes))
    if (!dropped.test(i))
      shape.push_back(size);
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  if (llvm::Error error = copyBox(op, operands[0], *result, offsets, sizes,
                                  strides, /*toLarge=*/false))
    return std::move(error);
  return result;
}

static llvm::Expected<Array> evaluateInsertSlice(tensor::InsertSliceOp op,
                                                 ArrayRef<Array> operands) {
  ArrayRef<Array> rest = operands.drop_front(2);
  SmallVector<int64_t> offsets = getNumbers(op.getStaticOffsets(), rest),
                       sizes = getNumbers(op.getStaticSizes(), rest),
                       strides = getNumbers(op.getStaticStrides(), rest);
  llvm::Expected<Array> result = createResult(op, operands[1].getShape());
  if (!result)
    return result;
  std::copy_n(getDoubles(operands[1]), operands[1].getNumElements(),
              getDoubles(*result));
  if (llvm::Error error = copyBox(op, *result, operands[0], offsets, sizes,
                                  strides, /*toLarge=*/true))
    return std::move(error);
  return result;
}

/// The place of an element, given by its indices.
static llvm::Expected<int64_t> getPlace(Operation *op, const Array &array,
                                        ArrayRef<Array> indices) {
  int64_t place = 0;
  for (auto [size, index] : llvm::zip_equal(array.getShape(), indices)) {
    double at = *getDoubles(index);
    if (!(at >= 0 && at < static_cast<double>(size)))
      return createError(op, "no element " +
                                 llvm::Twine(static_cast<int64_t>(at)) +
                                 " in a dimension of " + llvm::Twine(size));
    place = place * size + static_cast<int64_t>(at);
  }
  return place;
}

static llvm::Expected<Array> evaluateExtract(tensor::ExtractOp op,
                                             ArrayRef<Array> operands) {
  auto place = getPlace(op, operands[0], operands.drop_front());
  if (!place)
    return place.takeError();
  llvm::Expected<Array> result = createResult(op, {});
  if (result)
    *getDoubles(*result) = getDoubles(operands[0])[*place];
  return result;
}

static llvm::Expected<Array> evaluateInsert(tensor::InsertOp op,
                                            ArrayRef<Array> operands) {
  const Array &into = operands[1];
  auto place = getPlace(op, into, operands.drop_front(2));
  if (!place)
    return place.takeError();
  llvm::Expected<Array> result = createResult(op, into.getShape());
  if (!result)
    return result;
  std::copy_n(getDoubles(into), into.getNumElements(), getDoubles(*result));
  getDoubles(*result)[*place] = *getDoubles(operands[0]);
  return result;
}

llvm::Expected<Array> evaluateTensor(Operation *op, ArrayRef<Array> operands) {
  using Result = llvm::Expected<Array>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](tensor::DimOp dim) { return evaluateDim(dim, operands); })
      .Case(
          [&](tensor::EmptyOp empty) { return evaluateEmpty(empty, operands); })
      .Case([&](tensor::ExtractOp extract) {
        return evaluateExtract(extract, operands);
      })
      .Case([&](tensor::InsertOp insert) {
        return evaluateInsert(insert, operands);
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        return evaluateExtractSlice(slice, operands);
      })
      .Case([&](tensor::InsertSliceOp slice) {
        return evaluateInsertSlice(slice, operands);
      })
      // The static sizes of the result are checked like those of every result.
      .Case([&](tensor::CastOp) -> Result { return operands[0]; })
      .Default([&](Operation *) -> Result {
        return createError(
            op, "the reference evaluator does not know this operation");
      });
}

} // namespace attn
