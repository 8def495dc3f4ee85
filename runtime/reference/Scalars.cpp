//===- Scalars.cpp - Scalar operations and regions of them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Scalars.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace mlir;

namespace attn {

static constexpr double kNoInteger = std::numeric_limits<double>::quiet_NaN();

//===----------------------------------------------------------------------===//
// Floating-point operations
//===----------------------------------------------------------------------===//

using Unary = double (*)(double);
using Binary = double (*)(double, double);

static Unary findFloatUnary(StringRef name) {
  return llvm::StringSwitch<Unary>(name)
      .Case("arith.negf", [](double x) { return -x; })
      // The spec is exact arithmetic: casts do not round.
      .Cases({"arith.extf", "arith.truncf"}, [](double x) { return x; })
      .Case("math.absf", [](double x) { return std::fabs(x); })
      .Case("math.exp", [](double x) { return std::exp(x); })
      .Case("math.exp2", [](double x) { return std::exp2(x); })
      .Case("math.expm1", [](double x) { return std::expm1(x); })
      .Case("math.log", [](double x) { return std::log(x); })
      .Case("math.log2", [](double x) { return std::log2(x); })
      .Case("math.log10", [](double x) { return std::log10(x); })
      .Case("math.log1p", [](double x) { return std::log1p(x); })
      .Case("math.sqrt", [](double x) { return std::sqrt(x); })
      .Case("math.rsqrt", [](double x) { return 1 / std::sqrt(x); })
      .Case("math.cbrt", [](double x) { return std::cbrt(x); })
      .Case("math.sin", [](double x) { return std::sin(x); })
      .Case("math.cos", [](double x) { return std::cos(x); })
      .Case("math.tan", [](double x) { return std::tan(x); })
      .Case("math.asin", [](double x) { return std::asin(x); })
      .Case("math.acos", [](double x) { return std::acos(x); })
      .Case("math.atan", [](double x) { return std::atan(x); })
      .Case("math.sinh", [](double x) { return std::sinh(x); })
      .Case("math.cosh", [](double x) { return std::cosh(x); })
      .Case("math.tanh", [](double x) { return std::tanh(x); })
      .Case("math.erf", [](double x) { return std::erf(x); })
      .Case("math.erfc", [](double x) { return std::erfc(x); })
      .Case("math.floor", [](double x) { return std::floor(x); })
      .Case("math.ceil", [](double x) { return std::ceil(x); })
      .Case("math.trunc", [](double x) { return std::trunc(x); })
      .Case("math.round", [](double x) { return std::round(x); })
      .Case("math.roundeven", [](double x) { return std::nearbyint(x); })
      .Default(nullptr);
}

/// max(x, y), NaN if either is.
static double maximum(double x, double y) {
  return std::isnan(x) || std::isnan(y) ? x + y : std::fmax(x, y);
}
static double minimum(double x, double y) {
  return std::isnan(x) || std::isnan(y) ? x + y : std::fmin(x, y);
}

static Binary findFloatBinary(StringRef name) {
  return llvm::StringSwitch<Binary>(name)
      .Case("arith.addf", [](double x, double y) { return x + y; })
      .Case("arith.subf", [](double x, double y) { return x - y; })
      .Case("arith.mulf", [](double x, double y) { return x * y; })
      .Case("arith.divf", [](double x, double y) { return x / y; })
      .Case("arith.remf", [](double x, double y) { return std::fmod(x, y); })
      .Case("arith.maximumf", maximum)
      .Case("arith.minimumf", minimum)
      .Case("arith.maxnumf", [](double x, double y) { return std::fmax(x, y); })
      .Case("arith.minnumf", [](double x, double y) { return std::fmin(x, y); })
      .Cases({"math.powf", "math.fpowi"},
             [](double x, double y) { return std::pow(x, y); })
      .Case("math.atan2", [](double x, double y) { return std::atan2(x, y); })
      .Case("math.copysign",
            [](double x, double y) { return std::copysign(x, y); })
      .Default(nullptr);
}

//===----------------------------------------------------------------------===//
// Integer operations
//===----------------------------------------------------------------------===//

using IntegerBinary = double (*)(const APInt &, const APInt &);

double fromInteger(const APInt &value) {
  if (value.getBitWidth() == 1)
    return value.isZero() ? 0 : 1;
  return static_cast<double>(value.getSExtValue());
}

static APInt toInteger(double value, unsigned width) {
  // The largest i64 is 2^63 as a double.
  int64_t integer = value >= 0x1p63 ? std::numeric_limits<int64_t>::max()
                                    : static_cast<int64_t>(value);
  return APInt(64, integer, /*isSigned=*/true).trunc(width);
}

static unsigned getWidth(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
}

/// Whether a division has a value: neither by zero nor beyond the range.
static bool canDivide(const APInt &x, const APInt &y) {
  return !y.isZero() && !(x.isMinSignedValue() && y.isAllOnes());
}

template <int64_t (*divide)(int64_t, int64_t)>
static double divideSigned(const APInt &x, const APInt &y) {
  return canDivide(x, y) ? divide(x.getSExtValue(), y.getSExtValue())
                         : kNoInteger;
}

static int64_t quotient(int64_t x, int64_t y) { return x / y; }
static int64_t remainder(int64_t x, int64_t y) { return x % y; }

static IntegerBinary findIntegerBinary(StringRef name) {
  using I = const APInt &;
  return llvm::StringSwitch<IntegerBinary>(name)
      .Case("arith.addi", [](I x, I y) { return fromInteger(x + y); })
      .Case("arith.subi", [](I x, I y) { return fromInteger(x - y); })
      .Case("arith.muli", [](I x, I y) { return fromInteger(x * y); })
      .Case("arith.divsi", divideSigned<quotient>)
      .Case("arith.remsi", divideSigned<remainder>)
      .Case("arith.floordivsi", divideSigned<llvm::divideFloorSigned>)
      .Case("arith.ceildivsi", divideSigned<llvm::divideCeilSigned>)
      .Case("arith.divui",
            [](I x, I y) {
              return y.isZero() ? kNoInteger : fromInteger(x.udiv(y));
            })
      .Case("arith.remui",
            [](I x, I y) {
              return y.isZero() ? kNoInteger : fromInteger(x.urem(y));
            })
      .Case("arith.andi", [](I x, I y) { return fromInteger(x & y); })
      .Case("arith.ori", [](I x, I y) { return fromInteger(x | y); })
      .Case("arith.xori", [](I x, I y) { return fromInteger(x ^ y); })
      .Case("arith.maxsi",
            [](I x, I y) { return fromInteger(x.sgt(y) ? x : y); })
      .Case("arith.minsi",
            [](I x, I y) { return fromInteger(x.slt(y) ? x : y); })
      .Case("arith.maxui",
            [](I x, I y) { return fromInteger(x.ugt(y) ? x : y); })
      .Case("arith.minui",
            [](I x, I y) { return fromInteger(x.ult(y) ? x : y); })
      .Default(nullptr);
}

/// Casts from an integer of `from` bits to one of `to` bits or to a float.
static ScalarKernel findIntegerCast(Operation *op) {
  unsigned from = getWidth(op->getOperand(0).getType());
  unsigned to = getWidth(op->getResult(0).getType());
  bool isSigned = isa<arith::ExtSIOp, arith::IndexCastOp, arith::SIToFPOp>(op);
  bool isFloat = isa<arith::SIToFPOp, arith::UIToFPOp>(op);
  if (!isSigned && !isa<arith::ExtUIOp, arith::IndexCastUIOp, arith::UIToFPOp,
                        arith::TruncIOp>(op))
    return nullptr;
  return [=](const double *x) -> double {
    if (std::isnan(x[0]))
      return kNoInteger;
    APInt value = toInteger(x[0], from);
    if (isFloat)
      return isSigned ? static_cast<double>(value.getSExtValue())
                      : static_cast<double>(value.getZExtValue());
    return fromInteger(isSigned ? value.sextOrTrunc(to)
                                : value.zextOrTrunc(to));
  };
}

//===----------------------------------------------------------------------===//
// All operations
//===----------------------------------------------------------------------===//

ScalarKernel findScalarKernel(Operation *op) {
  StringRef name = op->getName().getStringRef();
  if (Unary f = findFloatUnary(name))
    return [f](const double *x) { return f(x[0]); };
  if (Binary f = findFloatBinary(name))
    return [f](const double *x) { return f(x[0], x[1]); };
  if (IntegerBinary f = findIntegerBinary(name))
    return [f, width = getWidth(op->getResult(0).getType())](const double *x) {
      if (std::isnan(x[0]) || std::isnan(x[1]))
        return kNoInteger;
      return f(toInteger(x[0], width), toInteger(x[1], width));
    };
  if (isa<math::FmaOp>(op))
    return [](const double *x) { return std::fma(x[0], x[1], x[2]); };
  if (isa<arith::SelectOp>(op))
    return [](const double *x) {
      return std::isnan(x[0]) ? kNoInteger : x[0] != 0 ? x[1] : x[2];
    };
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return [predicate = compare.getPredicate()](const double *x) -> double {
      return arith::applyCmpPredicate(predicate, APFloat(x[0]), APFloat(x[1]));
    };
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    return [predicate = compare.getPredicate(),
            width = getWidth(compare.getLhs().getType())](const double *x) {
      if (std::isnan(x[0]) || std::isnan(x[1]))
        return kNoInteger;
      return static_cast<double>(arith::applyCmpPredicate(
          predicate, toInteger(x[0], width), toInteger(x[1], width)));
    };
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op)) {
    bool isSigned = isa<arith::FPToSIOp>(op);
    unsigned width = getWidth(op->getResult(0).getType());
    // Doubles hold unsigned values of up to 63 bits in toInteger.
    double low = isSigned ? -std::ldexp(1.0, width - 1) : 0;
    double high = std::ldexp(1.0, isSigned || width == 64 ? width - 1 : width);
    return [=](const double *x) {
      double value = std::trunc(x[0]);
      return value >= low && value < high ? fromInteger(toInteger(value, width))
                                          : kNoInteger;
    };
  }
  return findIntegerCast(op);
}

//===----------------------------------------------------------------------===//
// ScalarProgram
//===----------------------------------------------------------------------===//

static llvm::Expected<double> getScalarConstant(arith::ConstantOp op) {
  if (auto value = dyn_cast<FloatAttr>(op.getValue()))
    return value.getValueAsDouble();
  if (auto value = dyn_cast<IntegerAttr>(op.getValue()))
    return fromInteger(value.getValue());
  return createError(op.getOperation(), "expected a scalar");
}

llvm::Expected<ScalarProgram> ScalarProgram::create(Block &block,
                                                    ScalarLookup captured) {
  ScalarProgram program;
  llvm::DenseMap<Value, unsigned> slotOf;
  auto addSlot = [&](Value value, double content) {
    slotOf[value] = program.slots.size();
    program.slots.push_back(content);
  };
  auto findSlot = [&](Value value) -> llvm::Expected<unsigned> {
    if (!slotOf.contains(value)) {
      llvm::Expected<double> content = captured(value);
      if (!content)
        return content.takeError();
      addSlot(value, *content);
    }
    return slotOf[value];
  };
  addSlot(block.getArgument(0), 0);
  for (Operation &op : block.without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      llvm::Expected<double> content = getScalarConstant(constant);
      if (!content)
        return content.takeError();
      addSlot(constant, *content);
      continue;
    }
    ScalarKernel kernel = findScalarKernel(&op);
    if (!kernel || isa<ShapedType>(op.getResult(0).getType()))
      return createError(&op, "the reference evaluator does not know this "
                              "operation in a feature map");
    Instruction instruction{std::move(kernel), {}, 0};
    for (Value operand : op.getOperands()) {
      llvm::Expected<unsigned> slot = findSlot(operand);
      if (!slot)
        return slot.takeError();
      instruction.operands.push_back(*slot);
    }
    instruction.result = program.slots.size();
    addSlot(op.getResult(0), 0);
    program.instructions.push_back(std::move(instruction));
  }
  llvm::Expected<unsigned> slot =
      findSlot(block.getTerminator()->getOperand(0));
  if (!slot)
    return slot.takeError();
  program.result = *slot;
  return program;
}

double ScalarProgram::run(double argument,
                          llvm::MutableArrayRef<double> slots) const {
  slots[0] = argument;
  for (const Instruction &instruction : instructions) {
    double operands[4];
    for (auto [i, slot] : llvm::enumerate(instruction.operands))
      operands[i] = slots[slot];
    slots[instruction.result] = instruction.kernel(operands);
  }
  return slots[result];
}

} // namespace attn
