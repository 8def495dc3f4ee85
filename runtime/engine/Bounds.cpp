//===- Bounds.cpp - What a graph says about signs -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Bounds.h"
#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <cmath>

using namespace mlir;

namespace attn {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Graphs are shallow where signs follow at all.
static constexpr unsigned kMaxDepth = 16;

/// No element is infinite unless a bound is: 0 * inf is 0.
static double multiply(double x, double y) {
  return x == 0 || y == 0 ? 0 : x * y;
}

static Bounds multiply(Bounds a, Bounds b) {
  double corners[] = {multiply(a.lo, b.lo), multiply(a.lo, b.hi),
                      multiply(a.hi, b.lo), multiply(a.hi, b.hi)};
  return {*std::min_element(corners, corners + 4),
          *std::max_element(corners, corners + 4)};
}

static Bounds add(Bounds a, Bounds b) { return {a.lo + b.lo, a.hi + b.hi}; }

static Bounds negate(Bounds a) { return {-a.hi, -a.lo}; }

static Bounds unite(Bounds a, Bounds b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

static Bounds ofConstant(Value value) {
  DenseFPElementsAttr elements;
  FloatAttr scalar;
  if (matchPattern(value, m_Constant(&scalar))) {
    double x = scalar.getValueAsDouble();
    return std::isnan(x) ? Bounds() : Bounds{x, x};
  }
  // A dense constant is small, or a splat.
  if (!matchPattern(value, m_Constant(&elements)) || elements.empty())
    return {};
  Bounds bounds{kInfinity, -kInfinity};
  for (APFloat element : elements.getValues<APFloat>()) {
    double x =
        FloatAttr::get(elements.getElementType(), element).getValueAsDouble();
    if (std::isnan(x))
      return {};
    bounds = unite(bounds, {x, x});
    if (elements.isSplat())
      break;
  }
  return bounds;
}

static Bounds getBounds(Value value, unsigned depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == kMaxDepth)
    return {};
  auto operand = [&](unsigned i) {
    return getBounds(op->getOperand(i), depth + 1);
  };
  namespace ir = mlir::attn;
  return llvm::TypeSwitch<Operation *, Bounds>(op)
      .Case([&](ir::FeatureMapOp map) -> Bounds {
        if (!map.getMap())
          return {};
        auto [lo, hi] = map.getMap()->getRange();
        return {lo, hi};
      })
      .Case([&](ir::ScaleOp scale) {
        double factor = scale.getFactor().convertToDouble();
        return multiply(operand(0), {factor, factor});
      })
      .Case([&](ir::GateOp gate) {
        // The range of a gate is checked where it stands.
        Bounds factor = operand(1);
        if (gate.getLo() && gate.getHi()) {
          factor.lo = std::max(factor.lo, gate.getLo()->convertToDouble());
          factor.hi = std::min(factor.hi, gate.getHi()->convertToDouble());
        }
        return multiply(operand(0), factor);
      })
      .Case([&](ir::SoftmaxOp) -> Bounds {
        return {0, 1};
      })
      .Case([&](ir::ExpandStepsOp) {
        return unite(operand(0), {0, 0});
      })
      .Case<ir::TakeStepsOp, tensor::CastOp, arith::ExtFOp, arith::TruncFOp>(
          [&](auto) { return operand(0); })
      .Case([&](arith::MulFOp) { return multiply(operand(0), operand(1)); })
      .Case([&](arith::AddFOp) { return add(operand(0), operand(1)); })
      .Case([&](arith::SubFOp) { return add(operand(0), negate(operand(1))); })
      .Case([&](arith::NegFOp) { return negate(operand(0)); })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) -> Bounds {
        Bounds a = operand(0), b = operand(1);
        return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
      })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) -> Bounds {
        Bounds a = operand(0), b = operand(1);
        return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
      })
      .Case<math::ExpOp, math::Exp2Op>([&](auto) -> Bounds {
        // Above 1 an exponential may round to infinity.
        return {0, operand(0).hi <= 0 ? 1 : kInfinity};
      })
      .Case([&](math::LogOp) -> Bounds {
        return {-kInfinity, operand(0).hi <= 1 ? 0 : kInfinity};
      })
      .Case<math::AbsFOp, math::SqrtOp>([&](auto) -> Bounds {
        return {0, kInfinity};
      })
      .Case([&](math::TanhOp) -> Bounds {
        return {-1, 1};
      })
      .Case([&](arith::ConstantOp) { return ofConstant(value); })
      .Default([](Operation *) { return Bounds(); });
}

Bounds getBounds(Value value) { return getBounds(value, 0); }

} // namespace attn
