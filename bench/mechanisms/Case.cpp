//===- Case.cpp - A graph, its arguments, and what it returns -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"
#include "bench/RowOracle.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
namespace json = llvm::json;

namespace attn::bench {

llvm::Expected<Case> Case::create(MLIRContext &context,
                                  const MeasurementOptions &options) {
  auto graph = loadGraph(context, options.folder, *options.row, options.sizes,
                         /*narrow=*/false);
  if (!graph)
    return graph.takeError();
  Case result;
  result.options = &options;
  result.graph = std::move(*graph);
  int64_t checked = options.getCheckedTokens();
  auto draw = [&](int64_t tokens, uint64_t seed) {
    return drawInputs(*options.row, result.graph, tokens, seed);
  };
  if (!options.decodes) {
    for (uint64_t i = 0; i < options.inputSets; ++i) {
      auto inputs = draw(options.sizes.tokens, options.seed + i);
      if (!inputs)
        return inputs.takeError();
      result.sets.push_back(std::move(*inputs));
    }
    if (llvm::Error error = result.evaluate(result.sets[0]))
      return std::move(error);
    return result;
  }
  auto inputs = draw(checked, options.seed);
  if (!inputs)
    return inputs.takeError();
  for (int64_t token = 0; token < checked; ++token) {
    auto piece = cutInputs(*inputs, result.graph, token, 1);
    if (!piece)
      return piece.takeError();
    result.sets.push_back(std::move(*piece));
  }
  if (llvm::Error error = result.evaluate(*inputs))
    return std::move(error);
  return result;
}

llvm::Expected<Case> Case::narrow(MLIRContext &context) const {
  auto graph = loadGraph(context, options->folder, *options->row,
                         options->sizes, /*narrow=*/true);
  if (!graph)
    return graph.takeError();
  Case result;
  result.options = options;
  result.graph = std::move(*graph);
  for (const SmallVector<Array> &inputs : sets) {
    auto converted = convertInputs(inputs, result.graph);
    if (!converted)
      return converted.takeError();
    result.sets.push_back(std::move(*converted));
  }
  if (llvm::Error error = result.evaluate(result.sets[0]))
    return std::move(error);
  return result;
}

llvm::Error Case::evaluate(ArrayRef<Array> inputs) {
  if (!options->row->isCausal)
    return llvm::Error::success();
  auto exact = evaluatePrefix(graph, inputs, options->getCheckedTokens());
  if (!exact)
    return exact.takeError();
  expected = std::move(*exact);
  return llvm::Error::success();
}

llvm::Expected<Array> Case::collect(Call call) const {
  if (!options->decodes) {
    auto output = createOutput(graph, options->sizes.tokens);
    if (!output)
      return output;
    poison(*output);
    if (llvm::Error error = call(sets[0], *output))
      return std::move(error);
    return output;
  }
  auto all = createOutput(graph, sets.size());
  auto output = createOutput(graph, 1);
  if (!all || !output)
    return llvm::joinErrors(all.takeError(), output.takeError());
  for (auto [token, piece] : llvm::enumerate(sets)) {
    poison(*output);
    if (llvm::Error error = call(piece, *output))
      return std::move(error);
    placeOutput(*output, *all, graph, token);
  }
  return all;
}

llvm::Error Case::check(const Array &output, const Array *whole,
                        double tolerance, json::Object &entry) const {
  double error;
  if (options->row->isCausal) {
    auto prefix = cutOutput(output, graph, 0, options->getCheckedTokens());
    if (!prefix)
      return prefix.takeError();
    auto relative = getRelativeError(*prefix, expected);
    if (!relative)
      return relative.takeError();
    error = *relative;
  } else {
    // The rows are computed from f32.
    SmallVector<Array> wide;
    for (const Array &input : sets[0]) {
      auto converted = convert(input, ElementType::F32);
      if (!converted)
        return converted.takeError();
      wide.push_back(std::move(*converted));
    }
    error = getRowError(wide, output, /*count=*/16);
  }
  entry["rel_err"] = error;
  bool isRight = error <= tolerance;
  if (whole && !options->decodes) {
    auto relative = getRelativeError(output, *whole);
    if (!relative)
      return relative.takeError();
    entry["rel_err_to_ours"] = *relative;
    isRight &= *relative <= 2 * tolerance;
  }
  if (!isRight)
    entry["error"] = llvm::formatv("wrong: relative error {0:e2}", error).str();
  return llvm::Error::success();
}

} // namespace attn::bench
