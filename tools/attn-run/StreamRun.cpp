//===- StreamRun.cpp - A run in pieces, from files to files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StreamRun.h"
#include "Measure.h"
#include "PieceFiles.h"
#include "Results.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn::tool {

/// The states that files give; initial ones where they give none.
static llvm::Expected<SmallVector<Array>>
readStates(func::FuncOp function, unsigned first,
           const ArgumentSources &sources, FunctionSizes &sizes) {
  auto states = makeStates(function, first, sizes);
  if (!states)
    return states.takeError();
  for (unsigned i = first; i < sources.files.size(); ++i) {
    if (sources.files[i].empty())
      continue;
    auto file = ArgumentFile::open(function, sources.files[i], i, sizes);
    if (!file)
      return file.takeError();
    auto state = file->read();
    if (!state)
      return state.takeError();
    (*states)[i - first] = std::move(*state);
  }
  return states;
}

/// The arguments of one call on all tokens, states last.
static llvm::Expected<SmallVector<Array>>
getWhole(const PieceArguments &arguments, ArrayRef<TokenDims::Cut> cuts,
         int64_t pieceTokens, ArrayRef<Array> states) {
  SmallVector<Array> whole;
  int64_t tokens = arguments.getNumTokens();
  if (llvm::Error error =
          forPieces(tokens, pieceTokens,
                    [&](int64_t begin, int64_t count) -> llvm::Error {
                      auto piece = arguments.get(begin, count);
                      if (!piece)
                        return piece.takeError();
                      return append(whole, *piece, cuts, begin, tokens);
                    }))
    return std::move(error);
  llvm::append_range(whole, states);
  return whole;
}

llvm::Error runStreamed(const Engine &engine, ModuleOp module,
                        func::FuncOp function, unsigned numArguments,
                        const ArgumentSources &sources, FunctionSizes &sizes,
                        const Options &options) {
  // 1. What is wrong with files is found before anything runs.
  auto dims = findTokenDims(function);
  if (!dims)
    return dims.takeError();
  unsigned numStates = function.getNumArguments() - numArguments;
  unsigned numResults =
      function.getNumResults() - (options.exposesState ? 0 : numStates);
  auto outputs = splitPaths("outputs", options.outputs, numResults);
  if (!outputs)
    return outputs.takeError();
  auto checks = splitPaths("check", options.check, numResults);
  if (!checks)
    return checks.takeError();
  if (llvm::Error error = checkOutputPaths(*outputs))
    return error;
  auto arguments = PieceArguments::create(function, numArguments, sources,
                                          dims->arguments, sizes);
  if (!arguments)
    return arguments.takeError();
  int64_t tokens = arguments->getNumTokens();
  auto results =
      PieceResults::create(ArrayRef(dims->results).take_front(numResults),
                           tokens, *outputs, *checks);
  if (!results)
    return results.takeError();
  auto states = readStates(function, numArguments, sources, sizes);
  if (!states)
    return states.takeError();

  // 2. The run.
  auto callable = engine.compile(module, function.getSymName());
  if (!callable)
    return callable.takeError();
  SmallVector<Array> wholeResults;
  auto getPiece = [&](int64_t begin, int64_t count) {
    return arguments->get(begin, count);
  };
  auto addPiece = [&](ArrayRef<Array> piece, int64_t begin, int64_t count) {
    llvm::Error error = results->add(piece, begin, count);
    if (error || !options.verify)
      return error;
    return append(wholeResults, piece, dims->results, begin, tokens);
  };
  std::optional<int64_t> peak;
  if (llvm::Error error = measurePeakMemory(
          [&] {
            return runStream(**callable, tokens, options.pieceTokens,
                             std::move(*states), getPiece, addPiece);
          },
          peak))
    return error;
  llvm::outs() << "streamed: @" << function.getSymName() << ", " << tokens
               << " tokens, " << options.pieceTokens << " a call";
  if (peak)
    llvm::outs() << llvm::format(", the run added %.1f MiB at its peak",
                                 double(*peak) / (1 << 20));
  llvm::outs() << '\n';

  // 3. Results that are wrong leave no file.
  double tolerance = options.tolerance.value_or(getDefaultTolerance(function));
  llvm::Error mismatch = results->compare(tolerance);
  if (options.verify) {
    // The run updated the states in place.
    auto initial = readStates(function, numArguments, sources, sizes);
    if (!initial)
      return llvm::joinErrors(std::move(mismatch), initial.takeError());
    auto whole =
        getWhole(*arguments, dims->arguments, options.pieceTokens, *initial);
    if (!whole)
      return llvm::joinErrors(std::move(mismatch), whole.takeError());
    mismatch = llvm::joinErrors(std::move(mismatch),
                                compareWithReference(module, function, *whole,
                                                     wholeResults, tolerance));
  }
  if (mismatch)
    return mismatch;
  return results->keep();
}

} // namespace attn::tool
