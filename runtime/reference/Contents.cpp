//===- Contents.cpp - Checks of what operands hold -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Contents.h"
#include "runtime/array/Error.h"
#include "runtime/reference/Evaluators.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir;

namespace attn {

static std::string toText(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

/// "0 or less", "a value in [0, 1]"
static std::string describeRange(double lo, double hi) {
  if (std::isinf(lo) && std::isinf(hi))
    return "a number";
  if (std::isinf(lo))
    return toText(hi) + " or less";
  if (std::isinf(hi))
    return toText(lo) + " or more";
  return "a value in [" + toText(lo) + ", " + toText(hi) + "]";
}

/// Whether all elements are in [lo, hi]; one pass that compilers vectorise:
/// each call of a compiled function makes it.
template <typename T>
static bool areInside(const void *data, int64_t count, double lo, double hi) {
  // The bounds in T that the same elements satisfy.
  T low = static_cast<T>(lo), high = static_cast<T>(hi);
  if (low < lo)
    low = std::nextafter(low, std::numeric_limits<T>::infinity());
  if (high > hi)
    high = std::nextafter(high, -std::numeric_limits<T>::infinity());
  const T *x = static_cast<const T *>(data);
  constexpr int64_t kBlock = 4096;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    int64_t end = std::min(begin + kBlock, count);
    int inside = 1;
    for (int64_t i = begin; i < end; ++i)
      inside &= int(x[i] >= low) & int(x[i] <= high);
    if (!inside)
      return false;
  }
  return true;
}

std::optional<std::string> findOutside(StringRef name, const Array &array,
                                       double lo, double hi) {
  int64_t count = array.getNumElements();
  if ((array.getType() == ElementType::F32 &&
       areInside<float>(array.getData(), count, lo, hi)) ||
      (array.getType() == ElementType::F64 &&
       areInside<double>(array.getData(), count, lo, hi)))
    return std::nullopt;
  for (int64_t i = 0; i < count; ++i) {
    double value = array.get(i);
    if (value >= lo && value <= hi)
      continue;
    SmallVector<int64_t> index;
    for (auto [stride, size] :
         llvm::zip_equal(getStrides(array.getShape()), array.getShape()))
      index.push_back(i / stride % size);
    return (name + " " + getText(index) + " is " + toText(value) +
            ", expected " + describeRange(lo, hi))
        .str();
  }
  return std::nullopt;
}

std::optional<std::string>
verifySegments(MLIRContext *context, const Array &cuSeqlens, int64_t tokens) {
  // The mask of packed sequences has the same segments.
  auto element = [&](unsigned, ArrayRef<int64_t> index) {
    return cuSeqlens.get(index.front());
  };
  SmallVector<int64_t> shape(cuSeqlens.getShape());
  mlir::attn::MaskPoint point{0, 0, tokens, tokens, {}, shape, element};
  return mlir::attn::PackedAttr::get(context).verifyContents(point);
}

} // namespace attn
