//===- NamedTiles.h - Tiles along named axes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_LOWER_NAMEDTILES_H
#define ATTN_PASSES_LOWER_NAMEDTILES_H

#include "passes/lower/TileEmitter.h"

namespace mlir::attn {

/// A tensor and the names of its dimensions.
struct NamedValue {
  EinsumOperand axes;
  Value value;
};

/// The part of an axis that a tile covers.
struct AxisRange {
  OpFoldResult offset;
  int64_t size = 1;
};
using AxisRanges = llvm::SmallDenseMap<char, AxisRange>;

/// Where a tile lies on each axis. Axes that are not mentioned are at 0.
struct AxisPlaces {
  AxisRanges ranges;
  /// Sizes of the axes that share a dimension with slower ones.
  llvm::SmallDenseMap<char, OpFoldResult> sizes;

  /// The index of a dimension, of one axis or of a group.
  OpFoldResult getOffset(OpBuilder &b, Location loc, ArrayRef<char> dim) const;
};

/// The size of an axis, of a dimension of its own or of a part of a group; 1 if
/// no value has it.
OpFoldResult getAxisSize(OpBuilder &b, Location loc, TileEmitter &emitter,
                         ArrayRef<NamedValue> values, char axis);

/// Takes the indices `offsets` of the dimensions `axes` apart.
AxisPlaces placeAxes(OpBuilder &b, Location loc, TileEmitter &emitter,
                     ArrayRef<NamedValue> values, const EinsumOperand &axes,
                     ArrayRef<OpFoldResult> offsets);

/// The tile of a value along the axes of rows and columns, in its element type;
/// it lacks the dimensions of axes that the value lacks. 0 is no axis.
FailureOr<TileOps::Named> emitNamedTile(OpBuilder &b, TileEmitter &emitter,
                                        const NamedValue &value,
                                        const AxisPlaces &places, char rowAxis,
                                        char colAxis);

} // namespace mlir::attn

#endif // ATTN_PASSES_LOWER_NAMEDTILES_H
