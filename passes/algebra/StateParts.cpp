//===- StateParts.cpp - Parts of a state that a cache holds ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/StateParts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/algebra/CpuSpec.h"

using namespace mlir;
using namespace mlir::attn;

/// Parts are of whole vectors, and of two at least: the work for a token that
/// does not depend on the columns is done for each part.
static constexpr int64_t kFewestColumns = 32;
/// Keys from which on element-wise recurrences are bound by their arithmetic.
static constexpr int64_t kManyKeys = 8;

bool attn::isNear(RecurrenceOp op, int64_t columns) {
  int64_t bytes = op.getAxisSize(RecurrenceOp::kKey) * columns *
                  op.getElementType().getIntOrFloatBitWidth() / 8;
  return 2 * bytes <= CpuSpec::get(op).firstCacheBytes;
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

/// Whether tiles of some value channels can be taken of all operands and
/// results.
static bool canBeCut(RecurrenceOp op) {
  // A dimension of its own in every tensor that has it.
  auto isCut = [](const EinsumOperand &axes) {
    return llvm::all_of(axes, [](const EinsumDim &dim) {
      return dim.size() == 1 || !llvm::is_contained(dim, RecurrenceOp::kValue);
    });
  };
  for (const EinsumOperand &axes : op.getAxesOfOperands())
    if (!isCut(axes))
      return false;
  for (Value result : op->getResults())
    if (result && !isCut(op.getAxes(result)))
      return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !op.hasAxis(operand, RecurrenceOp::kValue) || canBeCut(operand);
  });
}

/// Whether nothing of a step is shared by the elements of the state.
static bool isElementwise(RecurrenceOp op) {
  return op.getTransition().getTileAxes() == StringRef("dv") ||
         op.hasAxis(op.getLogGate(), RecurrenceOp::kValue);
}

/// Sequences that are known to be there.
static int64_t getNumStates(RecurrenceOp op) {
  int64_t count = 1;
  for (char axis : op.getStateAxes())
    if (int64_t size = op.getAxisSize(axis); ShapedType::isStatic(size))
      count *= size;
  return count;
}

/// Columns of which a step of an element-wise recurrence, with its
/// exponentials, stays in registers.
static int64_t getMapColumns(RecurrenceOp op) {
  return CpuSpec::get(op).getMapLength() / 2;
}

/// Columns of which the smallest part is.
static int64_t getFewestColumns(RecurrenceOp op) {
  return isElementwise(op) ? std::max(getMapColumns(op), kFewestColumns)
                           : kFewestColumns;
}

int64_t attn::getPartColumns(RecurrenceOp op) {
  int64_t columns = op.getAxisSize(RecurrenceOp::kValue),
          fewest = getFewestColumns(op);
  // Few keys are memory's work, which wants whole rows; with many, small parts
  // keep what does not change from token to token near.
  bool isSmall =
      isElementwise(op) && op.getAxisSize(RecurrenceOp::kKey) >= kManyKeys;
  auto wantsParts = [&] {
    return !isNear(op, columns) || (isSmall && columns > fewest);
  };
  if (!wantsParts() || !canBeCut(op))
    return columns;
  while (columns % (2 * fewest) == 0 && wantsParts())
    columns /= 2;
  return columns;
}

int64_t attn::getThreadColumns(RecurrenceOp op, int64_t columns,
                               int64_t threads) {
  int64_t all = op.getAxisSize(RecurrenceOp::kValue),
          fewest = getFewestColumns(op), states = getNumStates(op);
  if (all / columns * states >= threads || !canBeCut(op))
    return columns;
  while (columns % (2 * fewest) == 0 && all / columns * states < threads)
    columns /= 2;
  return columns;
}

int64_t attn::getGivenColumns(RecurrenceOp op, int64_t columns) {
  int64_t all = op.getAxisSize(RecurrenceOp::kValue);
  return all % columns == 0 && canBeCut(op) ? columns : all;
}

int64_t attn::getStepColumns(RecurrenceOp op, int64_t columns) {
  int64_t few = getMapColumns(op);
  bool isCut = isElementwise(op) && columns % few == 0 && canBeCut(op);
  return isCut ? std::min(columns, few) : columns;
}
