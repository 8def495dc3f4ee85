//===- StateParts.cpp - Parts of a state that a cache holds ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/StateParts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"

using namespace mlir;
using namespace mlir::attn;

static constexpr int64_t kDefaultSize = 32 * 1024;
/// Parts are of whole vectors, and of two at least: the work for a token that
/// does not depend on the columns is done for each part.
static constexpr int64_t kFewestColumns = 32;

/// The bytes of the first cache.
static int64_t getFirstCacheSize(Operation *op) {
  FailureOr<Attribute> size =
      dlti::query(op, {StringRef("CPU"), StringRef("L1_cache_size_in_bytes")});
  if (failed(size))
    return kDefaultSize;
  auto bytes = dyn_cast<IntegerAttr>(*size);
  return bytes ? bytes.getInt() : kDefaultSize;
}

bool attn::isNear(RecurrenceOp op, int64_t columns) {
  int64_t bytes = op.getAxisSize(RecurrenceOp::kKey) * columns *
                  op.getElementType().getIntOrFloatBitWidth() / 8;
  return 2 * bytes <= getFirstCacheSize(op);
}

/// Values that are computed from others at the same channel.
static bool canBeCut(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return true;
  if (auto map = dyn_cast<FeatureMapOp>(op))
    return map.isElementwise() && canBeCut(map.getInput());
  if (isa<GateOp, ScaleOp>(op) || op->hasTrait<OpTrait::Elementwise>())
    return llvm::all_of(op->getOperands(), canBeCut);
  return isa<arith::ConstantOp, RecurrenceOp>(op);
}

int64_t attn::getPartColumns(RecurrenceOp op) {
  int64_t all = op.getAxisSize(RecurrenceOp::kValue);
  if (isNear(op, all) || all % kFewestColumns != 0)
    return all;
  // A dimension of its own in every tensor that has it.
  auto isCut = [](const EinsumOperand &axes) {
    return llvm::all_of(axes, [](const EinsumDim &dim) {
      return dim.size() == 1 || !llvm::is_contained(dim, RecurrenceOp::kValue);
    });
  };
  for (const EinsumOperand &axes : op.getAxesOfOperands())
    if (!isCut(axes))
      return all;
  for (Value result : op->getResults())
    if (result && !isCut(op.getAxes(result)))
      return all;
  for (Value operand : op->getOperands())
    if (op.hasAxis(operand, RecurrenceOp::kValue) && !canBeCut(operand))
      return all;
  int64_t columns = all;
  while (columns % (2 * kFewestColumns) == 0 && !isNear(op, columns))
    columns /= 2;
  return columns;
}
