//===- TileProducts.cpp - Tiles of products -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/lower/TileProduct.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// A product in terms of a request
//===----------------------------------------------------------------------===//

/// The size of an axis from an operand where it is a dimension by itself, or
/// from the sizes of the other axes of its dimension.
static OpFoldResult getAxisSize(OpBuilder &b, TileEmitter &emitter,
                                ContractionOpInterface op, const Einsum &einsum,
                                char axis) {
  std::pair<const EinsumOperand *, Value> operands[] = {
      {&einsum.lhs, op.getLhs()}, {&einsum.rhs, op.getRhs()}};
  for (auto &[axes, value] : operands)
    for (auto [i, dim] : llvm::enumerate(*axes))
      if (dim.size() == 1 && dim[0] == axis)
        return emitter.getSize(b, value, i);
  for (auto &[axes, value] : operands)
    for (auto [i, dim] : llvm::enumerate(*axes)) {
      if (!llvm::is_contained(dim, axis))
        continue;
      OpFoldResult size = emitter.getSize(b, value, i);
      AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
      for (char other : dim)
        if (other != axis)
          size = affine::makeComposedFoldedAffineApply(
              b, op.getLoc(), AffineMap::get(2, 0, d0.floorDiv(d1)),
              {size, getAxisSize(b, emitter, op, einsum, other)});
      return size;
    }
  return b.getIndexAttr(1);
}

FailureOr<TileEmitter::Product>
TileEmitter::analyzeProduct(OpBuilder &b, ContractionOpInterface op,
                            const TileRequest &request) {
  Location loc = op.getLoc();
  Einsum einsum = op.getSubscripts();
  Product product;
  product.op = op;
  product.element = op.getResult().getType().getElementType();
  product.x = einsum.result[request.rowDim].front();
  product.y = einsum.result[request.colDim].front();
  product.c = einsum.getRoles().contracted.front();
  if (einsum.result[request.rowDim].size() != 1 ||
      einsum.result[request.colDim].size() != 1)
    return op->emitOpError("cannot be tiled along a group of axes");

  // 1. Where the tile lies on each axis; a composite index is taken apart:
  //    (g r) -> g = i / R, r = i mod R.
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  for (auto [i, dim] : llvm::enumerate(einsum.result)) {
    OpFoldResult offset = request.offsets[i];
    for (char axis : llvm::reverse(ArrayRef(dim).drop_front())) {
      OpFoldResult size = getAxisSize(b, *this, op, einsum, axis);
      product.sizes[axis] = size;
      product.ranges[axis].offset = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0 % d1), {offset, size});
      offset = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(2, 0, d0.floorDiv(d1)), {offset, size});
    }
    product.ranges[dim.front()].offset = offset;
  }
  product.ranges[product.x].size = request.rows;
  product.ranges[product.y].size = request.cols;
  product.extent = getAxisSize(b, *this, op, einsum, product.c);

  // 2. Which operand has the rows, which the columns.
  auto has = [](const EinsumOperand &axes, char axis) {
    return Einsum::find(axes, axis) >= 0;
  };
  ProductOperand lhs{op.getLhs(), einsum.lhs, product.x};
  ProductOperand rhs{op.getRhs(), einsum.rhs, product.x};
  bool swapped = !has(lhs.axes, product.x);
  product.left = swapped ? rhs : lhs;
  product.right = swapped ? lhs : rhs;
  product.right.other = product.y;
  if (!has(product.left.axes, product.x) || has(product.left.axes, product.y) ||
      !has(product.right.axes, product.y) || has(product.right.axes, product.x))
    return op->emitOpError("is not a product of matrices with the rows '")
           << Twine(product.x) << "' and the columns '" << Twine(product.y)
           << "'";
  return product;
}

OperandRequest
attn::getOperandRequest(OpBuilder &b, Location loc,
                        const ProductOperand &operand, const AxisRanges &ranges,
                        const llvm::SmallDenseMap<char, OpFoldResult> &sizes,
                        char c, AxisRange range) {
  OperandRequest result;
  TileRequest &request = result.request;
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1),
             d2 = b.getAffineDimExpr(2);
  for (const EinsumDim &dim : operand.axes) {
    auto offsetOf = [&](char axis) {
      return axis == c ? range.offset : ranges.lookup(axis).offset;
    };
    // (g r) -> g R + r
    OpFoldResult offset = offsetOf(dim.front());
    for (char axis : ArrayRef(dim).drop_front())
      offset = affine::makeComposedFoldedAffineApply(
          b, loc, AffineMap::get(3, 0, d0 * d1 + d2),
          {offset, sizes.lookup(axis), offsetOf(axis)});
    request.offsets.push_back(offset);
  }
  int64_t sum = Einsum::find(operand.axes, c);
  int64_t other = Einsum::find(operand.axes, operand.other);
  bool sumIsToken = Einsum::isTokenAxis(c);
  bool otherIsToken = Einsum::isTokenAxis(operand.other);
  result.sumFirst = sumIsToken != otherIsToken ? sumIsToken : sum < other;
  request.rowDim = result.sumFirst ? sum : other;
  request.colDim = result.sumFirst ? other : sum;
  int64_t size = ranges.lookup(operand.other).size;
  request.rows = result.sumFirst ? range.size : size;
  request.cols = result.sumFirst ? size : range.size;
  return result;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

FailureOr<Value> TileEmitter::emitContraction(OpBuilder &b,
                                              ContractionOpInterface op,
                                              const TileRequest &request) {
  FailureOr<Product> product = analyzeProduct(b, op, request);
  if (failed(product))
    return failure();
  if (Einsum::isTokenAxis(product->c))
    return emitTokenSum(b, *product);

  // A sum over features in one piece.
  Location loc = op.getLoc();
  std::optional<int64_t> extent = getConstantIntValue(product->extent);
  if (!extent)
    return op->emitOpError("sums over the axis '")
           << Twine(product->c) << "' whose size is not static";
  AxisRange whole{b.getIndexAttr(0), *extent};
  OperandRequest left =
      getOperandRequest(b, loc, product->left, product->ranges, product->sizes,
                        product->c, whole);
  OperandRequest right =
      getOperandRequest(b, loc, product->right, product->ranges, product->sizes,
                        product->c, whole);
  FailureOr<Value> leftTile = emit(b, product->left.value, left.request);
  FailureOr<Value> rightTile = emit(b, product->right.value, right.request);
  if (failed(leftTile) || failed(rightTile))
    return failure();
  TileOps ops(b, loc);
  Type element = product->element;
  *leftTile = ops.convert(*leftTile, element);
  *rightTile = ops.convert(*rightTile, element);
  if (request.cols == 1 && request.rows > 1) {
    // A single column, such as the sums of a normaliser, is a row sum.
    if (left.sumFirst)
      *leftTile = ops.transpose(*leftTile);
    ReassociationIndices both{0, 1};
    Value vector = tensor::CollapseShapeOp::create(b, loc, *rightTile, both);
    Value sums =
        ops.matvec(ops.fill({request.rows}, element, 0), *leftTile, vector);
    return Value(tensor::ExpandShapeOp::create(
        b, loc, RankedTensorType::get({request.rows, 1}, element), sums, both));
  }
  Value zero = ops.fill({request.rows, request.cols}, element, 0);
  return ops.matmul(zero, *leftTile, left.sumFirst, *rightTile,
                    !right.sumFirst);
}
