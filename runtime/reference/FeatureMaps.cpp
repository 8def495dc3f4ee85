//===- FeatureMaps.cpp - feature_map -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Evaluators.h"
#include "runtime/reference/Scalars.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using mlir::attn::FeatureMapAttrInterface;
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
static llvm::Expected<MapOperand> alignOperand(Operation *op, unsigned number,
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

/// The position of the first token.
static int64_t getStart(FeatureMapOp op, ArrayRef<Array> operands) {
  return op.getStart() ? static_cast<int64_t>(operands.back().get(0)) : 0;
}
static int64_t getStart(mlir::attn::FeatureScaleOp, ArrayRef<Array>) {
  return 0;
}

/// `function(line, phi)` for the features of each token; `line` counts the
/// indices of all other dimensions in row-major order.
template <typename Op>
static llvm::Error
forRows(Op op, FeatureMapAttrInterface map, ArrayRef<Array> operands,
        llvm::function_ref<void(int64_t, ArrayRef<double>)> function) {
  const Array &input = operands.front();
  ArrayRef<int64_t> shape = input.getShape();
  // Element-wise maps need neither dimension.
  int64_t rank = shape.size(),
          tokenDim = rank < 2 ? -1 : op.getTokenDimension(),
          featureDim = rank < 1 ? -1 : op.getFeatureDimension();
  int64_t width = rank < 1 ? 1 : shape[featureDim];
  int64_t features = map.getNumFeatures(width, op.getMapOperands().getTypes());
  SmallVector<int64_t> batchDims, batchShape;
  for (int64_t i = 0; i < rank; ++i)
    if (i != tokenDim && i != featureDim) {
      batchDims.push_back(i);
      batchShape.push_back(shape[i]);
    }
  SmallVector<MapOperand> mapOperands;
  for (auto [i, operand] :
       llvm::enumerate(operands.slice(1, op.getMapOperands().size()))) {
    auto aligned = alignOperand(op, i, operand, batchShape);
    if (!aligned)
      return aligned.takeError();
    mapOperands.push_back(std::move(*aligned));
  }
  int64_t start = getStart(op, operands);
  if (start < 0)
    return createError(op, "expected a start of 0 or more, got " +
                               llvm::Twine(start));
  if (auto most = map.getMaxTokens();
      most && (shape[tokenDim] > *most || start > *most - shape[tokenDim]))
    return createError(op,
                       "the map takes at most " + llvm::Twine(*most) +
                           " tokens, got " + llvm::Twine(shape[tokenDim]) +
                           (start > 0 ? " from " + llvm::Twine(start) + " on"
                                      : llvm::Twine()));
  // One line a token: all dimensions but the features.
  SmallVector<int64_t> lines(shape);
  if (featureDim >= 0)
    lines[featureDim] = 1;
  int64_t numLines = 1;
  for (int64_t size : lines)
    numLines *= size;
  SmallVector<int64_t> lineStrides = getStrides(lines),
                       inStrides = getStrides(shape);
  int64_t inStride = featureDim < 0 ? 1 : inStrides[featureDim];
  forBlocks(numLines, 64, [&](int64_t begin, int64_t end) {
    SmallVector<double> x(width), out(features);
    SmallVector<int64_t> index(rank);
    for (int64_t line = begin; line < end; ++line) {
      int64_t inOffset = 0;
      for (int64_t i = 0; i < rank; ++i) {
        index[i] = line / lineStrides[i] % lines[i];
        inOffset += index[i] * inStrides[i];
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
        x[i] = getDoubles(input)[inOffset + i * inStride];
      int64_t position = tokenDim < 0 ? 0 : start + index[tokenDim];
      map.evaluateRow(x, FeatureMapRow{position, matrices}, out);
      function(line, out);
    }
  });
  return llvm::Error::success();
}

/// A map given by its name: row by row.
static llvm::Expected<Array> evaluateNamed(FeatureMapOp op,
                                           ArrayRef<Array> operands) {
  FeatureMapAttrInterface map = *op.getMap();
  SmallVector<int64_t> shape(operands.front().getShape());
  int64_t inner = 1;
  if (!shape.empty()) {
    int64_t dim = op.getFeatureDimension();
    shape[dim] = map.getNumFeatures(shape[dim], op.getMapOperands().getTypes());
    for (int64_t size : ArrayRef(shape).drop_front(dim + 1))
      inner *= size;
  }
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  bool isStabilized =
      map.isExponential() && op.getStabilize() == mlir::attn::Stabilize::Token;
  // The features of a line lie `inner` elements apart.
  llvm::Error error =
      forRows(op, map, operands, [&](int64_t line, ArrayRef<double> phi) {
        int64_t count = phi.size();
        double *out =
            getDoubles(*result) + line / inner * inner * count + line % inner;
        // `attn.feature_scale` has the logarithm of the factor.
        double factor = 1;
        if (isStabilized)
          factor = *std::max_element(phi.begin(), phi.end());
        if (!(factor > 0 && std::isfinite(factor)))
          factor = 1;
        for (int64_t i = 0; i < count; ++i)
          out[i * inner] = phi[i] / factor;
      });
  if (error)
    return std::move(error);
  return result;
}

llvm::Expected<Array> evaluateFeatureScale(mlir::attn::FeatureScaleOp op,
                                           ArrayRef<Array> operands) {
  SmallVector<int64_t> shape(operands.front().getShape());
  shape.erase(shape.begin() + op.getFeatureDimension());
  llvm::Expected<Array> result = createResult(op, shape);
  if (!result)
    return result;
  // max_f psi_f = log max_f phi_f
  llvm::Error error = forRows(
      op, op.getMap(), operands, [&](int64_t line, ArrayRef<double> phi) {
        double largest = 0;
        for (double feature : phi)
          largest = std::isnan(feature) ? feature : std::max(feature, largest);
        getDoubles(*result)[line] = std::log(largest);
      });
  if (error)
    return std::move(error);
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
