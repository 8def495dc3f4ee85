//===- TextEmbedding.cpp - Queries, keys and values of a text's bytes -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextEmbedding.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace attn;
using namespace attn::text;

static constexpr int64_t NumBytes = 256;
static constexpr int64_t NumPositionFeatures = 4;
/// Tokens that one task embeds.
static constexpr int64_t ChunkSize = 4096;

static float *getFloats(const Array &array) {
  return static_cast<float *>(array.getData());
}

static llvm::Expected<Array> createNormal(llvm::ArrayRef<int64_t> shape,
                                          uint64_t seed) {
  llvm::Expected<Array> array = Array::create(ElementType::F32, shape);
  if (array)
    fillNormal(*array, seed, 1 / std::sqrt(double(shape.back())));
  return array;
}

llvm::Expected<TextEmbedding> TextEmbedding::create(int64_t numHeads,
                                                    int64_t width) {
  TextEmbedding result(numHeads, width);
  struct {
    Array &table;
    llvm::SmallVector<int64_t, 4> shape;
  } tables[] = {
      {result.contextTable, {numHeads, 2 * numHeads, NumBytes, width}},
      {result.positionTable, {numHeads, NumPositionFeatures, width}},
      {result.valueTable, {numHeads, NumBytes, width}}};
  uint64_t seed = 1;
  for (auto &[table, shape] : tables) {
    llvm::Expected<Array> values = createNormal(shape, seed++);
    if (!values)
      return values.takeError();
    table = *values;
  }
  return result;
}

void TextEmbedding::writeContext(int64_t head, llvm::StringRef before,
                                 int64_t position, float *out) const {
  std::fill(out, out + width, 0.0f);
  const float gain = std::sqrt(24 * std::sqrt(double(width)));
  auto add = [&](float weight, const float *row) {
    for (int64_t i = 0; i < width; ++i)
      out[i] += weight * row[i];
  };
  int64_t length = getContextLength(head);
  float weight = gain * std::sqrt(0.95f / length);
  llvm::StringRef context = before.take_back(length);
  for (int64_t j = 0, e = context.size(); j < e; ++j) {
    int64_t byte = static_cast<unsigned char>(context[e - 1 - j]);
    int64_t row = (head * 2 * numHeads + j) * NumBytes + byte;
    add(weight, getFloats(contextTable) + row * width);
  }
  // |p|^2 = 0.05, shared by two frequencies.
  float amplitude = gain * std::sqrt(0.025f);
  const float *rows =
      getFloats(positionTable) + head * NumPositionFeatures * width;
  for (double period : {1 << 12, 1 << 18}) {
    double phase = 2 * M_PI * position / period;
    add(amplitude * std::sin(phase), rows);
    add(amplitude * std::cos(phase), rows + width);
    rows += 2 * width;
  }
}

llvm::Expected<Embedding> TextEmbedding::embed(llvm::StringRef text,
                                               int64_t numTokens) const {
  Embedding result;
  for (Array *array : {&result.queries, &result.keys, &result.values}) {
    auto memory = Array::create(ElementType::F32, {numHeads, numTokens, width});
    if (!memory)
      return memory.takeError();
    *array = *memory;
  }
  int64_t numChunks = (numTokens + ChunkSize - 1) / ChunkSize;
  llvm::parallelFor(0, numHeads * numChunks, [&](size_t task) {
    int64_t head = task / numChunks, begin = task % numChunks * ChunkSize;
    int64_t end = std::min(begin + ChunkSize, numTokens);
    float *queries = getFloats(result.queries) + head * numTokens * width;
    float *keys = getFloats(result.keys) + head * numTokens * width;
    float *values = getFloats(result.values) + head * numTokens * width;
    const float *valueRows = getFloats(valueTable) + head * NumBytes * width;
    writeContext(head, text.take_front(begin), begin - 1, keys + begin * width);
    for (int64_t t = begin; t < end; ++t) {
      float *query = queries + t * width;
      writeContext(head, text.take_front(t + 1), t, query);
      if (t + 1 < end)
        std::copy_n(query, width, keys + (t + 1) * width);
      int64_t byte = static_cast<unsigned char>(text[t]);
      std::copy_n(valueRows + byte * width, width, values + t * width);
    }
  });
  return result;
}

llvm::Expected<Array>
TextEmbedding::embedPrompts(llvm::ArrayRef<std::string> prompts,
                            int64_t position) const {
  int64_t numPrompts = prompts.size();
  auto queries = Array::create(ElementType::F32, {numHeads, numPrompts, width});
  if (!queries)
    return queries.takeError();
  for (int64_t head = 0; head < numHeads; ++head)
    for (int64_t i = 0; i < numPrompts; ++i)
      writeContext(head, prompts[i], position,
                   getFloats(*queries) + (head * numPrompts + i) * width);
  return queries;
}

std::array<double, 256> TextEmbedding::decode(const Array &outputs,
                                              int64_t row) const {
  std::array<double, 256> weights{};
  for (int64_t head = 0; head < numHeads; ++head) {
    const float *out =
        getFloats(outputs) + (head * outputs.getShape()[1] + row) * width;
    for (int64_t byte = 0; byte < NumBytes; ++byte) {
      const float *value =
          getFloats(valueTable) + (head * NumBytes + byte) * width;
      double dot = 0;
      for (int64_t i = 0; i < width; ++i)
        dot += double(out[i]) * value[i];
      weights[byte] += dot / numHeads;
    }
  }
  return weights;
}
