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
  return ContentChecks(function, std::move(*classes));
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

llvm::Error ContentChecks::checkSizes(ArrayRef<Array> arguments) const {
  for (const auto &constraint : classes.getSizeConstraints()) {
    int64_t got = sizeOf(constraint.lhs, arguments);
    std::string what = describe(constraint.lhs, arguments);
    if (!constraint.rhs) {
      if (got != constraint.size)
        return createError(constraint.loc,
                           what + ", expected " + Twine(constraint.size));
    } else if (got != sizeOf(*constraint.rhs, arguments)) {
      return createError(constraint.loc,
                         what + " and " + describe(*constraint.rhs, arguments) +
                             ", expected equal sizes");
    }
  }
  for (const auto &constraint : classes.getGroupConstraints()) {
    int64_t whole = sizeOf(constraint.whole, arguments);
    int64_t part = sizeOf(constraint.part, arguments);
    if (part == 0 ? whole != 0 : whole % part != 0)
      return createError(constraint.loc,
                         describe(constraint.whole, arguments) + " and " +
                             describe(constraint.part, arguments) +
                             ", expected a multiple of it");
  }
  return llvm::Error::success();
}

/// The size of a dimension, if it is static or one of an argument.
std::optional<int64_t> ContentChecks::getSize(Value value, int64_t dim,
                                              ArrayRef<Array> arguments) const {
  ShapeClasses::Id id = classes.getClass(value, dim);
  int64_t size = classes.getStaticSize(id);
  if (ShapedType::isStatic(size))
    return size;
  func::FuncOp func = function;
  for (auto [argument, array] : llvm::zip_equal(func.getArguments(), arguments))
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (classes.getClass(argument, i) == id)
          return array.getShape()[i];
  return std::nullopt;
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

llvm::Error ContentChecks::checkMask(MaskOp op,
                                     ArrayRef<Array> arguments) const {
  if (op.getMaskOperands().empty())
    return llvm::Error::success();
  int64_t rank = op.getType().getRank();
  auto rows = getSize(op.getScores(), rank - 2, arguments);
  auto cols = getSize(op.getScores(), rank - 1, arguments);
  SmallVector<Contents> operands;
  SmallVector<SmallVector<int64_t>> shapes;
  for (Value operand : op.getMaskOperands())
    if (auto contents = getContents(operand, arguments)) {
      shapes.push_back(contents->shape);
      operands.push_back(std::move(*contents));
    }
  // Operands that the graph computes are known to nobody before it runs.
  if (!rows || !cols || operands.size() != op.getMaskOperands().size())
    return llvm::Error::success();
  auto element = [&](unsigned operand, ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [i, size] : llvm::zip_equal(index, shapes[operand]))
      position = position * size + i;
    return operands[operand].get(position);
  };
  MaskPoint point{0, 0, *rows, *cols, {}, shapes, element};
  if (auto message = op.getMask().verifyContents(point))
    return createError(op.getLoc(), *message);
  return llvm::Error::success();
}

llvm::Error ContentChecks::checkFeatureMap(FeatureMapOp op,
                                           ArrayRef<Array> arguments) const {
  if (!op.getMap())
    return llvm::Error::success();
  std::optional<int64_t> most = op.getMap()->getMaxTokens();
  if (!most)
    return llvm::Error::success();
  auto tokens = getSize(op.getInput(), op.getTokenDimension(), arguments);
  int64_t start = 0;
  if (auto argument = dyn_cast_or_null<BlockArgument>(op.getStart());
      argument && argument.getOwner()->isEntryBlock())
    start = arguments[argument.getArgNumber()].get(0);
  if (start < 0)
    return createError(op.getLoc(),
                       "expected a start of 0 or more, got " + Twine(start));
  if (tokens && (*tokens > *most || start > *most - *tokens))
    return createError(
        op.getLoc(),
        "the feature map is defined for up to " + Twine(*most) +
            " tokens, got " + Twine(*tokens) +
            (start > 0 ? " from " + Twine(start) + " on" : Twine()));
  return llvm::Error::success();
}

llvm::Error ContentChecks::check(ArrayRef<Array> arguments) const {
  if (llvm::Error error = checkSizes(arguments))
    return error;
  llvm::Error error = llvm::Error::success();
  func::FuncOp func = function;
  func.walk([&](Operation *op) {
    llvm::Error found = llvm::Error::success();
    if (auto mask = dyn_cast<MaskOp>(op))
      found = checkMask(mask, arguments);
    else if (auto map = dyn_cast<FeatureMapOp>(op))
      found = checkFeatureMap(map, arguments);
    else if (op->getBlock() == &func.getBody().front())
      found = checkOperands(op, arguments);
    bool stop = static_cast<bool>(found);
    error = llvm::joinErrors(std::move(error), std::move(found));
    return stop ? WalkResult::interrupt() : WalkResult::advance();
  });
  return error;
}

} // namespace attn
