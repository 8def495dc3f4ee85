//===- TileProducts.cpp - Tiles of products -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/lower/TileProduct.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// A product in terms of a request
//===----------------------------------------------------------------------===//

/// The size of an axis from an operand where it is a dimension by itself, or
/// from the sizes of the other axes of its dimension.
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

  // 1. Where the tile lies on each axis.
  NamedValue values[] = {{einsum.lhs, op.getLhs()}, {einsum.rhs, op.getRhs()}};
  product.places =
      placeAxes(b, loc, *this, values, einsum.result, request.offsets);
  product.places.ranges[product.x].size = request.rows;
  product.places.ranges[product.y].size = request.cols;
  product.extent = getAxisSize(b, loc, *this, values, product.c);

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

OperandRequest attn::getOperandRequest(OpBuilder &b, Location loc,
                                       const ProductOperand &operand,
                                       const AxisPlaces &places, char c,
                                       AxisRange range) {
  OperandRequest result;
  TileRequest &request = result.request;
  AxisPlaces all = places;
  all.ranges[c] = range;
  for (const EinsumDim &dim : operand.axes)
    request.offsets.push_back(all.getOffset(b, loc, dim));
  int64_t sum = Einsum::find(operand.axes, c);
  int64_t other = Einsum::find(operand.axes, operand.other);
  bool sumIsToken = Einsum::isTokenAxis(c);
  bool otherIsToken = Einsum::isTokenAxis(operand.other);
  result.sumFirst = sumIsToken != otherIsToken ? sumIsToken : sum < other;
  request.rowDim = result.sumFirst ? sum : other;
  request.colDim = result.sumFirst ? other : sum;
  int64_t size = places.ranges.lookup(operand.other).size;
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
  OperandRequest left = getOperandRequest(b, loc, product->left,
                                          product->places, product->c, whole);
  OperandRequest right = getOperandRequest(b, loc, product->right,
                                           product->places, product->c, whole);
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
