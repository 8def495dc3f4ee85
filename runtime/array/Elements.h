//===- Elements.h - Elements as they are stored -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ARRAY_ELEMENTS_H
#define ATTN_RUNTIME_ARRAY_ELEMENTS_H

#include "runtime/array/Array.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include <cmath>
#include <limits>

namespace attn {

// Storage types. The others are double, float, int64_t and int32_t.
struct Half {
  uint16_t bits;
};
struct BFloat {
  uint16_t bits;
};
struct Bool {
  uint8_t bits;
};

/// Calls `function` with a null pointer to the storage type of `type`.
template <typename Function>
auto visitStorage(ElementType type, Function &&function) {
  switch (type) {
  case ElementType::F64:
    return function(static_cast<double *>(nullptr));
  case ElementType::F32:
    return function(static_cast<float *>(nullptr));
  case ElementType::F16:
    return function(static_cast<Half *>(nullptr));
  case ElementType::BF16:
    return function(static_cast<BFloat *>(nullptr));
  case ElementType::I64:
    return function(static_cast<int64_t *>(nullptr));
  case ElementType::I32:
    return function(static_cast<int32_t *>(nullptr));
  case ElementType::I1:
    return function(static_cast<Bool *>(nullptr));
  }
  llvm_unreachable("unknown element type");
}

//===----------------------------------------------------------------------===//
// Loads: exact
//===----------------------------------------------------------------------===//

inline double load(double element) { return element; }
inline double load(float element) { return element; }
inline double load(BFloat element) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(element.bits) << 16);
}
inline double load(Half element) {
  uint32_t sign = static_cast<uint32_t>(element.bits & 0x8000) << 16;
  uint32_t magnitude = element.bits & 0x7fff;
  if (magnitude < 0x0400) { // subnormal: a multiple of 2^-24
    double value = magnitude * 0x1p-24;
    return sign ? -value : value;
  }
  // The exponent's bias is 15 instead of 127; infinity and NaN keep all ones.
  uint32_t bits = (magnitude << 13) + (112u << 23);
  if (magnitude >= 0x7c00)
    bits += 112u << 23;
  return llvm::bit_cast<float>(sign | bits);
}
inline int64_t load(int64_t element) { return element; }
inline int64_t load(int32_t element) { return element; }
inline int64_t load(Bool element) { return element.bits != 0; }

//===----------------------------------------------------------------------===//
// Stores: to nearest even
//===----------------------------------------------------------------------===//

/// The bits of the f32 towards zero, the last one set where bits were lost: to
/// round it again to a narrower type gives what rounding `value` once gives.
inline uint32_t roundToOdd(double value) {
  float nearest = static_cast<float>(value);
  uint32_t bits = llvm::bit_cast<uint32_t>(nearest);
  double widened = nearest;
  if (widened != value && !std::isnan(value)) {
    bits -= std::fabs(widened) > std::fabs(value);
    bits |= 1;
  }
  return bits;
}

inline void store(double value, double &element) { element = value; }
inline void store(double value, float &element) {
  element = static_cast<float>(value);
}
inline void store(double value, BFloat &element) {
  uint32_t bits = roundToOdd(value);
  // A carry would turn a NaN into something else.
  uint32_t rounded =
      std::isnan(value) ? bits | 0x400000 : bits + 0x7fff + ((bits >> 16) & 1);
  element.bits = static_cast<uint16_t>(rounded >> 16);
}
inline void store(double value, Half &element) {
  uint32_t bits = roundToOdd(value);
  uint32_t sign = (bits >> 16) & 0x8000;
  bits &= 0x7fffffff;
  uint32_t result;
  if (bits > 0x7f800000) // NaN, made quiet
    result = 0x7e00 | ((bits >> 13) & 0x3ff);
  else if (bits >= 0x47800000) // 65536 and more
    result = 0x7c00;
  else if (bits < 0x38800000) // below 2^-14: adding 1/2 rounds to 2^-24
    result = llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(bits) + 0.5f) -
             0x3f000000;
  else
    result = (bits - (112u << 23) + 0xfff + ((bits >> 13) & 1)) >> 13;
  element.bits = static_cast<uint16_t>(sign | result);
}

/// Integers saturate; NaN gives 0.
template <typename Int> void storeInteger(double value, Int &element) {
  // 2^63 and 2^31: the first values that do not fit.
  constexpr double limit =
      -static_cast<double>(std::numeric_limits<Int>::min());
  double rounded = std::nearbyint(value);
  if (std::isnan(rounded))
    element = 0;
  else if (rounded >= limit)
    element = std::numeric_limits<Int>::max();
  else if (rounded < -limit)
    element = std::numeric_limits<Int>::min();
  else
    element = static_cast<Int>(rounded);
}
inline void store(double value, int64_t &element) {
  storeInteger(value, element);
}
inline void store(double value, int32_t &element) {
  storeInteger(value, element);
}
inline void store(double value, Bool &element) { element.bits = value != 0; }

inline void store(int64_t value, int64_t &element) { element = value; }
inline void store(int64_t value, float &element) {
  element = static_cast<float>(value);
}
template <typename Element> void store(int64_t value, Element &element) {
  store(static_cast<double>(value), element);
}

} // namespace attn

#endif // ATTN_RUNTIME_ARRAY_ELEMENTS_H
