//===- PieceFiles.cpp - Files of which a run holds a piece -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PieceFiles.h"
#include "Results.h"
#include "runtime/array/Error.h"
#include <cmath>

using namespace mlir;

namespace attn::tool {

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

llvm::Error PieceArguments::setTokens(unsigned index) {
  const Argument &argument = arguments[index];
  int64_t size = argument.shape[argument.cut.dim], steps = argument.cut.steps;
  auto fail = [&](const Twine &message) {
    return createError(function.getLoc(),
                       "argument " + Twine(index) + " has " + message);
  };
  if (size % steps != 0)
    return fail(Twine(size) + " steps; expected a multiple of " + Twine(steps) +
                ", the steps of a token");
  if (tokens >= 0 && size / steps != tokens)
    return fail(Twine(size / steps) + " tokens; expected " + Twine(tokens) +
                ", as the arguments before it");
  tokens = size / steps;
  return llvm::Error::success();
}

llvm::Expected<PieceArguments>
PieceArguments::create(func::FuncOp function, unsigned numArguments,
                       const ArgumentSources &sources,
                       ArrayRef<TokenDims::Cut> cuts, FunctionSizes &sizes) {
  PieceArguments result(function, sources.seed);
  // Files first: they determine sizes that random arguments share.
  for (unsigned i = 0; i < numArguments; ++i) {
    Argument &argument = result.arguments.emplace_back();
    argument.cut = cuts[i];
    if (i >= sources.files.size() || sources.files[i].empty()) {
      if (!sources.seed)
        return createNoValueError(function, i);
      continue;
    }
    auto file = ArgumentFile::open(function, sources.files[i], i, sizes);
    if (!file)
      return file.takeError();
    argument.shape.assign(file->getShape().begin(), file->getShape().end());
    argument.file = std::move(*file);
  }
  for (auto [i, argument] : llvm::enumerate(result.arguments)) {
    if (!argument.file) {
      auto shape = sizes.getShape(i);
      if (!shape)
        return shape.takeError();
      argument.shape = std::move(*shape);
    }
    if (argument.cut.dim >= 0) {
      if (llvm::Error error = result.setTokens(i))
        return std::move(error);
      continue;
    }
    auto whole = argument.file
                     ? argument.file->read()
                     : drawArgument(*sources.seed, function, i, argument.shape);
    if (!whole)
      return whole.takeError();
    argument.whole = std::move(*whole);
  }
  if (result.tokens < 0)
    return createError("no argument has tokens to stream");
  return result;
}

llvm::Expected<Array> PieceArguments::get(unsigned index, int64_t begin,
                                          int64_t count) const {
  const Argument &argument = arguments[index];
  TokenDims::Cut cut = argument.cut;
  if (cut.dim < 0)
    return argument.whole;
  if (argument.file)
    return argument.file->readSlice(cut.dim, begin * cut.steps,
                                    count * cut.steps);
  SmallVector<int64_t> shape(argument.shape);
  shape[cut.dim] = count * cut.steps;
  return drawArgument(*seed + (static_cast<uint64_t>(begin) << 20), function,
                      index, shape);
}

llvm::Expected<SmallVector<Array>> PieceArguments::get(int64_t begin,
                                                       int64_t count) const {
  SmallVector<Array> pieces;
  for (unsigned i = 0; i < arguments.size(); ++i) {
    auto piece = get(i, begin, count);
    if (!piece)
      return piece.takeError();
    pieces.push_back(std::move(*piece));
  }
  return pieces;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

llvm::Expected<PieceResults>
PieceResults::create(ArrayRef<TokenDims::Cut> cuts, int64_t tokens,
                     ArrayRef<std::string> outputs,
                     ArrayRef<std::string> checks) {
  PieceResults all(tokens);
  for (auto [i, cut] : llvm::enumerate(cuts)) {
    Result &result = all.results.emplace_back();
    result.cut = cut;
    if (!outputs.empty())
      result.output = outputs[i];
    if (checks.empty() || checks[i].empty())
      continue;
    result.check = checks[i];
    auto expected = NpyReader::open(result.check);
    if (!expected)
      return expected.takeError();
    result.expected = std::move(*expected);
  }
  return all;
}

llvm::Error PieceResults::write(Result &result, const Array &part,
                                ArrayRef<int64_t> shape) {
  if (!result.writer) {
    auto writer = NpyWriter::create(result.output, part.getType(), shape);
    if (!writer)
      return writer.takeError();
    result.writer = std::move(*writer);
  }
  return result.cut.dim < 0 ? result.writer->write(part)
                            : result.writer->append(part, result.cut.dim);
}

llvm::Error PieceResults::compareOne(unsigned index, const Array &part,
                                     ArrayRef<int64_t> shape, int64_t begin) {
  Result &result = results[index];
  const NpyReader &file = *result.expected;
  if (file.getShape() != shape)
    return createError("result " + Twine(index) + " against " + result.check +
                       ": cannot compare arrays of the shapes " +
                       getText(shape) + " and " + getText(file.getShape()));
  TokenDims::Cut cut = result.cut;
  auto expected = cut.dim < 0 ? file.read()
                              : file.readSlice(cut.dim, begin * cut.steps,
                                               part.getShape()[cut.dim]);
  if (!expected)
    return expected.takeError();
  auto error = getRelativeError(part, *expected);
  if (!error)
    return error.takeError();
  double largest = result.error.value_or(0);
  result.error = std::isnan(largest) || *error <= largest ? largest : *error;
  return llvm::Error::success();
}

llvm::Error PieceResults::add(ArrayRef<Array> parts, int64_t begin,
                              int64_t count) {
  for (auto [i, result] : llvm::enumerate(results)) {
    const Array &part = parts[i];
    TokenDims::Cut cut = result.cut;
    if (cut.dim < 0 && begin + count < tokens)
      continue;
    SmallVector<int64_t> shape(part.getShape());
    if (cut.dim >= 0)
      shape[cut.dim] = tokens * cut.steps;
    if (!result.output.empty())
      if (llvm::Error error = write(result, part, shape))
        return error;
    if (result.expected)
      if (llvm::Error error = compareOne(i, part, shape, begin))
        return error;
  }
  return llvm::Error::success();
}

llvm::Error PieceResults::compare(double tolerance) const {
  SmallVector<std::optional<double>> errors;
  SmallVector<std::string> names;
  for (const Result &result : results) {
    errors.push_back(result.error);
    names.push_back(result.check);
  }
  return reportErrors(errors, tolerance, names);
}

llvm::Error PieceResults::keep() {
  SmallVector<NpyWriter> files;
  for (Result &result : results)
    if (result.writer)
      files.push_back(std::move(*result.writer));
  return keepFiles(files);
}

} // namespace attn::tool
