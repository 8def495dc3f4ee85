//===- FeatureMaps.cpp - feature_map -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Evaluators.h"
#include "runtime/reference/Scalars.h"

using namespace mlir;
using mlir::attn::FeatureMapOp;
using mlir::attn::FeatureMapRow;
using mlir::attn::SpecMatrix;

namespace attn {

/// A map's operand: a matrix for each index of its leading dimensions.
namespace {
struct MapOperand {
  const double *data;
  int64_t rows, cols;
  /// Strides along the batch dimensions of the mapped tensor, 0 where the
  /// operand is shared.
  SmallVector<int64_t> batchStrides;
};
} // namespace

/// Aligns the leading dimensions of a map's operand to the right with the batch
/// dimensions of the input.
static llvm::Expected<MapOperand> alignOperand(FeatureMapOp op, unsigned number,
                                               const Array &operand,
                                               ArrayRef<int64_t> batch) {
  ArrayRef<int64_t> shape = operand.getShape(), leading = shape.drop_back(2);
  if (leading.size() > batch.size() ||
      leading != batch.take_back(leading.size()))
    return createError(op, "map operand " + llvm::Twine(number) + " of shape " +
                               getText(shape) +
                               " does not fit the batch dimensions " +
                               getText(batch));
  int64_t rank = shape.size();
  MapOperand aligned{getDoubles(operand), shape[rank - 2], shape[rank - 1], {}};
  aligned.batchStrides.assign(batch.size() - leading.size(), 0);
  llvm::append_range(aligned.batchStrides,
                     ArrayRef(getStrides(shape)).drop_back(2));
  return aligned;
}

/// A map given by its name: row by row.
static llvm::Expected<Array> evaluateNamed(FeatureMapOp op,
                                           ArrayRef<Array> operands) {
  const Array &input = operands.front();
  ArrayRef<int64_t> shape = input.getShape();
  int64_t rank = shape.size(), tokenDim = op.getTokenDimension(),
          featureDim = op.getFeatureDimension();
  mlir::attn::FeatureMapAttrInterface map = *op.getMap();
  int64_t width = shape[featureDim];
  int64_t features = map.getNumFeatures(width, op.getMapOperands().getTypes());
  SmallVector<int64_t> batchDims, batchShape;
  for (int64_t i = 0; i < rank; ++i)
    if (i != tokenDim && i != featureDim) {
      batchDims.push_back(i);
      batchShape.push_back(shape[i]);
    }
  SmallVector<MapOperand> mapOperands;
  for (auto [i, operand] : llvm::enumerate(operands.drop_front())) {
    auto aligned = alignOperand(op, i, operand, batchShape);
    if (!aligned)
      return aligned.takeError();
    mapOperands.push_back(std::move(*aligned));
  }
  if (auto tokens = map.getMaxTokens(); tokens && shape[tokenDim] > *tokens)
    return createError(op, "the map takes at most " + llvm::Twine(*tokens) +
                               " tokens, got " + llvm::Twine(shape[tokenDim]));
  SmallVector<int64_t> resultShape(shape);
  resultShape[featureDim] = features;
  llvm::Expected<Array> result = createResult(op, resultShape);
  if (!result)
    return result;

  // One line a token: all dimensions but the features.
  SmallVector<int64_t> lines(shape);
  lines[featureDim] = 1;
  int64_t numLines = 1;
  for (int64_t size : lines)
    numLines *= size;
  SmallVector<int64_t> lineStrides = getStrides(lines),
                       inStrides = getStrides(shape),
                       outStrides = getStrides(resultShape);
  forBlocks(numLines, 64, [&](int64_t begin, int64_t end) {
    SmallVector<double> x(width), out(features);
    SmallVector<int64_t> index(rank);
    for (int64_t line = begin; line < end; ++line) {
      int64_t inOffset = 0, outOffset = 0;
      for (int64_t i = 0; i < rank; ++i) {
        index[i] = line / lineStrides[i] % lines[i];
        inOffset += index[i] * inStrides[i];
        outOffset += index[i] * outStrides[i];
      }
      SmallVector<SpecMatrix> matrices;
      for (const MapOperand &operand : mapOperands) {
        const double *data = operand.data;
        for (auto [dim, stride] :
             llvm::zip_equal(batchDims, operand.batchStrides))
          data += index[dim] * stride;
        matrices.push_back({ArrayRef(data, operand.rows * operand.cols),
                            operand.rows, operand.cols});
      }
      for (int64_t i = 0; i < width; ++i)
        x[i] = getDoubles(input)[inOffset + i * inStrides[featureDim]];
      map.evaluateRow(x, FeatureMapRow{index[tokenDim], matrices}, out);
      for (int64_t i = 0; i < features; ++i)
        getDoubles(*result)[outOffset + i * outStrides[featureDim]] = out[i];
    }
  });
  return result;
}

/// A user's own map: element by element.
static llvm::Expected<Array> evaluateRegion(FeatureMapOp op, const Array &input,
                                            ScalarLookup captured) {
  llvm::Expected<ScalarProgram> program =
      ScalarProgram::create(op.getBody().front(), captured);
  if (!program)
    return program.takeError();
  llvm::Expected<Array> result = createResult(op, input.getShape());
  if (!result)
    return result;
  forBlocks(input.getNumElements(), 4096, [&](int64_t begin, int64_t end) {
    SmallVector<double> slots = program->getSlots();
    for (int64_t i = begin; i < end; ++i)
      getDoubles(*result)[i] = program->run(getDoubles(input)[i], slots);
  });
  return result;
}

llvm::Expected<Array> evaluateFeatureMap(FeatureMapOp op,
                                         ArrayRef<Array> operands,
                                         ScalarLookup captured) {
  return op.getMap() ? evaluateNamed(op, operands)
                     : evaluateRegion(op, operands.front(), captured);
}

} // namespace attn
