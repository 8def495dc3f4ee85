//===- Random.cpp - Normal random values -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The value at a position depends on the seed and the position alone, and on
// IEEE additions, multiplications, divisions and square roots: it is the same
// on every machine and for any number of threads. (This file is compiled
// without contraction to fused multiply-add.)

#include "runtime/array/Array.h"
#include "runtime/array/Elements.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"

namespace attn {

/// The output function of SplitMix64 (Steele, Lea and Flood, 2014).
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// ln x of a normal positive number, to about 1e-15.
static double logarithm(double x) {
  uint64_t bits = llvm::bit_cast<uint64_t>(x);
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
  int64_t e = static_cast<int64_t>((bits - 0x3fe6a09e667f3bcd) >> 52);
  e = (e << 52) >> 52;
  double m = llvm::bit_cast<double>(bits - (static_cast<uint64_t>(e) << 52));
  // ln m = 2 atanh(t) with t = (m - 1) / (m + 1), |t| < 0.172.
  double t = (m - 1) / (m + 1), t2 = t * t, sum = 0;
  for (int n = 19; n >= 1; n -= 2)
    sum = sum * t2 + 1.0 / n;
  return 2 * t * sum + e * 0.6931471805599453;
}

template <size_t N>
static double polynomial(const double (&coefficients)[N], double x) {
  double sum = coefficients[N - 1];
  for (size_t i = N - 1; i-- > 0;)
    sum = sum * x + coefficients[i];
  return sum;
}

/// The inverse of the normal distribution function, PPND16 of Wichura,
/// "Algorithm AS 241", 1988, to about 1e-16.
static double inverseNormal(double p) {
  static constexpr double a[] = {
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
      1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
      3.3430575583588128105e4, 2.5090809287301226727e3};
  static constexpr double b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
  static constexpr double c[] = {
      1.42343711074968357734e0,  4.63033784615654529590e0,
      5.76949722146069140550e0,  3.64784832476320460504e0,
      1.27045825245236838258e0,  2.41780725177450611770e-1,
      2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double d[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
  static constexpr double e[] = {
      6.65790464350110377720e0,  5.46378491116411436990e0,
      1.78482653991729133580e0,  2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3,
      2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double f[] = {1.0,
                                 5.99832206555887937690e-1,
                                 1.36929880922735805310e-1,
                                 1.48753612908506148525e-2,
                                 7.86869131145613259100e-4,
                                 1.84631831751005468180e-5,
                                 1.42151175831644588870e-7,
                                 2.04426310338993978564e-15};
  double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  double r = std::sqrt(-logarithm(q < 0 ? p : 1 - p));
  double tail = r <= 5 ? polynomial(c, r - 1.6) / polynomial(d, r - 1.6)
                       : polynomial(e, r - 5) / polynomial(f, r - 5);
  return q < 0 ? -tail : tail;
}

/// A standard normal value.
static double getNormal(uint64_t key, uint64_t position) {
  uint64_t bits = mix(key + (position + 1) * 0x9e3779b97f4a7c15);
  // The middles of 2^52 intervals of (0, 1).
  double uniform = (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
  return inverseNormal(uniform);
}

void fillNormal(Array &array, uint64_t seed, double stddev) {
  // Seeds are counted up by people: spread them first.
  uint64_t key = mix(seed + 0x9e3779b97f4a7c15);
  int64_t count = array.getNumElements();
  constexpr int64_t block = 1 << 16;
  visitStorage(array.getType(), [&](auto *element) {
    auto *data = static_cast<decltype(element)>(array.getData());
    using Element = std::remove_pointer_t<decltype(element)>;
    constexpr bool isInteger =
        std::is_integral_v<Element> || std::is_same_v<Element, Bool>;
    llvm::parallelFor(0, llvm::divideCeil(count, block), [&](size_t i) {
      int64_t begin = i * block, end = std::min(begin + block, count);
      for (int64_t j = begin; j < end; ++j)
        store(isInteger ? 0.0 : stddev * getNormal(key, j), data[j]);
    });
  });
}

} // namespace attn
