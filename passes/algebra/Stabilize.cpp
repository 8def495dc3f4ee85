//===- Stabilize.cpp - Permission to rescale exponential features -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Let y = phi(x) and let y' = c y with factors c > 0. The factor may depend on
// some axes of y, never on its features:
//
//   token    : c[b, n], each row of queries has its own factor
//   sequence : c[b], all tokens of a sequence share it
//
// Claim: if every path of uses of y ends in a normaliser that cancels c, the
// function has the same results for y' as for y. By induction along a path, a
// value z' = c z where c depends on a set of dimensions of z ("carried"):
//
//   scale, mask with fill 0 : linear and element by element; the same dims.
//   product                 : sum_k c a_k b_k = c sum_k a_k b_k, if no carried
//                             axis is summed over; the same axes.
//   normalize, last dim l   : c a / sum_l c a = a / sum_l a, if l is not
//                             carried and eps = 0. The path ends: c is gone.
//   divide_by_last          : likewise. A divisor of zero gives zero with and
//                             without c, as c > 0.
//
// Everything else is refused: it may let the factor through, as a yield of one
// branch does whose other branch does not have it. An approximate maximum is
// as good as the exact one: the claim holds for all c > 0.

#include "dialect/Attn.h"
#include "mlir/IR/Remarks.h"
#include "passes/Passes.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNSTABILIZE
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

namespace {
/// The use at which a factor is not cancelled, and why.
struct Remainder {
  Operation *op;
  std::string reason;
};
} // namespace

static std::optional<Remainder>
findRemainder(Value value, const llvm::SmallBitVector &carried);

/// The dimensions of the product's result that carry the factor of an operand.
static std::optional<Remainder>
followProduct(ContractionOpInterface op, OpOperand &use,
              const llvm::SmallBitVector &carried) {
  Einsum einsum = op.getSubscripts();
  bool isLeft = use.getOperandNumber() == 0;
  const EinsumOperand &operand = isLeft ? einsum.lhs : einsum.rhs;
  llvm::SmallBitVector result(einsum.result.size());
  for (unsigned dim : carried.set_bits())
    for (char axis : operand[dim]) {
      int64_t position = Einsum::find(einsum.result, axis);
      if (position < 0)
        return Remainder{op, "the product sums over the axis '" +
                                 std::string(1, axis) +
                                 "', along which the factor differs"};
      result.set(position);
    }
  return findRemainder(op->getResult(0), result);
}

/// Division along `dim` with `eps` and a floor in the divisor.
template <typename Op>
static std::optional<Remainder>
followDivision(Op op, unsigned dim, const llvm::SmallBitVector &carried) {
  if (op.getEps().isNonZero())
    return Remainder{op, "its eps is not zero, so the factor does not cancel"};
  if (op.getFloor())
    return Remainder{op, "its divisor has a floor that the factor must reach"};
  if (carried.test(dim))
    return Remainder{op, "the factor differs along the axis that it divides"};
  return std::nullopt;
}

static std::optional<Remainder>
findRemainder(Value value, const llvm::SmallBitVector &carried) {
  if (value.use_empty())
    return Remainder{value.getDefiningOp(), "it has no use"};
  for (OpOperand &use : value.getUses()) {
    Operation *op = use.getOwner();
    std::optional<Remainder> found;
    if (auto product = dyn_cast<ContractionOpInterface>(op)) {
      // y y^T has the factor twice; each use carries it by itself.
      found = followProduct(product, use, carried);
    } else if (isa<ScaleOp>(op)) {
      found = findRemainder(op->getResult(0), carried);
    } else if (auto mask = dyn_cast<MaskOp>(op);
               mask && mask.getFill().isZero() && use.getOperandNumber() == 0) {
      found = findRemainder(mask.getResult(), carried);
    } else if (auto normalize = dyn_cast<NormalizeOp>(op)) {
      found = followDivision(normalize, carried.size() - 1, carried);
    } else if (auto divide = dyn_cast<DivideByLastOp>(op)) {
      found = followDivision(divide, divide.getDimension(), carried);
    } else {
      found = Remainder{op, "no normaliser has cancelled the factor before it"};
    }
    if (found)
      return found;
  }
  return std::nullopt;
}

namespace {
struct AttnStabilize : attn::impl::AttnStabilizeBase<AttnStabilize> {
  void runOnOperation() override {
    getOperation()->walk([&](FeatureMapOp op) {
      if (!op.getMap() || !op.getMap()->isExponential() ||
          op.getStabilize() != Stabilize::None)
        return;
      llvm::SmallBitVector carried(op.getType().getRank(), true);
      carried.reset(op.getFeatureDimension());
      std::optional<Remainder> rows = findRemainder(op.getResult(), carried);
      if (!rows)
        return op.setStabilize(Stabilize::Token);
      carried.reset(op.getTokenDimension());
      std::optional<Remainder> all = findRemainder(op.getResult(), carried);
      if (!all)
        return op.setStabilize(Stabilize::Sequence);
      std::string text = "exponential features are not stabilised: at '" +
                         all->op->getName().getStringRef().str() + "' " +
                         all->reason;
      remark::missed(all->op->getLoc(),
                     remark::RemarkOpts::name("attn-stabilize")
                         .category("attn-stabilize")
                         .function(getOperation().getName()))
          << StringRef(text);
    });
  }
};
} // namespace
