//===- Packed.cpp - Query and key in one segment of packed sequences -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Constraints
//===----------------------------------------------------------------------===//

LogicalResult PackedAttr::verifyMask(function_ref<InFlightDiagnostic()> error,
                                     RankedTensorType scores,
                                     TypeRange operands) const {
  if (operands.empty() || operands.size() > 2)
    return error() << "[M4] expected cu_seqlens of the tokens, or of queries "
                      "and of keys, got "
                   << operands.size() << " operands";
  for (Type operand : operands) {
    auto type = cast<RankedTensorType>(operand);
    Type element = type.getElementType();
    if (type.getRank() != 1 || type.getDimSize(0) == 0 ||
        !(element.isSignlessInteger(32) || element.isSignlessInteger(64)))
      return error() << "[M4] expected cu_seqlens of one or more i32 or i64, "
                        "got "
                     << type;
  }
  // One list of segments serves queries and keys if they are the same tokens.
  int64_t rank = scores.getRank();
  if (operands.size() == 1 &&
      failed(verifyCompatibleShape(scores.getShape().take_back(1),
                                   scores.getShape().slice(rank - 2, 1))))
    return error() << "[M4] expected as many keys as queries for one "
                      "cu_seqlens, got "
                   << scores;
  if (operands.size() == 2 &&
      failed(verifyCompatibleShape(operands.front(), operands.back())))
    return error() << "[M4] expected as many segments of queries as of keys, "
                      "got "
                   << operands.front() << " and " << operands.back();
  return success();
}

/// What is wrong with the segments of `tokens` tokens in one operand.
static std::optional<std::string> verifySegments(const MaskPoint &point,
                                                 unsigned operand,
                                                 int64_t tokens,
                                                 StringRef name) {
  auto at = [&](int64_t i) -> int64_t { return point.element(operand, {i}); };
  int64_t size = point.shapes[operand][0];
  if (size == 0)
    return "cu_seqlens is empty, expected a 0 at least";
  if (at(0) != 0)
    return llvm::formatv("cu_seqlens starts at {0}, expected 0", at(0)).str();
  for (int64_t i = 1; i < size; ++i)
    if (at(i) < at(i - 1))
      return llvm::formatv("cu_seqlens does not increase at position {0}: {1} "
                           "after {2}",
                           i, at(i), at(i - 1))
          .str();
  if (at(size - 1) != tokens)
    return llvm::formatv("cu_seqlens ends at {0}, expected the number of {1}, "
                         "{2}",
                         at(size - 1), name, tokens)
        .str();
  return std::nullopt;
}

std::optional<std::string>
PackedAttr::verifyContents(const MaskPoint &point) const {
  bool shared = point.shapes.size() == 1;
  if (auto error = verifySegments(point, 0, point.rows, "queries"))
    return error;
  if (auto error = verifySegments(point, shared ? 0 : 1, point.cols, "keys"))
    return error;
  if (!shared && point.shapes[0] != point.shapes[1])
    return llvm::formatv("cu_seqlens has {0} segments of queries and {1} of "
                         "keys",
                         point.shapes[0][0] - 1, point.shapes[1][0] - 1)
        .str();
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Definition
//===----------------------------------------------------------------------===//

bool PackedAttr::contains(const MaskPoint &point) const {
  // Some segment s has both.
  unsigned keys = point.shapes.size() - 1;
  auto has = [&](unsigned operand, int64_t s, int64_t token) {
    return point.element(operand, {s}) <= token &&
           token < point.element(operand, {s + 1});
  };
  for (int64_t s = 0; s + 1 < point.shapes[0][0]; ++s)
    if (has(0, s, point.row) && has(keys, s, point.col))
      return true;
  return false;
}

//===----------------------------------------------------------------------===//
// IR
//===----------------------------------------------------------------------===//

/// ids[t] = s for the tokens t of segment s, in time linear in the tokens.
static Value emitSegmentIds(OpBuilder &builder, Location loc, Value cuSeqlens,
                            Value tokens) {
  Type i64 = builder.getI64Type();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value size = tensor::DimOp::create(builder, loc, cuSeqlens, zero);
  Value segments = arith::SubIOp::create(builder, loc, size, one);
  // The id of a token in no segment, which contents that were not checked can
  // leave.
  Value none =
      arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(-1));
  Value empty = tensor::EmptyOp::create(
      builder, loc, ArrayRef<int64_t>{ShapedType::kDynamic}, i64, tokens);
  Value ids = linalg::FillOp::create(builder, loc, none, empty).getResult(0);
  return scf::ForOp::create(
             builder, loc, zero, segments, one, ids,
             [&](OpBuilder &b, Location l, Value s, ValueRange carried) {
               // Bounds are clamped, so that such contents write nothing
               // outside of the tensor either.
               auto boundary = [&](Value i, Value lowest) -> Value {
                 Value end = tensor::ExtractOp::create(b, l, cuSeqlens, i);
                 end = arith::IndexCastOp::create(b, l, b.getIndexType(), end);
                 end = arith::MaxSIOp::create(b, l, end, lowest);
                 return arith::MinSIOp::create(b, l, end, tokens);
               };
               Value begin = boundary(s, zero);
               Value end = boundary(arith::AddIOp::create(b, l, s, one), begin);
               SmallVector<OpFoldResult> offsets{begin};
               SmallVector<OpFoldResult> sizes{
                   arith::SubIOp::create(b, l, end, begin).getResult()};
               SmallVector<OpFoldResult> strides{b.getIndexAttr(1)};
               Value part = tensor::ExtractSliceOp::create(
                   b, l, carried[0], offsets, sizes, strides);
               Value id = arith::IndexCastOp::create(b, l, i64, s);
               Value filled =
                   linalg::FillOp::create(b, l, id, part).getResult(0);
               Value next = tensor::InsertSliceOp::create(
                   b, l, filled, carried[0], offsets, sizes, strides);
               scf::YieldOp::create(b, l, next);
             })
      .getResult(0);
}

SmallVector<MaskTerm> PackedAttr::prepare(OpBuilder &builder, Location loc,
                                          ValueRange operands, Value rows,
                                          Value cols) const {
  Value rowIds = emitSegmentIds(builder, loc, operands.front(), rows);
  Value colIds = operands.size() == 1 && rows == cols
                     ? rowIds
                     : emitSegmentIds(builder, loc, operands.back(), cols);
  return {{rowIds, MaskTerm::Kind::Row}, {colIds, MaskTerm::Kind::Col}};
}

Value PackedAttr::emitPredicate(OpBuilder &builder, Location loc, Value, Value,
                                ValueRange terms) const {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, terms[0],
                               terms[1]);
}

bool PackedAttr::isSegments(unsigned numOperands) const {
  return numOperands == 1;
}
