//===- Arguments.cpp - Arrays for the arguments of a function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"
#include "dialect/Attn.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/array/Error.h"
#include "runtime/engine/CheckContents.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using mlir::attn::ShapeClasses;

namespace attn::tool {

static std::string getText(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

static bool isFloat(ElementType type) {
  return type == ElementType::F64 || type == ElementType::F32 ||
         type == ElementType::F16 || type == ElementType::BF16;
}

llvm::Expected<DimSizes> parseDims(ArrayRef<std::string> words) {
  DimSizes dims;
  for (const std::string &word : words) {
    auto [name, text] = StringRef(word).split('=');
    int64_t size;
    if (name.empty() || text.getAsInteger(10, size) || size < 0)
      return createError("--dim=" + word +
                         ": expected NAME=SIZE with a size of 0 or more");
    auto [it, isNew] = dims.try_emplace(name, size);
    if (!isNew && it->second != size)
      return createError("--dim=" + word + ": '" + name + "' is already " +
                         Twine(it->second));
  }
  return dims;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

llvm::Expected<FunctionSizes> FunctionSizes::create(func::FuncOp function) {
  llvm::Expected<ShapeClasses> classes = ::attn::analyzeSizes(function);
  if (!classes)
    return classes.takeError();
  return FunctionSizes(function, std::move(*classes));
}

SmallVector<FunctionSizes::Dim> FunctionSizes::getDynamicDims() const {
  SmallVector<Dim> dims;
  func::FuncOp func = function;
  for (BlockArgument argument : func.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    for (int64_t i = 0; type && i < type.getRank(); ++i) {
      ShapeClasses::Id id = classes.getClass(argument, i);
      if (type.isDynamicDim(i) &&
          ShapedType::isDynamic(classes.getStaticSize(id)))
        dims.push_back({classes.getName(id), argument.getArgNumber(), i});
    }
  }
  return dims;
}

/// "n (dimension 2 of argument 0), m (...)", each name once.
std::string
FunctionSizes::listDims(llvm::function_ref<bool(StringRef)> isWanted) const {
  SmallVector<std::string> texts;
  llvm::StringSet<> seen;
  for (const Dim &dim : getDynamicDims())
    if (isWanted(dim.name) && seen.insert(dim.name).second)
      texts.push_back(llvm::formatv("{0} (dimension {1} of argument {2})",
                                    dim.name, dim.position, dim.argument));
  return llvm::join(texts, ", ");
}

llvm::Error FunctionSizes::setDims(const DimSizes &dims) {
  SmallVector<Dim> known = getDynamicDims();
  for (const auto &entry : dims) {
    auto has = [&](const Dim &dim) { return dim.name == entry.first(); };
    if (llvm::none_of(known, has)) {
      std::string list = listDims([](StringRef) { return true; });
      return createError("no dynamic dimension is named '" + entry.first() +
                         "'; there is " + (list.empty() ? "none" : list));
    }
  }
  sizes = named = dims;
  return llvm::Error::success();
}

llvm::Error FunctionSizes::setArgument(unsigned argument,
                                       ArrayRef<int64_t> shape) {
  for (const Dim &dim : getDynamicDims()) {
    if (dim.argument != argument)
      continue;
    int64_t size = shape[dim.position];
    sizes.try_emplace(dim.name, size);
    auto it = named.find(dim.name);
    if (it != named.end() && it->second != size)
      return createError(
          func::FuncOp(function).getLoc(),
          llvm::formatv(
              "dimension {0} of argument {1} is {2}, but --dim={3}={4}",
              dim.position, argument, size, dim.name, it->second));
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<int64_t>>
FunctionSizes::getShape(unsigned argument) const {
  func::FuncOp func = function;
  auto type = dyn_cast<RankedTensorType>(func.getArgumentTypes()[argument]);
  if (!type)
    return SmallVector<int64_t>();
  auto shape = llvm::to_vector(type.getShape());
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      shape[i] = classes.getStaticSize(
          classes.getClass(func.getArgument(argument), i));
  for (const Dim &dim : getDynamicDims()) {
    if (dim.argument != argument)
      continue;
    std::optional<int64_t> size = getSize(dim.name);
    if (!size)
      return createError(
          "needs --dim=NAME=SIZE for " +
          listDims([&](StringRef name) { return !getSize(name); }));
    shape[dim.position] = *size;
  }
  return shape;
}

std::optional<int64_t> FunctionSizes::getSize(StringRef name) const {
  auto it = sizes.find(name);
  return it == sizes.end() ? std::nullopt : std::optional(it->second);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

llvm::Expected<ArgumentFile> ArgumentFile::open(func::FuncOp function,
                                                StringRef path, unsigned index,
                                                FunctionSizes &sizes) {
  Type type = function.getArgumentTypes()[index];
  auto wanted = getElementType(getElementTypeOrSelf(type));
  if (!wanted)
    return wanted.takeError();
  auto reader = NpyReader::open(path);
  if (!reader)
    return reader.takeError();
  auto mismatch = [&](const Twine &message) {
    return createError("'" + path + "': argument " + Twine(index) + ", " +
                       getText(type) + ", " + message);
  };
  ElementType got = reader->getType();
  bool isInteger = got == ElementType::I64 || got == ElementType::I32;
  bool wantsInteger =
      *wanted == ElementType::I64 || *wanted == ElementType::I32;
  if (got != *wanted && !(isFloat(got) && isFloat(*wanted)) &&
      !(isInteger && wantsInteger))
    return mismatch("takes no elements of " + Twine(getName(got)));
  auto tensor = dyn_cast<RankedTensorType>(type);
  ArrayRef<int64_t> expected;
  if (tensor)
    expected = tensor.getShape();
  if (failed(verifyCompatibleShape(expected, reader->getShape())))
    return mismatch("takes no array of shape " +
                    ::attn::getText(reader->getShape()));
  if (llvm::Error error = sizes.setArgument(index, reader->getShape()))
    return std::move(error);
  return ArgumentFile(std::move(*reader), *wanted);
}

llvm::Expected<Array> ArgumentFile::round(llvm::Expected<Array> array) const {
  if (!array)
    return array;
  auto converted = convert(*array, type);
  if (!converted)
    return createError("'" + reader.getPath() +
                       "': " + llvm::toString(converted.takeError()));
  return converted;
}

llvm::Expected<Array> ArgumentFile::read() const {
  return round(reader.read());
}

llvm::Expected<Array> ArgumentFile::readSlice(int64_t dim, int64_t begin,
                                              int64_t count) const {
  return round(reader.readSlice(dim, begin, count));
}

/// What a use of an argument asks of its elements.
static std::function<double(double)> getDomain(BlockArgument argument) {
  for (OpOperand &use : argument.getUses()) {
    Operation *op = use.getOwner();
    Value value = argument;
    if (auto score = dyn_cast<mlir::attn::CausalScoreOp>(op);
        score && score.getDecay() == value && !score.getUnbounded())
      return [](double x) { return -std::fabs(x); };
    if (auto recurrence = dyn_cast<mlir::attn::RecurrenceOp>(op);
        recurrence && recurrence.getTransitionOperand() == value &&
        recurrence.getTransition().isLogDecay())
      return [](double x) { return -std::fabs(x); };
    if (auto gate = dyn_cast<mlir::attn::GateOp>(op);
        gate && gate.getGate() == value && gate.getLo() && gate.getHi()) {
      double lo = gate.getLo()->convertToDouble(),
             hi = gate.getHi()->convertToDouble();
      return [=](double x) {
        return lo + (hi - lo) * (0.5 + 0.5 * x / (1 + std::fabs(x)));
      };
    }
  }
  return nullptr;
}

llvm::Expected<Array> drawArgument(uint64_t seed, func::FuncOp function,
                                   unsigned index, ArrayRef<int64_t> shape) {
  Type type = function.getArgumentTypes()[index];
  auto element = getElementType(getElementTypeOrSelf(type));
  if (!element)
    return element.takeError();
  if (!isFloat(*element))
    return createError("argument " + Twine(index) + ", " + getText(type) +
                       ", cannot be random: give its file by --inputs");
  auto array = Array::create(*element, shape);
  if (!array)
    return array;
  // Neighbouring seeds share no argument's values.
  fillNormal(*array, seed * 0x9E3779B97F4A7C15u + index);
  if (auto domain = getDomain(function.getArgument(index)))
    for (int64_t i = 0; i < array->getNumElements(); ++i)
      array->set(i, domain(array->get(i)));
  return array;
}

llvm::Error createNoValueError(func::FuncOp function, unsigned index) {
  return createError(function.getLoc(),
                     "argument " + Twine(index) + ", " +
                         getText(function.getArgumentTypes()[index]) +
                         ", has no value: give its file by --inputs or "
                         "--random=SEED");
}

llvm::Expected<SmallVector<Array>> makeArguments(func::FuncOp function,
                                                 const ArgumentSources &sources,
                                                 unsigned needed,
                                                 FunctionSizes &sizes) {
  unsigned count = function.getNumArguments();
  SmallVector<std::string> files(sources.files);
  if (files.empty() || files.size() == needed)
    files.resize(count);
  if (files.size() != count)
    return createError(function.getLoc(),
                       "'" + function.getSymName() + "' takes " + Twine(count) +
                           " arguments, --inputs has " + Twine(files.size()));
  // Files first: they determine sizes that random arguments share.
  SmallVector<Array> arguments(count);
  for (unsigned i = 0; i < count; ++i) {
    if (files[i].empty()) {
      if (!sources.seed && i < needed)
        return createNoValueError(function, i);
      continue;
    }
    auto file = ArgumentFile::open(function, files[i], i, sizes);
    if (!file)
      return file.takeError();
    auto array = file->read();
    if (!array)
      return array.takeError();
    arguments[i] = std::move(*array);
  }
  for (unsigned i = 0; i < needed; ++i) {
    if (!files[i].empty())
      continue;
    auto shape = sizes.getShape(i);
    if (!shape)
      return shape.takeError();
    auto array = drawArgument(*sources.seed, function, i, *shape);
    if (!array)
      return array.takeError();
    arguments[i] = std::move(*array);
  }
  return arguments;
}

} // namespace attn::tool
