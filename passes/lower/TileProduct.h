//===- TileProduct.h - A product in terms of the tile that is asked for ---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_TILEPRODUCT_H
#define ATTN_PASSES_LOWER_TILEPRODUCT_H

#include "passes/lower/NamedTiles.h"

namespace mlir::attn {

/// One operand of a product, which has the summed axis and one other.
struct ProductOperand {
  Value value;
  EinsumOperand axes;
  char other;
};

/// result[x, y] = sum_c left[x, c] right[c, y] at the batch indices of a tile.
struct TileEmitter::Product {
  ContractionOpInterface op;
  ProductOperand left, right;
  char x, y, c;
  AxisPlaces places;   // of all axes but c
  OpFoldResult extent; // of c
  Type element;

  AxisRange getRange(char axis) const { return places.ranges.lookup(axis); }
};

/// What to ask of an operand, and whether its tile is [c, other].
struct OperandRequest {
  TileRequest request;
  bool sumFirst;
};

/// The tile of an operand over `range` of the summed axis c. Tokens are rows;
/// of two token axes, queries are.
OperandRequest getOperandRequest(OpBuilder &b, Location loc,
                                 const ProductOperand &operand,
                                 const AxisPlaces &places, char c,
                                 AxisRange range);

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_TILEPRODUCT_H
