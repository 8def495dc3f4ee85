//===- CheckContents.cpp - What only a call knows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CheckContents.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Matchers.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using mlir::attn::FeatureMapOp;
using mlir::attn::MaskOp;
using mlir::attn::MaskPoint;
using mlir::attn::ShapeClasses;

namespace attn {
llvm::Expected<ShapeClasses> analyzeSizes(func::FuncOp function) {
  FailureOr<ShapeClasses> classes = failure();
  if (llvm::Error error =
          collectErrors(function.getContext(), "sizes cannot be analysed", [&] {
            classes = ShapeClasses::analyze(function);
            return LogicalResult(classes);
          }))
    return std::move(error);
  return std::move(*classes);
}

llvm::Expected<ContentChecks> ContentChecks::create(func::FuncOp function) {
  llvm::Expected<ShapeClasses> classes = analyzeSizes(function);
  if (!classes)
    return classes.takeError();
  for (const ShapeClasses::Mismatch &mismatch : classes->getMismatches())
    return createError(mismatch.loc, "sizes " + Twine(mismatch.first) +
                                         " and " + Twine(mismatch.second) +
                                         " cannot be equal");
  ContentChecks checks(function, std::move(*classes));
  checks.addSizes();
  function.walk([&](Operation *op) {
    if (auto mask = dyn_cast<MaskOp>(op))
      checks.addMask(mask);
    else if (auto map = dyn_cast<FeatureMapOp>(op))
      checks.addFeatureMap(map);
    else if (op->getBlock() == &function.getBody().front())
      checks.addOperands(op);
  });
  return checks;
}

llvm::Error ContentChecks::runAll(const std::vector<Check> &checks,
                                  ArrayRef<Array> arguments) {
  for (const Check &check : checks)
    if (llvm::Error error = check(arguments))
      return error;
  return llvm::Error::success();
}

llvm::Error ContentChecks::check(ArrayRef<Array> arguments) const {
  if (llvm::Error error = checkSizes(arguments))
    return error;
  return checkContents(arguments);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static int64_t sizeOf(ShapeClasses::ArgumentDim place,
                      ArrayRef<Array> arguments) {
  return arguments[place.argument].getShape()[place.dim];
}

/// "dimension 0 of argument 1 is 5"
static std::string describe(ShapeClasses::ArgumentDim place,
                            ArrayRef<Array> arguments) {
  return llvm::formatv("dimension {0} of argument {1} is {2}", place.dim,
                       place.argument, sizeOf(place, arguments));
}

void ContentChecks::addSizes() {
  for (const auto &constraint : classes.getSizeConstraints())
    sizeChecks.push_back(
        [constraint](ArrayRef<Array> arguments) -> llvm::Error {
          int64_t got = sizeOf(constraint.lhs, arguments);
          if (!constraint.rhs) {
            if (got == constraint.size)
              return llvm::Error::success();
            return createError(constraint.loc,
                               describe(constraint.lhs, arguments) +
                                   ", expected " + Twine(constraint.size));
          }
          if (got == sizeOf(*constraint.rhs, arguments))
            return llvm::Error::success();
          return createError(constraint.loc,
                             describe(constraint.lhs, arguments) + " and " +
                                 describe(*constraint.rhs, arguments) +
                                 ", expected equal sizes");
        });
  for (const auto &constraint : classes.getGroupConstraints())
    sizeChecks.push_back(
        [constraint](ArrayRef<Array> arguments) -> llvm::Error {
          int64_t whole = sizeOf(constraint.whole, arguments);
          int64_t part = sizeOf(constraint.part, arguments);
          if (part == 0 ? whole == 0 : whole % part == 0)
            return llvm::Error::success();
          return createError(constraint.loc,
                             describe(constraint.whole, arguments) + " and " +
                                 describe(constraint.part, arguments) +
                                 ", expected a multiple of it");
        });
}

std::optional<Extent> ContentChecks::getSize(Value value, int64_t dim) const {
  Extent extent = getExtent(function, classes, value, dim);
  if (!extent.isKnown())
    return std::nullopt;
  return extent;
}

//===----------------------------------------------------------------------===//
// Contents
//===----------------------------------------------------------------------===//

namespace {
/// An operand that a call or the graph itself determines.
struct Contents {
  SmallVector<int64_t> shape;
  std::function<double(int64_t)> get;
};
} // namespace

static std::optional<Contents> getContents(Value operand,
                                           ArrayRef<Array> arguments) {
  if (auto argument = dyn_cast<BlockArgument>(operand)) {
    if (!isa<func::FuncOp>(argument.getOwner()->getParentOp()))
      return std::nullopt;
    const Array &array = arguments[argument.getArgNumber()];
    return Contents{llvm::to_vector(array.getShape()),
                    [array](int64_t i) { return array.get(i); }};
  }
  DenseIntElementsAttr constant;
  if (!matchPattern(operand, m_Constant(&constant)))
    return std::nullopt;
  return Contents{llvm::to_vector(constant.getType().getShape()),
                  [constant](int64_t i) -> double {
                    APInt element = constant.getValues<APInt>()[i];
                    return element.getBitWidth() == 1 ? element.getZExtValue()
                                                      : element.getSExtValue();
                  }};
}

void ContentChecks::addMask(MaskOp op) {
  if (op.getMaskOperands().empty())
    return;
  int64_t rank = op.getType().getRank();
  auto rowCount = getSize(op.getScores(), rank - 2);
  auto colCount = getSize(op.getScores(), rank - 1);
  for (Value operand : op.getMaskOperands())
    if (auto argument = dyn_cast<BlockArgument>(operand))
      if (argument.getOwner() == &function.getBody().front())
        readArguments.set(argument.getArgNumber());
  // Operands that the graph computes are known to nobody before it runs.
  if (!rowCount || !colCount)
    return;
  contentChecks.push_back([=](ArrayRef<Array> arguments) mutable
                          -> llvm::Error {
    SmallVector<Contents> operands;
    SmallVector<SmallVector<int64_t>> shapes;
    for (Value operand : op.getMaskOperands()) {
      auto contents = getContents(operand, arguments);
      if (!contents)
        return llvm::Error::success();
      shapes.push_back(contents->shape);
      operands.push_back(std::move(*contents));
    }
    auto element = [&](unsigned operand, ArrayRef<int64_t> index) {
      int64_t position = 0;
      for (auto [i, size] : llvm::zip_equal(index, shapes[operand]))
        position = position * size + i;
      return operands[operand].get(position);
    };
    MaskPoint point{
        0,      0,      rowCount->get(arguments), colCount->get(arguments), {},
        shapes, element};
    if (auto message = op.getMask().verifyContents(point))
      return createError(op.getLoc(), *message);
    return llvm::Error::success();
  });
}

void ContentChecks::addFeatureMap(FeatureMapOp op) {
  std::optional<int64_t> most =
      op.getMap() ? op.getMap()->getMaxTokens() : std::nullopt;
  if (!most)
    return;
  auto tokens = getSize(op.getInput(), op.getTokenDimension());
  auto start = dyn_cast_or_null<BlockArgument>(op.getStart());
  if (start && !start.getOwner()->isEntryBlock())
    start = BlockArgument();
  if (start)
    readArguments.set(start.getArgNumber());
  auto &checks = start ? contentChecks : sizeChecks;
  checks.push_back([=](ArrayRef<Array> arguments) mutable -> llvm::Error {
    int64_t first = start ? arguments[start.getArgNumber()].get(0) : 0;
    if (first < 0)
      return createError(op.getLoc(),
                         "expected a start of 0 or more, got " + Twine(first));
    if (!tokens)
      return llvm::Error::success();
    int64_t count = tokens->get(arguments);
    if (count <= *most && first <= *most - count)
      return llvm::Error::success();
    return createError(
        op.getLoc(),
        "the feature map is defined for up to " + Twine(*most) +
            " tokens, got " + Twine(count) +
            (first > 0 ? " from " + Twine(first) + " on" : Twine()));
  });
}

} // namespace attn
