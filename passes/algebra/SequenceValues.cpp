//===- SequenceValues.cpp - Values of a token, for all tokens -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/SequenceValues.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::attn;

SequenceValue SequenceValue::rename(ArrayRef<Axis> from,
                                    ArrayRef<Axis> to) const {
  SequenceValue result = *this;
  for (Axis &axis : result.axes)
    if (const Axis *old = llvm::find(from, axis); old != from.end())
      axis = to[old - from.begin()];
  return result;
}

SequenceBuilder::SequenceBuilder(ScanOp scan)
    : scan(scan), builder(scan), loc(scan.getLoc()),
      element(scan.getOutput().getType().getElementType()) {
  builder.setListener(&recorder);
  // Sizes under the letters of the scan, then under the axes that stand for
  // them.
  SmallVector<Einsum::NamedShape> shapes;
  for (auto [axes, operand] :
       llvm::zip_equal(scan.getAxesOfOperands(), scan.getOperands()))
    shapes.push_back(
        {axes, cast<RankedTensorType>(operand.getType()).getShape()});
  for (auto [axes, result] :
       llvm::zip_equal(scan.getAxesOfResults(), scan.getResults()))
    shapes.push_back(
        {axes, cast<RankedTensorType>(result.getType()).getShape()});
  auto known = Einsum::solveAxisSizes(shapes, scan.getStateAxes(),
                                      [&] { return scan.emitOpError(); });
  for (auto [letter, size] : *known)
    setSize(getAxes({EinsumDim{letter}}).front(), size);
  for (Axis axis : getAxes(scan.getAxesOfState()))
    if (axis != kKey && axis != kValue)
      batch.push_back(axis);
  batch.push_back(kToken);
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

Axes SequenceBuilder::getAxes(const EinsumOperand &axes) {
  Axes result;
  for (const EinsumDim &dim : axes) {
    char letter = dim.front();
    // n, d and v mean here what they mean to a recurrence.
    if (letter == 'e' || (Einsum::isTokenAxis(letter) && letter != kToken)) {
      auto [it, isNew] = replaced.try_emplace(letter, 0);
      if (isNew)
        it->second = createAxis(ShapedType::kDynamic);
      result.push_back(it->second);
    } else {
      result.push_back(letter);
    }
  }
  return result;
}

Axis SequenceBuilder::createAxis(int64_t size) {
  setSize(next, size);
  return next++;
}

SmallVector<std::string> SequenceBuilder::getText(ArrayRef<Axes> operands) {
  static constexpr StringLiteral kFree = "bhcfgijklopqruwxyze";
  llvm::MapVector<Axis, char> letters;
  for (const Axes &axes : operands)
    for (Axis axis : axes)
      if (axis < 256)
        letters[axis] = axis;
  auto isTaken = [&](char letter) { return letters.contains(letter); };
  size_t free = 0;
  SmallVector<std::string> texts;
  for (const Axes &axes : operands) {
    std::string &text = texts.emplace_back();
    for (Axis axis : axes) {
      auto [it, isNew] = letters.try_emplace(axis, 0);
      if (isNew) {
        while (free < kFree.size() && isTaken(kFree[free]))
          ++free;
        it->second = free < kFree.size() ? kFree[free++] : '?';
      }
      text += letters[axis];
    }
  }
  return texts;
}

RankedTensorType SequenceBuilder::getType(ArrayRef<Axis> axes,
                                          Type elementType) {
  return RankedTensorType::get(
      llvm::map_to_vector(axes, [&](Axis axis) { return getSize(axis); }),
      elementType);
}

/// The layout of one that has all axes, or: batch, token, channels.
Axes SequenceBuilder::unite(ArrayRef<Axis> a, ArrayRef<Axis> b) {
  if (isSubset(b, a))
    return Axes(a);
  if (isSubset(a, b))
    return Axes(b);
  Axes result;
  for (Axis axis : batch)
    if (hasAxis(a, axis) || hasAxis(b, axis))
      result.push_back(axis);
  for (ArrayRef<Axis> axes : {a, b})
    for (Axis axis : axes)
      if (!hasAxis(result, axis))
        result.push_back(axis);
  return result;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

std::optional<double> SequenceBuilder::getSplat(Value value) {
  DenseFPElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
    return std::nullopt;
  return elements.getSplatValue<APFloat>().convertToDouble();
}

SequenceValue SequenceBuilder::createGate(const SequenceValue &a,
                                          const SequenceValue &b, FloatAttr lo,
                                          FloatAttr hi) {
  for (const Product &product : products)
    if (product.a == a && product.b == b && product.lo == lo &&
        product.hi == hi)
      return product.result;
  if (!lo && !hi && isSubset(b.axes, a.axes))
    if (std::optional<double> factor = getSplat(b.value))
      return createScale(a, *factor);
  Axes axes = unite(a.axes, b.axes);
  SmallVector<std::string> text = getText({a.axes, b.axes, axes});
  std::string einsum = text[0] + "," + text[1] + "->" + text[2];
  Value value = GateOp::create(builder, loc, getType(axes, element), a.value,
                               b.value, builder.getStringAttr(einsum), lo, hi);
  products.push_back({a, b, {value, axes}, lo, hi});
  return products.back().result;
}

std::optional<std::pair<SequenceValue, SequenceValue>>
SequenceBuilder::getFactors(const SequenceValue &product) {
  for (const Product &known : products)
    if (known.result == product)
      return std::make_pair(known.a, known.b);
  return std::nullopt;
}

SequenceValue SequenceBuilder::createContraction(const SequenceValue &a,
                                                 const SequenceValue &b,
                                                 Axis summed) {
  Axes axes;
  for (Axis axis : unite(a.axes, b.axes))
    if (axis != summed)
      axes.push_back(axis);
  SmallVector<std::string> text = getText({a.axes, b.axes, axes});
  Value value = ContractOp::create(
      builder, loc, getType(axes, element), a.value, b.value,
      builder.getStringAttr(text[0] + "," + text[1] + "->" + text[2]));
  return {value, axes};
}

SequenceValue SequenceBuilder::createScale(const SequenceValue &a,
                                           double factor) {
  if (auto inner = a.value.getDefiningOp<ScaleOp>();
      inner && llvm::is_contained(recorder.operations, inner.getOperation()))
    return createScale({inner.getInput(), a.axes},
                       factor * inner.getFactor().convertToDouble());
  if (factor == 1)
    return a;
  Value value = ScaleOp::create(builder, loc, getType(a.axes, element), a.value,
                                builder.getF64FloatAttr(factor));
  return {value, a.axes};
}

SequenceValue SequenceBuilder::createConstant(double number,
                                              ArrayRef<Axis> axes) {
  RankedTensorType type = getType(axes, element);
  auto attr = DenseElementsAttr::get(
      type, Attribute(builder.getFloatAttr(element, number)));
  return {arith::ConstantOp::create(builder, loc, type, attr), Axes(axes)};
}

SequenceValue SequenceBuilder::createCopy(const SequenceValue &a) {
  SmallVector<std::string> text = getText({a.axes});
  Value one = createConstant(1, {}).value;
  Value value =
      GateOp::create(builder, loc, getType(a.axes, element), a.value, one,
                     builder.getStringAttr(text[0] + ",->" + text[0]),
                     FloatAttr(), FloatAttr());
  return {value, a.axes};
}

//===----------------------------------------------------------------------===//
// Maps of elements
//===----------------------------------------------------------------------===//

FailureOr<SequenceValue>
SequenceBuilder::arrange(const SequenceValue &a, ArrayRef<Axis> axes,
                         ArrayRef<SequenceValue> like) {
  if (ArrayRef(a.axes) == axes)
    return a;
  if (!cast<RankedTensorType>(a.value.getType()).getElementType().isFloat()) {
    reason = "a tensor that is not of floating-point elements would have to "
             "be repeated along other axes";
    return failure();
  }
  // Products with ones. A product of x and y has the axes of both.
  SequenceValue ones{nullptr, {}};
  Axes fixed;
  for (Axis axis : axes) {
    if (hasAxis(a.axes, axis) || hasAxis(ones.axes, axis))
      continue;
    if (ShapedType::isStatic(getSize(axis))) {
      fixed.push_back(axis);
      continue;
    }
    const SequenceValue *source = llvm::find_if(like, [&](const auto &value) {
      return hasAxis(value.axes, axis) && isSubset(value.axes, axes) &&
             value.axes.size() >= 2;
    });
    if (source == like.end()) {
      reason = "a value without the token axis would have to be repeated for "
               "each token";
      return failure();
    }
    SequenceValue one =
        createMap(arith::ConstantOp::getOperationName(), {}, {}, *source);
    ones = ones ? createGate(ones, one) : one;
  }
  if (!ones)
    ones = createConstant(1, fixed);
  else if (llvm::any_of(fixed,
                        [&](Axis axis) { return !hasAxis(ones.axes, axis); }))
    ones = createGate(ones, createConstant(1, fixed));
  SmallVector<std::string> text = getText({a.axes, ones.axes, Axes(axes)});
  Value value = GateOp::create(
      builder, loc, getType(axes, element), a.value, ones.value,
      builder.getStringAttr(text[0] + "," + text[1] + "->" + text[2]),
      FloatAttr(), FloatAttr());
  return SequenceValue{value, Axes(axes)};
}

/// The region computes `name` of the element and of constants; of no operand,
/// the constant 1.
SequenceValue SequenceBuilder::createMap(StringRef name,
                                         ArrayRef<NamedAttribute> attrs,
                                         ArrayRef<SequenceValue> operands,
                                         const SequenceValue &input) {
  OperationState state(loc, FeatureMapOp::getOperationName());
  state.addOperands(input.value);
  state.addTypes(getType(input.axes, element));
  state.addRegion();
  state.getOrAddProperties<FeatureMapOp::Properties>().operandSegmentSizes = {
      1, 0, 0};
  auto op = cast<FeatureMapOp>(builder.create(state));
  OpBuilder::InsertionGuard guard(builder);
  builder.setListener(nullptr);
  Block *block = builder.createBlock(&op.getBody(), {}, {element}, {loc});
  SmallVector<Value> scalars;
  for (const SequenceValue &operand : operands)
    scalars.push_back(
        operand == input
            ? Value(block->getArgument(0))
            : arith::ConstantOp::create(
                  builder, loc,
                  builder.getFloatAttr(element, *getSplat(operand.value))));
  Value result;
  if (operands.empty()) {
    result = arith::ConstantOp::create(builder, loc,
                                       builder.getFloatAttr(element, 1));
  } else {
    OperationState inner(loc, name, scalars, {element}, attrs);
    result = builder.create(inner)->getResult(0);
  }
  YieldOp::create(builder, loc, ValueRange{result});
  builder.setListener(&recorder);
  return {op.getResult(), input.axes};
}

FailureOr<SequenceValue> SequenceBuilder::createElementwise(
    StringRef name, ArrayRef<NamedAttribute> attrs,
    ArrayRef<SequenceValue> operands, Type resultElement) {
  Axes axes;
  for (const SequenceValue &operand : operands)
    axes = unite(axes, operand.axes);
  // 1. One tensor and constants: a map, which repeats the constants.
  const SequenceValue *input = nullptr;
  bool isMap = resultElement == element;
  bool isArranged = true;
  for (const SequenceValue &operand : operands) {
    isArranged &= operand.axes == axes;
    if (getSplat(operand.value))
      continue;
    isMap &= !input || *input == operand;
    input = &operand;
  }
  if (isMap && input && !isArranged && input->axes == axes &&
      axes.size() >= 2 &&
      cast<RankedTensorType>(input->value.getType()).getElementType().isFloat())
    return createMap(name, attrs, operands, *input);
  // 2. All in one layout and as wide as in the region.
  SmallVector<Value> values;
  for (const SequenceValue &operand : operands) {
    FailureOr<SequenceValue> arranged = arrange(operand, axes, operands);
    if (failed(arranged))
      return failure();
    Value value = arranged->value;
    Type own = cast<RankedTensorType>(value.getType()).getElementType();
    if (own != element && llvm::is_contained(scan.getInputs(), value))
      value =
          arith::ExtFOp::create(builder, loc, getType(axes, element), value);
    values.push_back(value);
  }
  OperationState state(loc, name, values, {getType(axes, resultElement)},
                       attrs);
  return SequenceValue{builder.create(state)->getResult(0), axes};
}

FailureOr<SequenceValue> SequenceBuilder::createSum(const SequenceValue &a,
                                                    const SequenceValue &b,
                                                    double factorOfB) {
  if (!b)
    return a;
  if (!a)
    return createScale(b, factorOfB);
  if (factorOfB == -1)
    return create<arith::SubFOp>({a, b});
  return create<arith::AddFOp>({a, createScale(b, factorOfB)});
}

void SequenceBuilder::eraseUnused() {
  for (Operation *op : llvm::reverse(recorder.operations))
    if (isOpTriviallyDead(op))
      op->erase();
  recorder.operations.clear();
}
