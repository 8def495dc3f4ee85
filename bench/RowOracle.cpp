//===- RowOracle.cpp - A few rows of linear attention in f64 --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOracle.h"
#include <cmath>
#include <vector>

namespace attn::bench {

static double phi(double x) { return x > 0 ? x + 1 : std::exp(x); }

/// The first element of a row of [1, H, N, D].
static const float *getRow(const Array &array, int64_t head, int64_t token) {
  int64_t tokens = array.getShape()[2], width = array.getShape()[3];
  return static_cast<const float *>(array.getData()) +
         (head * tokens + token) * width;
}

static std::vector<double> computeRow(llvm::ArrayRef<Array> qkv, int64_t head,
                                      int64_t token) {
  int64_t keys = qkv[1].getShape()[2], width = qkv[1].getShape()[3];
  int64_t values = qkv[2].getShape()[3];
  std::vector<double> query(width), row(values);
  for (int64_t i = 0; i < width; ++i)
    query[i] = phi(getRow(qkv[0], head, token)[i]);
  double sum = 0;
  for (int64_t s = 0; s < keys; ++s) {
    const float *key = getRow(qkv[1], head, s);
    const float *value = getRow(qkv[2], head, s);
    double weight = 0;
    for (int64_t i = 0; i < width; ++i)
      weight += query[i] * phi(key[i]);
    sum += weight;
    for (int64_t i = 0; i < values; ++i)
      row[i] += weight * value[i];
  }
  for (double &element : row)
    element /= sum;
  return row;
}

double getRowError(llvm::ArrayRef<Array> qkv, const Array &output,
                   int64_t count) {
  int64_t heads = output.getShape()[1], tokens = output.getShape()[2];
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t head = i % heads;
    int64_t token = count > 1 ? i * (tokens - 1) / (count - 1) : 0;
    std::vector<double> expected = computeRow(qkv, head, token);
    const float *actual = getRow(output, head, token);
    for (size_t j = 0; j < expected.size(); ++j) {
      difference += (actual[j] - expected[j]) * (actual[j] - expected[j]);
      norm += expected[j] * expected[j];
    }
  }
  return std::sqrt(difference / norm);
}

} // namespace attn::bench
