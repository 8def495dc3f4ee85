//===- Composition.cpp - Chunks and tiles of calls of a gemm --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Composition.h"
#include "Tokens.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <omp.h>
#include <vector>

namespace attn::bench {
namespace {

/// Sizes to choose from.
struct Tiling {
  /// Tokens of a chunk, or queries of a tile.
  int64_t chunk;
  /// Keys of a tile; 0 for all.
  int64_t keys;
};

class Composition : public Prepared {
public:
  Composition(const Problem &problem, Gemm gemm)
      : problem(problem), traits(getTraits(problem.row.name)), gemm(gemm) {}

  llvm::Error choose(llvm::ArrayRef<Array> inputs);
  llvm::Error run(llvm::ArrayRef<Array> inputs, Array &output) override;
  std::string getChoice() const override {
    bool isSoftmax = !traits;
    std::string text =
        (isSoftmax ? "queries " : "chunk ") + std::to_string(tiling.chunk);
    if (isSoftmax)
      text +=
          tiling.keys ? ", keys " + std::to_string(tiling.keys) : ", all keys";
    return text;
  }

private:
  /// What a thread works in.
  struct Space {
    Space(int64_t chunk, int64_t scores, int64_t width)
        : tile(chunk, width), scores(scores), queries(chunk * width),
          keys(chunk * width), state(width * width), norm(width), sums(chunk),
          maxima(chunk), logs(chunk) {}
    Tile tile;
    Floats scores, queries, keys, state, norm, sums, maxima, logs;
  };

  void allocate(Tiling chosen);
  void runCausal(const Tokens &tokens, int64_t head, Space &space) const;
  void runWhole(const Tokens &tokens, int64_t head, Space &space) const;
  void runSoftmax(llvm::ArrayRef<Array> inputs, float *output, int64_t head,
                  Space &space) const;
  void addChunk(const Tile &tile, int64_t count, Space &space) const;
  void finishRows(const Tile &tile, int64_t count, const Space &space) const;

  Problem problem;
  std::optional<Traits> traits;
  Gemm gemm;
  Tiling tiling = {0, 0};
  std::vector<std::unique_ptr<Space>> spaces;
};

void Composition::allocate(Tiling chosen) {
  tiling = chosen;
  spaces.clear();
  int64_t keys = traits        ? chosen.chunk
                 : chosen.keys ? chosen.keys
                               : problem.sizes.tokens + chosen.chunk;
  for (int i = 0; i < problem.threads; ++i)
    spaces.push_back(std::make_unique<Space>(chosen.chunk, chosen.chunk * keys,
                                             problem.sizes.width));
}

llvm::Error Composition::choose(llvm::ArrayRef<Array> inputs) {
  using Clock = std::chrono::steady_clock;
  std::vector<Tiling> candidates;
  if (traits)
    for (int64_t chunk : {16, 32, 64, 128, 256})
      candidates.push_back({chunk, 0});
  else
    for (int64_t chunk : {32, 64, 128})
      for (int64_t keys : {0, 256, 512})
        candidates.push_back({chunk, keys});
  int64_t size =
      problem.sizes.batch * kHeads * problem.sizes.tokens * problem.sizes.width;
  auto output = Array::create(ElementType::F32, {size});
  if (!output)
    return output.takeError();
  Tiling best = candidates.front();
  double fastest = std::numeric_limits<double>::max();
  for (Tiling candidate : candidates) {
    allocate(candidate);
    double time = 0;
    // The first run warms up, unless it takes long.
    for (int i = 0; i < 6 && time < 0.2; ++i) {
      auto begin = Clock::now();
      if (llvm::Error error = run(inputs, *output))
        return error;
      time = std::chrono::duration<double>(Clock::now() - begin).count();
      if ((i > 0 || time >= 0.2) && time < fastest) {
        fastest = time;
        best = candidate;
      }
    }
  }
  allocate(best);
  return llvm::Error::success();
}

llvm::Error Composition::run(llvm::ArrayRef<Array> inputs, Array &output) {
  Tokens tokens(problem, inputs, &output);
#pragma omp parallel for schedule(dynamic) num_threads(problem.threads)
  for (int64_t head = 0; head < problem.sizes.batch * kHeads; ++head) {
    Space &space = *spaces[omp_get_thread_num()];
    if (!traits)
      runSoftmax(inputs, static_cast<float *>(output.getData()), head, space);
    else if (problem.row.isCausal)
      runCausal(tokens, head, space);
    else
      runWhole(tokens, head, space);
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Linear rows
//===----------------------------------------------------------------------===//

/// S' = e^{c_L} S + (e^{c_L - c} K)^T V, z' = e^{c_L} z + sum (e^{c_L - c} K)
void Composition::addChunk(const Tile &tile, int64_t count,
                           Space &space) const {
  const int64_t d = tile.width;
  const float *keys = tile.k.get();
  float decay = 1;
  if (traits->decay == Traits::Scalar) {
    float last = space.logs[count - 1];
    decay = std::exp(last);
    for (int64_t t = 0; t < count; ++t) {
      float factor = std::exp(last - space.logs[t]);
      for (int64_t i = 0; i < d; ++i)
        space.keys[t * d + i] = factor * tile.k[t * d + i];
    }
    keys = space.keys.get();
  }
  gemm(true, false, d, d, count, 1, keys, d, tile.v, tile.strideV, decay,
       space.state.get(), d);
  if (traits->normalizes)
    for (int64_t t = 0; t < count; ++t)
      for (int64_t i = 0; i < d; ++i)
        space.norm[i] += tile.k[t * d + i];
}

/// Divides by the normaliser and adds what the row adds.
void Composition::finishRows(const Tile &tile, int64_t count,
                             const Space &space) const {
  const int64_t d = tile.width;
  if (traits->normalizes)
    for (int64_t t = 0; t < count; ++t)
      for (int64_t i = 0; i < d; ++i)
        tile.out[t * tile.strideOut + i] /= space.sums[t];
  if (traits->addsInput)
    for (int64_t t = 0; t < count; ++t)
      for (int64_t i = 0; i < d; ++i)
        tile.out[t * tile.strideOut + i] +=
            tile.skip * tile.input[t * tile.strideOut + i];
}

/// O = ((Q K^T) * G) V + e^c Q S, G_ij = e^{c_i - c_j} for i >= j
void Composition::runCausal(const Tokens &tokens, int64_t head,
                            Space &space) const {
  const int64_t d = problem.sizes.width, all = problem.sizes.tokens;
  const bool decays = traits->decay == Traits::Scalar;
  Tile &tile = space.tile;
  std::fill(space.state.get(), space.state.get() + d * d, 0.0f);
  std::fill(space.norm.get(), space.norm.get() + d, 0.0f);
  for (int64_t begin = 0; begin < all; begin += tiling.chunk) {
    const int64_t count = std::min(tiling.chunk, all - begin);
    tokens.read(head, begin, count, /*vectors=*/false, tile);
    float sum = 0;
    for (int64_t t = 0; t < count; ++t)
      space.logs[t] = sum += tile.logDecay[t];
    gemm(false, true, count, count, d, 1, tile.q.get(), d, tile.k.get(), d, 0,
         space.scores.get(), count);
    const float *queries = tile.q.get();
    for (int64_t i = 0; i < count; ++i) {
      float *row = space.scores.get() + i * count;
      if (decays)
        for (int64_t j = 0; j <= i; ++j)
          row[j] *= std::exp(space.logs[i] - space.logs[j]);
      std::fill(row + i + 1, row + count, 0.0f);
      if (traits->normalizes) {
        float total = 0;
        for (int64_t j = 0; j <= i; ++j)
          total += row[j];
        for (int64_t j = 0; j < d; ++j)
          total += tile.q[i * d + j] * space.norm[j];
        space.sums[i] = total;
      }
      if (decays) {
        float factor = std::exp(space.logs[i]);
        for (int64_t j = 0; j < d; ++j)
          space.queries[i * d + j] = factor * tile.q[i * d + j];
        queries = space.queries.get();
      }
    }
    gemm(false, false, count, d, count, 1, space.scores.get(), count, tile.v,
         tile.strideV, 0, tile.out, tile.strideOut);
    gemm(false, false, count, d, d, 1, queries, d, space.state.get(), d, 1,
         tile.out, tile.strideOut);
    finishRows(tile, count, space);
    addChunk(tile, count, space);
  }
}

/// S = K^T V, O = Q S
void Composition::runWhole(const Tokens &tokens, int64_t head,
                           Space &space) const {
  const int64_t d = problem.sizes.width, all = problem.sizes.tokens;
  Tile &tile = space.tile;
  std::fill(space.state.get(), space.state.get() + d * d, 0.0f);
  std::fill(space.norm.get(), space.norm.get() + d, 0.0f);
  auto forChunks = [&](auto action) {
    for (int64_t begin = 0; begin < all; begin += tiling.chunk) {
      int64_t count = std::min(tiling.chunk, all - begin);
      tokens.read(head, begin, count, /*vectors=*/false, tile);
      action(count);
    }
  };
  forChunks([&](int64_t count) { addChunk(tile, count, space); });
  forChunks([&](int64_t count) {
    for (int64_t t = 0; t < count; ++t) {
      float total = 0;
      for (int64_t i = 0; i < d; ++i)
        total += tile.q[t * d + i] * space.norm[i];
      space.sums[t] = total;
    }
    gemm(false, false, count, d, d, 1, tile.q.get(), d, space.state.get(), d, 0,
         tile.out, tile.strideOut);
    finishRows(tile, count, space);
  });
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// By tiles of keys: m' = max(m, s), l' = e^{m - m'} l + sum e^{s - m'}, and
/// the result likewise; one tile of all keys needs no running values.
void Composition::runSoftmax(llvm::ArrayRef<Array> inputs, float *output,
                             int64_t head, Space &space) const {
  const int64_t d = problem.sizes.width, all = problem.sizes.tokens;
  const float scale = 1 / std::sqrt(float(d));
  const float *q = problem.get(inputs, "q") + head * all * d,
              *k = problem.get(inputs, "k") + head * all * d,
              *v = problem.get(inputs, "v") + head * all * d;
  float *out = output + head * all * d;
  for (int64_t begin = 0; begin < all; begin += tiling.chunk) {
    const int64_t count = std::min(tiling.chunk, all - begin),
                  end = begin + count, step = tiling.keys ? tiling.keys : end;
    std::fill(space.sums.get(), space.sums.get() + count, 0.0f);
    std::fill(space.maxima.get(), space.maxima.get() + count, -1e30f);
    for (int64_t first = 0; first < end; first += step) {
      const int64_t keys = std::min(step, end - first);
      gemm(false, true, count, keys, d, scale, q + begin * d, d, k + first * d,
           d, 0, space.scores.get(), keys);
      for (int64_t i = 0; i < count; ++i) {
        float *row = space.scores.get() + i * keys;
        const int64_t seen =
            std::clamp<int64_t>(begin + i + 1 - first, 0, keys);
        float before = space.maxima[i], most = before, sum = 0;
        for (int64_t j = 0; j < seen; ++j)
          most = std::max(most, row[j]);
        for (int64_t j = 0; j < seen; ++j) {
          row[j] = std::exp(row[j] - most);
          sum += row[j];
        }
        std::fill(row + seen, row + keys, 0.0f);
        float factor = std::exp(before - most);
        space.maxima[i] = most;
        space.sums[i] = factor * space.sums[i] + sum;
        if (first > 0)
          for (int64_t j = 0; j < d; ++j)
            out[(begin + i) * d + j] *= factor;
      }
      gemm(false, false, count, d, keys, 1, space.scores.get(), keys,
           v + first * d, d, first > 0, out + begin * d, d);
    }
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < d; ++j)
        out[(begin + i) * d + j] /= space.sums[i];
  }
}

class CompositionPeer : public Peer {
public:
  CompositionPeer(llvm::StringRef name, Gemm gemm) : name(name), gemm(gemm) {}

  std::string getName() const override { return name; }

  bool serves(const Problem &problem) const override {
    if (problem.decodes)
      return false;
    if (problem.row.name == "softmax")
      return true;
    auto traits = getTraits(problem.row.name);
    return traits && traits->decay != Traits::Vector && !traits->corrects;
  }

  llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array> inputs) const override {
    auto composition = std::make_unique<Composition>(problem, gemm);
    if (llvm::Error error = composition->choose(inputs))
      return std::move(error);
    return composition;
  }

private:
  std::string name;
  Gemm gemm;
};

} // namespace

std::unique_ptr<Peer> createComposition(llvm::StringRef name, Gemm gemm) {
  return std::make_unique<CompositionPeer>(name, gemm);
}

} // namespace attn::bench
