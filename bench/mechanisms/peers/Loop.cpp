//===- Loop.cpp - The recurrence in plain C++, a few tokens a pass --------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The hand-written peer. The state of a head stays in the cache, as strips of
// two vectors of values; a pass over a strip takes kBlock tokens with their
// sums in registers. What tokens of a block owe each other is worked out before
// from keys and queries alone, with products of decays that never exceed 1:
//   o_t = S_0^T cq_t + sum_j P_tj u_j        y_t = S_0^T ce_t + sum_j N_tj u_j
//   S   = diag(w) S_0 + sum_j ck_j u_j
//
//===----------------------------------------------------------------------===//

#include "Tokens.h"
#include "bench/mechanisms/Simd.h"
#include <algorithm>
#include <omp.h>
#include <vector>

namespace attn::bench {
namespace {

/// Sums of two vectors for results and for corrections, values, and a strip's
/// two vectors: the registers there are.
constexpr int kBlock = kLanes == 16 ? 4 : 2;
constexpr int kStrip = 2 * kLanes;
constexpr int64_t kTile = 32, kMaxWidth = 256;

using Coefficients = float[kBlock][kMaxWidth + 16];

/// A block of tokens without its values.
struct alignas(64) Block {
  Coefficients query, erase, key, second;
  float decay[kMaxWidth];
  /// [t][j], j <= t for results and j < t for corrections.
  float fromKey[kBlock][kBlock], fromSecond[kBlock][kBlock];
  float eraseKey[kBlock][kBlock], eraseSecond[kBlock][kBlock];
  float beta[kBlock], norm[kBlock];
};

float dot(const float *x, const float *y, int64_t width) {
  float sum = 0;
  for (int64_t i = 0; i < width; ++i)
    sum += x[i] * y[i];
  return sum;
}

void multiply(float *x, const float *y, int64_t width) {
  for (int64_t i = 0; i < width; ++i)
    x[i] *= y[i];
}

/// Carries key j of the block to its end, and meets the tokens on the way.
template <int T>
void carryKey(const Traits &traits, const Tile &tile, int64_t at, int j,
              const float *key, float *end, float (*read)[kBlock],
              float (*erase)[kBlock]) {
  int64_t width = tile.width;
  std::copy(key, key + width, end);
  for (int i = j + 1; i < T; ++i) {
    int64_t row = (at + i) * width;
    if (traits.corrects || traits.hasSecondKey)
      erase[i][j] = dot(tile.e.get() + row, end, width);
    if (traits.readsBefore)
      read[i][j] = dot(tile.q.get() + row, end, width);
    if (traits.decay != Traits::None)
      multiply(end, tile.w.get() + row, width);
    if (!traits.readsBefore)
      read[i][j] = dot(tile.q.get() + row, end, width);
  }
}

template <int T>
void prepareBlock(const Traits &traits, const Tile &tile, int64_t at,
                  float *norm, Block &block) {
  int64_t width = tile.width;
  // 1. cq, ce, and the decay of the whole block.
  std::fill(block.decay, block.decay + width, 1.0f);
  for (int t = 0; t < T; ++t) {
    int64_t row = (at + t) * width;
    auto scale = [&](const Floats &from, float *to) {
      for (int64_t i = 0; i < width; ++i)
        to[i] = from[row + i] * block.decay[i];
    };
    if (traits.corrects || traits.hasSecondKey)
      scale(tile.e, block.erase[t]);
    if (traits.readsBefore)
      scale(tile.q, block.query[t]);
    if (traits.decay != Traits::None)
      multiply(block.decay, tile.w.get() + row, width);
    if (!traits.readsBefore)
      scale(tile.q, block.query[t]);
    block.beta[t] = tile.beta[at + t];
  }
  // 2. ck, P and N.
  for (int j = 0; j < T; ++j) {
    const float *query = tile.q.get() + (at + j) * width,
                *key = tile.k.get() + (at + j) * width;
    float &self = block.fromKey[j][j];
    self = 0;
    if (traits.hasBonus)
      for (int64_t i = 0; i < width; ++i)
        self += query[i] * tile.bonus[i] * key[i];
    else if (!traits.readsBefore)
      self = dot(query, key, width);
    carryKey<T>(traits, tile, at, j, key, block.key[j], block.fromKey,
                block.eraseKey);
    if (!traits.hasSecondKey)
      continue;
    const float *second = tile.b.get() + (at + j) * width;
    block.fromSecond[j][j] = dot(query, second, width);
    carryKey<T>(traits, tile, at, j, second, block.second[j], block.fromSecond,
                block.eraseSecond);
  }
  // 3. The normaliser.
  if (!traits.normalizes)
    return;
  for (int t = 0; t < T; ++t) {
    float sum = dot(block.query[t], norm, width);
    for (int j = 0; j <= t; ++j)
      sum += block.fromKey[t][j];
    block.norm[t] = 1 / sum;
  }
  for (int t = 0; t < T; ++t)
    for (int64_t i = 0; i < width; ++i)
      norm[i] += block.key[t][i];
}

/// One pass of a block of tokens over a strip, or two where u needs the first.
template <int T, bool Corrects, bool HasSecond>
void runStrip(const Traits &traits, const Block &block, const Tile &tile,
              int64_t at, int64_t strip, float *__restrict state) {
  const int64_t width = tile.width;
  Vector o[T][2] = {}, u[T][2], y[T][2] = {};
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t)
    for (int i = 0; i < 2; ++i)
      u[t][i] = load(tile.v + (at + t) * tile.strideV + strip + i * kLanes);
  if constexpr (!Corrects && !HasSecond) {
    for (int64_t d = 0; d < width; ++d) {
      float *row = state + d * kStrip;
      Vector s0 = load(row), s1 = load(row + kLanes);
      Vector n0 = s0 * block.decay[d], n1 = s1 * block.decay[d];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        o[t][0] += block.query[t][d] * s0;
        o[t][1] += block.query[t][d] * s1;
        n0 += block.key[t][d] * u[t][0];
        n1 += block.key[t][d] * u[t][1];
      }
      store(row, n0);
      store(row + kLanes, n1);
    }
  } else {
    for (int64_t d = 0; d < width; ++d) {
      Vector s0 = load(state + d * kStrip),
             s1 = load(state + d * kStrip + kLanes);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        o[t][0] += block.query[t][d] * s0;
        o[t][1] += block.query[t][d] * s1;
        y[t][0] += block.erase[t][d] * s0;
        y[t][1] += block.erase[t][d] * s1;
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t)
      for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < t; ++j) {
          if constexpr (HasSecond)
            y[t][i] += block.eraseSecond[t][j] * y[j][i];
          y[t][i] += block.eraseKey[t][j] * u[j][i];
        }
        if constexpr (Corrects)
          u[t][i] = block.beta[t] * (u[t][i] - y[t][i]);
      }
    for (int64_t d = 0; d < width; ++d) {
      float *row = state + d * kStrip;
      Vector n0 = load(row) * block.decay[d],
             n1 = load(row + kLanes) * block.decay[d];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        n0 += block.key[t][d] * u[t][0];
        n1 += block.key[t][d] * u[t][1];
        if constexpr (HasSecond) {
          n0 += block.second[t][d] * y[t][0];
          n1 += block.second[t][d] * y[t][1];
        }
      }
      store(row, n0);
      store(row + kLanes, n1);
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t)
    for (int i = 0; i < 2; ++i) {
      Vector sum = o[t][i];
      for (int j = 0; j <= t; ++j) {
        sum += block.fromKey[t][j] * u[j][i];
        if constexpr (HasSecond)
          sum += block.fromSecond[t][j] * y[j][i];
      }
      int64_t column = strip + i * kLanes;
      if (traits.normalizes)
        sum *= block.norm[t];
      if (traits.addsInput)
        sum +=
            tile.skip * load(tile.input + (at + t) * tile.strideOut + column);
      store(tile.out + (at + t) * tile.strideOut + column, sum);
    }
}

template <int T>
void runBlock(const Traits &traits, const Tile &tile, int64_t at, Block &block,
              float *state, float *norm) {
  prepareBlock<T>(traits, tile, at, norm, block);
  for (int64_t strip = 0; strip < tile.width; strip += kStrip) {
    float *part = state + strip * tile.width;
    if (traits.hasSecondKey)
      runStrip<T, false, true>(traits, block, tile, at, strip, part);
    else if (traits.corrects)
      runStrip<T, true, false>(traits, block, tile, at, strip, part);
    else
      runStrip<T, false, false>(traits, block, tile, at, strip, part);
  }
}

class Loop : public Prepared {
public:
  Loop(const Problem &problem, const Traits &traits)
      : problem(problem), traits(traits) {
    int64_t width = problem.sizes.width;
    for (int i = 0; i < problem.threads; ++i)
      tiles.push_back(std::make_unique<Tile>(kTile, width));
    // A state a thread, or a head where it is kept.
    int64_t count =
        problem.decodes ? problem.sizes.batch * kHeads : problem.threads;
    for (int64_t i = 0; i < count; ++i) {
      states.emplace_back(width * width + width);
      clear(states.back());
    }
  }

  std::string getChoice() const override {
    return problem.decodes ? "" : std::to_string(kBlock) + " tokens a pass";
  }

  llvm::Error run(llvm::ArrayRef<Array> inputs, Array &output) override {
    Tokens tokens(problem, inputs, &output);
#pragma omp parallel for schedule(static) num_threads(problem.threads)
    for (int64_t head = 0; head < problem.sizes.batch * kHeads; ++head) {
      int thread = omp_get_thread_num();
      Floats &state = states[problem.decodes ? head : thread];
      if (!problem.decodes)
        clear(state);
      runHead(tokens, head, *tiles[thread], state.get());
    }
    return llvm::Error::success();
  }

private:
  void clear(Floats &state) const {
    int64_t width = problem.sizes.width;
    std::fill(state.get(), state.get() + width * width + width, 0.0f);
  }

  void runHead(const Tokens &tokens, int64_t head, Tile &tile,
               float *state) const {
    int64_t count = problem.sizes.tokens;
    float *norm = state + problem.sizes.width * problem.sizes.width;
    Block block;
    for (int64_t begin = 0; begin < count; begin += kTile) {
      int64_t size = std::min(kTile, count - begin), at = 0;
      tokens.read(head, begin, size, /*vectors=*/true, tile);
      for (; at + kBlock <= size; at += kBlock)
        runBlock<kBlock>(traits, tile, at, block, state, norm);
      for (; at < size; ++at)
        runBlock<1>(traits, tile, at, block, state, norm);
    }
  }

  Problem problem;
  Traits traits;
  std::vector<std::unique_ptr<Tile>> tiles;
  std::vector<Floats> states;
};

class LoopPeer : public Peer {
public:
  std::string getName() const override { return "loop"; }
  bool serves(const Problem &problem) const override {
    return problem.row.isCausal && getTraits(problem.row.name) &&
           problem.sizes.width % kStrip == 0 &&
           problem.sizes.width <= kMaxWidth;
  }
  llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array>) const override {
    return std::make_unique<Loop>(problem, *getTraits(problem.row.name));
  }
};

} // namespace

std::unique_ptr<Peer> createLoopPeer() { return std::make_unique<LoopPeer>(); }

} // namespace attn::bench
