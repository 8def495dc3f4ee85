//===- Stream.cpp - Long inputs in pieces, with the state carried -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Stream.h"
#include "dialect/Attn.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "runtime/array/Error.h"
#include "runtime/array/Slice.h"
#include "runtime/engine/CheckContents.h"
#include <limits>

using namespace mlir;
using mlir::attn::RecurrenceOp;
using mlir::attn::ShapeClasses;

namespace attn::tool {

void specialize(func::FuncOp function, ArrayRef<Array> arguments) {
  function.getContext()->loadDialect<tensor::TensorDialect>();
  Block &body = function.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  for (unsigned i = 0; i < body.getNumArguments(); ++i) {
    BlockArgument argument = body.getArgument(i);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.hasStaticShape())
      continue;
    // The graph keeps its types.
    auto cast = tensor::CastOp::create(builder, argument.getLoc(), type,
                                       Value(argument));
    Value dynamic = cast.getResult();
    argument.replaceUsesWithIf(dynamic, [&](OpOperand &use) {
      return use.getOwner() != cast.getOperation();
    });
    argument.setType(type.clone(arguments[i].getShape()));
  }
  function.setFunctionType(FunctionType::get(function.getContext(),
                                             body.getArgumentTypes(),
                                             function.getResultTypes()));
}

llvm::Expected<SmallVector<Array>>
makeStates(func::FuncOp function, unsigned first, const FunctionSizes &sizes) {
  SmallVector<Array> states;
  for (unsigned i = first; i < function.getNumArguments(); ++i) {
    auto type = cast<RankedTensorType>(function.getArgumentTypes()[i]);
    auto element = getElementType(type.getElementType());
    if (!element)
      return element.takeError();
    auto shape = sizes.getShape(i);
    if (!shape)
      return shape.takeError();
    auto array = Array::create(*element, *shape);
    if (!array)
      return array.takeError();
    bool isMax =
        llvm::any_of(function.getArgument(i).getUsers(), [&](Operation *user) {
          auto op = dyn_cast<RecurrenceOp>(user);
          return op && op.getInitialMax() == function.getArgument(i);
        });
    double fill = isMax ? -std::numeric_limits<double>::infinity() : 0;
    for (int64_t j = 0; j < array->getNumElements(); ++j)
      array->set(j, fill);
    states.push_back(std::move(*array));
  }
  return states;
}

//===----------------------------------------------------------------------===//
// Where tokens are
//===----------------------------------------------------------------------===//

llvm::Expected<TokenDims> findTokenDims(func::FuncOp function) {
  auto classes = analyzeSizes(function);
  if (!classes)
    return classes.takeError();
  // 1. The classes of token axes, and how many steps of each are one token.
  llvm::DenseMap<ShapeClasses::Id, int64_t> steps;
  bool isPacked = false;
  function.walk([&](RecurrenceOp op) {
    isPacked |= op.getCuSeqlens() != nullptr;
    mlir::attn::EinsumOperand axes = op.getAxes(op.getOutput());
    steps[classes->getClass(
        op.getOutput(), mlir::attn::Einsum::find(axes, RecurrenceOp::kToken))] =
        1;
  });
  if (isPacked)
    return createError(function.getLoc(),
                       "packed sequences cannot be cut: their bounds count "
                       "tokens of the whole");
  function.walk([&](Operation *op) {
    auto tie = [&](auto stepsOp, Value few, Value many) {
      int64_t dim = stepsOp.getTokenDimension();
      ShapeClasses::Id fewId = classes->getClass(few, dim),
                       manyId = classes->getClass(many, dim);
      int64_t factor = stepsOp.getSteps();
      if (steps.count(manyId)) {
        steps[manyId] = factor;
        steps[fewId] = 1;
      }
    };
    if (auto expand = dyn_cast<mlir::attn::ExpandStepsOp>(op))
      tie(expand, expand.getInput(), expand.getResult());
    if (auto take = dyn_cast<mlir::attn::TakeStepsOp>(op))
      tie(take, take.getResult(), take.getInput());
  });
  // 2. The dimensions of arguments and results that belong to them.
  auto find = [&](Value value) -> TokenDims::Cut {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    for (int64_t i = 0; type && i < type.getRank(); ++i) {
      auto it = steps.find(classes->getClass(value, i));
      if (it != steps.end())
        return {i, it->second};
    }
    return {};
  };
  TokenDims dims;
  bool isStatic = false;
  for (Value argument : function.getArguments()) {
    dims.arguments.push_back(find(argument));
    TokenDims::Cut cut = dims.arguments.back();
    isStatic |=
        cut.dim >= 0 &&
        !cast<RankedTensorType>(argument.getType()).isDynamicDim(cut.dim);
  }
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    dims.results.push_back(find(result));
  if (isStatic)
    return createError(function.getLoc(),
                       "streaming needs a dynamic number of tokens, '?'");
  return dims;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// Puts one array of a piece into that of all tokens.
static llvm::Error appendOne(SmallVectorImpl<Array> &whole, unsigned index,
                             const Array &part, TokenDims::Cut cut,
                             int64_t begin, int64_t tokens) {
  if (begin == 0 && cut.dim >= 0) {
    SmallVector<int64_t> shape(part.getShape());
    shape[cut.dim] = tokens * cut.steps;
    auto all = Array::create(part.getType(), shape);
    if (!all)
      return all.takeError();
    whole.push_back(std::move(*all));
  } else if (begin == 0) {
    whole.push_back(part);
  }
  if (cut.dim >= 0)
    setSlice(part, whole[index], cut.dim, begin * cut.steps);
  else
    whole[index] = part;
  return llvm::Error::success();
}

llvm::Error append(SmallVectorImpl<Array> &whole, ArrayRef<Array> piece,
                   ArrayRef<TokenDims::Cut> cuts, int64_t begin,
                   int64_t tokens) {
  for (auto [i, part] : llvm::enumerate(piece))
    if (llvm::Error error = appendOne(whole, i, part, cuts[i], begin, tokens))
      return error;
  return llvm::Error::success();
}

llvm::Error
forPieces(int64_t tokens, int64_t piece,
          llvm::function_ref<llvm::Error(int64_t, int64_t)> action) {
  int64_t begin = 0;
  do {
    int64_t count = std::min(piece, tokens - begin);
    if (llvm::Error error = action(begin, count))
      return error;
    begin += count;
  } while (begin < tokens);
  return llvm::Error::success();
}

llvm::Error runStream(const Callable &callable, int64_t tokens, int64_t piece,
                      SmallVector<Array> states, PieceSource source,
                      PieceSink sink) {
  return forPieces(
      tokens, piece, [&](int64_t begin, int64_t count) -> llvm::Error {
        auto arguments = source(begin, count);
        if (!arguments)
          return arguments.takeError();
        llvm::append_range(*arguments, states);
        auto results = callable.call(*arguments);
        if (!results)
          return results.takeError();
        // The reference returns f64; a state keeps the argument's type.
        for (auto [state, last] : llvm::zip_equal(
                 states, ArrayRef(*results).take_back(states.size()))) {
          auto next = convert(last, state.getType());
          if (!next)
            return next.takeError();
          state = std::move(*next);
        }
        return sink(*results, begin, count);
      });
}

} // namespace attn::tool
