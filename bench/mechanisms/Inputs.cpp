//===- Inputs.cpp - Arguments of a row, and what it has to return ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"
#include "dialect/Attn.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/array/Error.h"
#include "runtime/array/Slice.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/ExposeStates.h"
#include "tools/attn-run/Stream.h"
#include <cmath>

using namespace mlir;

namespace attn::bench {

static func::FuncOp getMain(const Graph &graph) {
  return ModuleOp(*graph.module).lookupSymbol<func::FuncOp>("main");
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

/// The dynamic dimension; -1 if there is none.
static int64_t findTokens(Type type) {
  auto shape = cast<RankedTensorType>(type).getShape();
  const auto *it = llvm::find(shape, ShapedType::kDynamic);
  return it == shape.end() ? -1 : it - shape.begin();
}

/// A query, and a result, has one step a token; all else has those of the
/// graph.
static tool::TokenDims::Cut getCut(const Graph &graph, unsigned index) {
  tool::TokenDims::Cut cut;
  cut.dim = findTokens(getMain(graph).getArgumentTypes()[index]);
  if (graph.names[index] != "q")
    getMain(graph).walk(
        [&](mlir::attn::ExpandStepsOp op) { cut.steps = op.getSteps(); });
  return cut;
}

static tool::TokenDims::Cut getResultCut(const Graph &graph) {
  return {findTokens(getMain(graph).getResultTypes()[0]), 1};
}

static SmallVector<int64_t> getShape(Type type, tool::TokenDims::Cut cut,
                                     int64_t tokens) {
  SmallVector<int64_t> shape(cast<RankedTensorType>(type).getShape());
  if (cut.dim >= 0)
    shape[cut.dim] = tokens * cut.steps;
  return shape;
}

/// Tokens [begin, begin + count) of an array.
static llvm::Expected<Array> cutTokens(const Array &array,
                                       tool::TokenDims::Cut cut, int64_t begin,
                                       int64_t count) {
  if (cut.dim < 0)
    return array;
  return getSlice(array, cut.dim, begin * cut.steps, count * cut.steps);
}

llvm::Expected<SmallVector<Array>> cutInputs(ArrayRef<Array> inputs,
                                             const Graph &graph, int64_t begin,
                                             int64_t count) {
  SmallVector<Array> parts;
  for (auto [i, array] : llvm::enumerate(inputs)) {
    auto part = cutTokens(array, getCut(graph, i), begin, count);
    if (!part)
      return part.takeError();
    parts.push_back(std::move(*part));
  }
  return parts;
}

llvm::Expected<Array> createOutput(const Graph &graph, int64_t tokens) {
  return Array::create(ElementType::F32,
                       getShape(getMain(graph).getResultTypes()[0],
                                getResultCut(graph), tokens));
}

llvm::Expected<Array> cutOutput(const Array &output, const Graph &graph,
                                int64_t begin, int64_t count) {
  return cutTokens(output, getResultCut(graph), begin, count);
}

void placeOutput(const Array &part, Array &output, const Graph &graph,
                 int64_t begin) {
  setSlice(part, output, getResultCut(graph).dim, begin);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static double getFactor(double x) { return 1 / (1 + std::exp(-x)); }

static double transform(Draw draw, double x) {
  double decay = -0.1 * std::exp(x);
  switch (draw) {
  case Draw::Decay:
    return decay;
  case Draw::LogDecay:
    return std::log(-decay);
  case Draw::Forget:
    return -std::log(std::expm1(-decay));
  case Draw::Step:
    return x - 1;
  case Draw::Factor:
    return getFactor(x);
  case Draw::Unit:
  case Draw::Erase:
    return x;
  }
  llvm_unreachable("draw without a name");
}

static void normalizeRows(Array &array) {
  int64_t width = array.getShape().back();
  auto *row = static_cast<float *>(array.getData());
  for (int64_t i = array.getNumElements(); i > 0; i -= width, row += width) {
    double sum = 0;
    for (int64_t j = 0; j < width; ++j)
      sum += double(row[j]) * row[j];
    for (int64_t j = 0; j < width; ++j)
      row[j] /= std::sqrt(sum);
  }
}

llvm::Expected<SmallVector<Array>>
drawInputs(const Row &row, const Graph &graph, int64_t tokens, uint64_t seed) {
  SmallVector<Array> inputs;
  for (auto [i, name] : llvm::enumerate(graph.names)) {
    auto array = Array::create(ElementType::F32,
                               getShape(getMain(graph).getArgumentTypes()[i],
                                        getCut(graph, i), tokens));
    if (!array)
      return array.takeError();
    fillNormal(*array, seed * 0x9E3779B97F4A7C15u + i);
    auto *values = static_cast<float *>(array->getData());
    for (auto [drawn, draw] : row.draws) {
      if (drawn != name)
        continue;
      for (int64_t j = 0; j < array->getNumElements(); ++j)
        values[j] = draw == Draw::Erase
                        ? -getFactor(values[j]) *
                              static_cast<float *>(inputs.back().getData())[j]
                        : transform(draw, values[j]);
      if (draw == Draw::Unit)
        normalizeRows(*array);
    }
    inputs.push_back(std::move(*array));
  }
  return inputs;
}

llvm::Expected<SmallVector<Array>> convertInputs(ArrayRef<Array> inputs,
                                                 const Graph &graph) {
  SmallVector<Array> converted;
  for (auto [input, type] :
       llvm::zip(inputs, getMain(graph).getArgumentTypes())) {
    auto element = getElementType(getElementTypeOrSelf(type));
    if (!element)
      return element.takeError();
    auto array = convert(input, *element);
    if (!array)
      return array.takeError();
    converted.push_back(std::move(*array));
  }
  return converted;
}

llvm::Expected<Graph> exposeStates(const Graph &graph, ArrayRef<Array> piece,
                                   SmallVector<Array> &states) {
  Graph exposed;
  exposed.names = graph.names;
  exposed.module = ModuleOp(*graph.module).clone();
  func::FuncOp function = getMain(exposed);
  auto first = ::attn::exposeStates(function);
  if (!first)
    return first.takeError();
  auto sizes = tool::FunctionSizes::create(function);
  if (!sizes)
    return sizes.takeError();
  auto made = tool::makeStates(function, *first, *sizes);
  if (!made)
    return made.takeError();
  states = std::move(*made);
  SmallVector<Array> arguments(piece);
  llvm::append_range(arguments, states);
  tool::specialize(function, arguments);
  return exposed;
}

void poison(Array &array) {
  std::memset(array.getData(), 0x7f, getBytes(array));
}

int64_t getBytes(ArrayRef<Array> arrays) {
  int64_t bytes = 0;
  for (const Array &array : arrays)
    bytes += array.getNumElements() * getElementSize(array.getType());
  return bytes;
}

llvm::Expected<Array> evaluatePrefix(const Graph &graph, ArrayRef<Array> inputs,
                                     int64_t tokens) {
  auto part = cutInputs(inputs, graph, 0, tokens);
  if (!part)
    return part.takeError();
  auto callable = createReferenceEngine()->compile(*graph.module, "main");
  if (!callable)
    return callable.takeError();
  auto results = (*callable)->call(*part);
  if (!results)
    return results.takeError();
  return results->front();
}

} // namespace attn::bench
