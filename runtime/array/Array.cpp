//===- Array.cpp - Typed arrays -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Array.h"
#include "runtime/array/Elements.h"
#include "runtime/array/Error.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <atomic>
#include <cstdlib>
#include <sys/mman.h>

using namespace mlir;

namespace attn {

/// Elements that one thread works on at a time.
static constexpr int64_t kBlock = 1 << 14;

int64_t getElementSize(ElementType type) {
  return visitStorage(
      type, [](auto *element) -> int64_t { return sizeof(*element); });
}

llvm::StringRef getName(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return "f64";
  case ElementType::F32:
    return "f32";
  case ElementType::F16:
    return "f16";
  case ElementType::BF16:
    return "bf16";
  case ElementType::I64:
    return "i64";
  case ElementType::I32:
    return "i32";
  case ElementType::I1:
    return "i1";
  }
  llvm_unreachable("unknown element type");
}

llvm::Expected<ElementType> getElementType(Type type) {
  if (type.isF64())
    return ElementType::F64;
  if (type.isF32())
    return ElementType::F32;
  if (type.isF16())
    return ElementType::F16;
  if (type.isBF16())
    return ElementType::BF16;
  if (type.isSignlessInteger(64) || type.isIndex())
    return ElementType::I64;
  if (type.isSignlessInteger(32))
    return ElementType::I32;
  if (type.isSignlessInteger(1))
    return ElementType::I1;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return createError("expected an element type of f64, f32, f16, bf16, i64, "
                     "i32, i1 or index, got " +
                     llvm::Twine(text));
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Memory aligned to 64 bytes, of which no page is touched; null on failure.
static std::shared_ptr<void> allocate(uint64_t bytes) {
  constexpr uint64_t alignment = 64, large = 1 << 20;
  if (bytes < large) {
    // Never null for an empty array.
    uint64_t rounded = llvm::alignTo(std::max<uint64_t>(bytes, 1), alignment);
    void *data = std::aligned_alloc(alignment, rounded);
    return data ? std::shared_ptr<void>(data, std::free) : nullptr;
  }
  void *data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return nullptr;
  return std::shared_ptr<void>(data, [bytes](void *p) { ::munmap(p, bytes); });
}

llvm::Expected<int64_t> getNumBytes(ElementType type,
                                    llvm::ArrayRef<int64_t> shape) {
  int64_t bytes = getElementSize(type);
  bool overflows = false;
  for (int64_t size : shape) {
    if (size < 0)
      return createError("expected sizes of 0 or more, got " + getText(shape));
    // Empty dimensions count as 1: the strides must fit as well.
    overflows |= llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes);
  }
  if (overflows)
    return createError("an array of shape " + getText(shape) + " and type " +
                       getName(type) + " exceeds the address space");
  return llvm::is_contained(shape, 0) ? 0 : bytes;
}

llvm::Expected<Array> Array::create(ElementType type,
                                    llvm::ArrayRef<int64_t> shape) {
  llvm::Expected<int64_t> bytes = getNumBytes(type, shape);
  if (!bytes)
    return bytes.takeError();
  Array array = wrap(type, shape, nullptr, nullptr);
  array.data = allocate(*bytes);
  if (!array.data)
    return createError("out of memory: cannot allocate " + llvm::Twine(*bytes) +
                       " bytes for an array of shape " + getText(shape) +
                       " and type " + getName(type));
  return array;
}

Array Array::wrap(ElementType type, llvm::ArrayRef<int64_t> shape, void *data,
                  std::shared_ptr<void> owner) {
  Array array;
  array.type = type;
  array.shape.assign(shape.begin(), shape.end());
  array.data = std::shared_ptr<void>(std::move(owner), data);
  return array;
}

int64_t Array::getNumElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

double Array::get(int64_t position) const {
  return visitStorage(type, [&](auto *element) -> double {
    return load(static_cast<decltype(element)>(data.get())[position]);
  });
}

void Array::set(int64_t position, double value) {
  visitStorage(type, [&](auto *element) {
    store(value, static_cast<decltype(element)>(data.get())[position]);
  });
}

/// Runs `function(begin, end)` on all blocks of `count` elements.
static void forBlocks(int64_t count,
                      llvm::function_ref<void(int64_t, int64_t)> function) {
  llvm::parallelFor(0, llvm::divideCeil(count, kBlock), [&](size_t block) {
    int64_t begin = block * kBlock;
    function(begin, std::min(begin + kBlock, count));
  });
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

/// Whether `value` rounds to an integer of this type.
template <typename Element, typename Value> static bool fits(Value value) {
  if constexpr (std::is_integral_v<Element>) {
    constexpr auto low = std::numeric_limits<Element>::min();
    if constexpr (std::is_integral_v<Value>)
      return value >= low && value <= std::numeric_limits<Element>::max();
    double rounded = std::nearbyint(static_cast<double>(value));
    return rounded >= static_cast<double>(low) &&
           rounded < -static_cast<double>(low);
  }
  return true;
}

llvm::Expected<Array> convert(const Array &array, ElementType type) {
  if (array.getType() == type)
    return array;
  llvm::Expected<Array> result = Array::create(type, array.getShape());
  if (!result)
    return result;
  bool fit = visitStorage(array.getType(), [&](auto *fromType) {
    return visitStorage(type, [&](auto *toType) {
      using To = std::remove_pointer_t<decltype(toType)>;
      auto *from = static_cast<decltype(fromType)>(array.getData());
      auto *to = static_cast<To *>(result->getData());
      std::atomic<bool> allFit = true;
      forBlocks(array.getNumElements(), [&](int64_t begin, int64_t end) {
        bool blockFits = true;
        for (int64_t i = begin; i < end; ++i) {
          auto value = load(from[i]);
          blockFits &= fits<To>(value);
          store(value, to[i]);
        }
        if (!blockFits)
          allFit = false;
      });
      return allFit.load();
    });
  });
  if (!fit)
    return createError("cannot convert " + getName(array.getType()) + " to " +
                       getName(type) + ": a value is out of range");
  return result;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

namespace {
struct Distance {
  double difference = 0; // sum of (a - b)^2
  double norm = 0;       // sum of b^2
  double largest = 0;    // the largest finite |a| or |b|
  bool disagree = false; // a NaN or infinity in one array only
};
} // namespace

/// Elements [begin, end) as doubles times `scale`.
static void widen(const Array &array, int64_t begin, int64_t end, double scale,
                  double *out) {
  visitStorage(array.getType(), [&](auto *element) {
    auto *data = static_cast<decltype(element)>(array.getData());
    for (int64_t i = begin; i < end; ++i)
      out[i - begin] = scale * static_cast<double>(load(data[i]));
  });
}

/// The sums over elements that may be NaN or infinite.
static Distance compareCarefully(const double *a, const double *b,
                                 int64_t count) {
  Distance sum;
  for (int64_t i = 0; i < count; ++i) {
    bool agree = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    if (std::isfinite(a[i]))
      sum.largest = std::max(sum.largest, std::fabs(a[i]));
    if (std::isfinite(b[i]))
      sum.largest = std::max(sum.largest, std::fabs(b[i]));
    if (std::isfinite(a[i]) && std::isfinite(b[i])) {
      sum.difference += (a[i] - b[i]) * (a[i] - b[i]);
      sum.norm += b[i] * b[i];
    } else if (!agree) {
      sum.disagree = true;
    }
  }
  return sum;
}

static Distance compareBlock(const double *a, const double *b, int64_t count) {
  // Lanes of their own let the processor overlap the additions.
  constexpr int lanes = 8;
  double difference[lanes] = {}, norm[lanes] = {}, largest[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      double x = a[i + lane], y = b[i + lane];
      difference[lane] += (x - y) * (x - y);
      norm[lane] += y * y;
      largest[lane] = std::max(largest[lane], std::fabs(x));
      largest[lane] = std::max(largest[lane], std::fabs(y));
    }
  Distance sum = compareCarefully(a + i, b + i, count - i);
  for (int lane = 0; lane < lanes; ++lane) {
    sum.difference += difference[lane];
    sum.norm += norm[lane];
    sum.largest = std::max(sum.largest, largest[lane]);
  }
  if (std::isfinite(sum.difference) && std::isfinite(sum.norm))
    return sum;
  return compareCarefully(a, b, count);
}

static Distance compare(const Array &a, const Array &b, double scale) {
  int64_t count = a.getNumElements();
  std::vector<Distance> blocks(llvm::divideCeil(count, kBlock));
  forBlocks(count, [&](int64_t begin, int64_t end) {
    double x[kBlock / 8], y[kBlock / 8];
    for (int64_t at = begin; at < end; at += kBlock / 8) {
      int64_t stop = std::min(at + kBlock / 8, end);
      widen(a, at, stop, scale, x);
      widen(b, at, stop, scale, y);
      Distance part = compareBlock(x, y, stop - at);
      Distance &sum = blocks[begin / kBlock];
      sum.difference += part.difference;
      sum.norm += part.norm;
      sum.largest = std::max(sum.largest, part.largest);
      sum.disagree |= part.disagree;
    }
  });
  Distance sum;
  for (const Distance &block : blocks) {
    sum.difference += block.difference;
    sum.norm += block.norm;
    sum.largest = std::max(sum.largest, block.largest);
    sum.disagree |= block.disagree;
  }
  return sum;
}

llvm::Expected<double> getRelativeError(const Array &a, const Array &b) {
  if (a.getShape() != b.getShape())
    return createError("cannot compare arrays of the shapes " +
                       getText(a.getShape()) + " and " + getText(b.getShape()));
  Distance sum = compare(a, b, 1.0);
  if (sum.disagree)
    return std::numeric_limits<double>::quiet_NaN();
  // Squares of the extreme f64 values overflow or vanish: scale them first.
  if (sum.largest > 1e140 || (sum.largest > 0 && sum.largest < 1e-140))
    sum = compare(a, b,
                  std::ldexp(1.0, std::min(-std::ilogb(sum.largest), 1000)));
  if (sum.difference == 0)
    return 0.0;
  return std::sqrt(sum.difference) / std::sqrt(sum.norm);
}

} // namespace attn
