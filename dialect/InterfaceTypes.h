//===- InterfaceTypes.h - What maps and masks tell passes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_INTERFACETYPES_H
#define ATTN_DIALECT_INTERFACETYPES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::attn {

class FeatureMapAttrInterface;

/// A matrix of the f64 spec, row-major.
struct SpecMatrix {
  ArrayRef<double> data;
  int64_t rows, cols;
  double operator()(int64_t i, int64_t j) const { return data[i * cols + j]; }
};

/// What the definition of a feature map may read besides the token's features.
struct FeatureMapRow {
  /// The index of the token in its sequence.
  int64_t position;
  /// The map's operands, sliced to this token's batch indices.
  ArrayRef<SpecMatrix> operands;
};

/// A tile of tokens to map.
struct FeatureMapTile {
  /// `tensor<T x D x elementType>`, static.
  Value input;
  /// The index of the tile's first token in its sequence (an `index`).
  Value position;
  /// The map's operands as static matrices of the element type, sliced to the
  /// tile's batch indices.
  SmallVector<Value> operands;

  int64_t getNumTokens() const { return getType().getDimSize(0); }
  int64_t getWidth() const { return getType().getDimSize(1); }
  Type getElementType() const { return getType().getElementType(); }
  RankedTensorType getType() const {
    return cast<RankedTensorType>(input.getType());
  }
};

/// FeatureMapAttrInterface::emitTile of element-wise and exponential maps.
Value emitDefaultFeatureMapTile(FeatureMapAttrInterface map, OpBuilder &builder,
                                Location loc, const FeatureMapTile &tile);

/// F4 of maps without operands.
LogicalResult
verifyNoFeatureMapOperands(function_ref<InFlightDiagnostic()> emitError,
                           TypeRange operands);

/// F4 of maps with one projection W of `[.., m, inDim]`; `required` forbids to
/// leave it out.
LogicalResult
verifyProjectionOperand(function_ref<InFlightDiagnostic()> emitError,
                        int64_t inDim, TypeRange operands, bool required);

/// M3 of masks without operands.
LogicalResult verifyNoMaskOperands(function_ref<InFlightDiagnostic()> emitError,
                                   TypeRange operands);

/// One pair of a mask's definition, with access to the mask's operands.
struct MaskPoint {
  int64_t row, col;
  /// The numbers of queries and keys.
  int64_t rows, cols;
  /// The batch indices of the scores, without row and col.
  ArrayRef<int64_t> batch;
  /// The shapes of the mask's operands.
  ArrayRef<SmallVector<int64_t>> shapes;
  /// An element of an operand.
  function_ref<double(unsigned operand, ArrayRef<int64_t> index)> element;
};

/// A tensor that a mask's predicate reads.
struct MaskTerm {
  enum class Kind {
    Row,   ///< one element a query, `tensor<N>`
    Col,   ///< one element a key, `tensor<M>`
    Scores ///< broadcasts to the scores from the right
  };
  Value tensor;
  Kind kind;
};

} // namespace mlir::attn

#endif // ATTN_DIALECT_INTERFACETYPES_H
