//===- Tokens.cpp - Rows as one recurrence, for peers ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tokens.h"
#include "llvm/ADT/StringSwitch.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace attn::bench {

Floats::Floats(int64_t count)
    : data(static_cast<float *>(
          std::aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64))) {}

void Floats::Free::operator()(float *data) const { std::free(data); }

std::optional<Traits> getTraits(llvm::StringRef row) {
  using T = std::optional<Traits>;
  auto make = [](Traits::Decay decay) {
    Traits traits;
    traits.decay = decay;
    return traits;
  };
  Traits linear = make(Traits::None), scalar = make(Traits::Scalar),
         vector = make(Traits::Vector);
  Traits normalized = linear, mamba2 = scalar, bonus = vector, before = vector;
  normalized.normalizes = true;
  mamba2.addsInput = true;
  bonus.readsBefore = bonus.hasBonus = true;
  before.readsBefore = before.corrects = true;
  Traits delta = linear, gatedDelta = scalar, vectorDelta = vector,
         second = vector;
  delta.corrects = gatedDelta.corrects = vectorDelta.corrects = true;
  second.hasSecondKey = true;
  return llvm::StringSwitch<T>(row)
      .Cases({"linear_transformer", "linear_noncausal"}, normalized)
      .Cases({"retnet", "lightning", "simple_gla", "mlstm_sigmoid"}, scalar)
      .Case("mamba2", mamba2)
      .Cases({"gla", "hgrn2"}, vector)
      .Cases({"rwkv5", "rwkv6"}, bonus)
      .Case("deltanet", delta)
      .Cases({"gated_deltanet", "comba"}, gatedDelta)
      .Cases({"kda", "gdn2"}, vectorDelta)
      .Case("predictor", before)
      .Case("rwkv7", second)
      .Default(std::nullopt);
}

Tile::Tile(int64_t tokens, int64_t width)
    : width(width), q(tokens * width), k(tokens * width), e(tokens * width),
      b(tokens * width), w(tokens * width), logDecay(tokens), beta(tokens),
      ownV(tokens * width), bonus(width) {}

//===----------------------------------------------------------------------===//
// Features and gates: loops that vectorise
//===----------------------------------------------------------------------===//

static void scaleBy(const float *x, float factor, int64_t count, float *y) {
  for (int64_t i = 0; i < count; ++i)
    y[i] = factor * x[i];
}

static void exponential(const float *x, int64_t count, float *y) {
  for (int64_t i = 0; i < count; ++i)
    y[i] = std::exp(x[i]);
}

/// exp(-exp(x))
static void decayOf(const float *x, int64_t count, float *y) {
  for (int64_t i = 0; i < count; ++i)
    y[i] = std::exp(-std::exp(x[i]));
}

static void eluPlusOne(const float *x, int64_t count, float *y) {
  for (int64_t i = 0; i < count; ++i) {
    float e = std::exp(x[i] < 0 ? x[i] : 0);
    y[i] = x[i] > 0 ? x[i] + 1 : e;
  }
}

static void addScaled(const float *x, float factor, int64_t count, float *y) {
  for (int64_t i = 0; i < count; ++i)
    y[i] += factor * x[i];
}

/// 1 - e^x of x <= 0 from x and w = e^x; near 0, where the difference cancels,
/// by the series -x - x^2 / 2 - x^3 / 6 - x^4 / 24.
static void oneMinusExp(const float *x, const float *w, int64_t count,
                        float *y) {
  for (int64_t i = 0; i < count; ++i) {
    float a = x[i];
    float series = -a * (1 + a * (0.5f + a * (1 / 6.0f + a * (1 / 24.0f))));
    y[i] = a > -0.06f ? series : 1 - w[i];
  }
}

static void multiply(const float *x, const float *y, int64_t count, float *z) {
  for (int64_t i = 0; i < count; ++i)
    z[i] = x[i] * y[i];
}

static void normalizeRow(const float *x, int64_t count, float *y) {
  float sum = 1e-6f;
  for (int64_t i = 0; i < count; ++i)
    sum += x[i] * x[i];
  scaleBy(x, 1 / std::sqrt(sum), count, y);
}

static float logSigmoid(float x) {
  return x < 0 ? x - std::log(1 + std::exp(x)) : -std::log(1 + std::exp(-x));
}

static float softplus(float x) {
  return x > 0 ? x + std::log(1 + std::exp(-x)) : std::log(1 + std::exp(x));
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

Tokens::Tokens(const Problem &problem, llvm::ArrayRef<Array> inputs,
               Array *output)
    : problem(problem), inputs(inputs),
      output(static_cast<float *>(output->getData())),
      scale(1 / std::sqrt(float(problem.sizes.width))) {}

const float *Tokens::get(llvm::StringRef name) const {
  return problem.get(inputs, name);
}

void Tokens::read(int64_t head, int64_t begin, int64_t count, bool vectors,
                  Tile &tile) const {
  llvm::StringRef row = problem.row.name;
  const int64_t d = problem.sizes.width, n = problem.sizes.tokens,
                h = head % kHeads, all = count * d;
  const int64_t token = head * n + begin, vector = token * d;
  auto spread = [&] {
    for (int64_t t = 0; t < count; ++t) {
      float factor = std::exp(tile.logDecay[t]);
      for (int64_t i = 0; i < d; ++i)
        tile.w[t * d + i] = factor;
    }
  };
  auto fillLog = [&](auto getValue) {
    for (int64_t t = 0; t < count; ++t)
      tile.logDecay[t] = getValue(t);
    if (vectors)
      spread();
  };
  auto copyRows = [&](llvm::StringRef name, float factor, float *to) {
    scaleBy(get(name) + vector, factor, all, to);
  };
  auto copyBeta = [&] {
    scaleBy(get("beta") + token, 1, count, tile.beta.get());
  };
  auto normalizeKeys = [&](llvm::StringRef name) {
    for (int64_t t = 0; t < count; ++t)
      normalizeRow(get(name) + vector + t * d, d, tile.k.get() + t * d);
  };
  // e_t = w_t * k_t: the state is erased after its decay.
  auto eraseDecayed = [&] {
    multiply(tile.k.get(), tile.w.get(), all, tile.e.get());
  };
  tile.out = output + vector;
  tile.strideOut = tile.strideV = d;
  tile.skip = 0;

  // 1. Mamba-2: tokens before heads, groups of heads with a key in common.
  if (row == "mamba2") {
    constexpr int64_t groups = 2;
    int64_t batch = head / kHeads, group = h / (kHeads / groups);
    float rate = -std::exp(get("a")[h]);
    const float *C = get("C"), *B = get("B"), *x = get("x"),
                *delta = get("delta");
    for (int64_t t = 0; t < count; ++t) {
      int64_t at = batch * n + begin + t;
      scaleBy(C + (at * groups + group) * d, 1, d, tile.q.get() + t * d);
      scaleBy(B + (at * groups + group) * d, 1, d, tile.k.get() + t * d);
      float step = softplus(delta[at * kHeads + h]);
      tile.logDecay[t] = rate * step;
      scaleBy(x + (at * kHeads + h) * d, step, d, tile.ownV.get() + t * d);
    }
    if (vectors)
      spread();
    int64_t first = ((batch * n + begin) * kHeads + h) * d;
    tile.v = tile.ownV.get();
    tile.input = x + first;
    tile.skip = get("D")[h];
    tile.out = output + first;
    tile.strideOut = kHeads * d;
    return;
  }

  tile.v = get("v") + vector;
  // 2. RWKV: names of their own, no scale.
  if (row == "rwkv5" || row == "rwkv6" || row == "rwkv7") {
    copyRows("r", 1, tile.q.get());
    copyRows("k", 1, tile.k.get());
    if (row == "rwkv7") {
      exponential(get("w") + vector, all, tile.w.get());
      copyRows("a", 1, tile.e.get());
      copyRows("b", 1, tile.b.get());
      return;
    }
    scaleBy(get("u") + h * d, 1, d, tile.bonus.get());
    if (row == "rwkv6") {
      decayOf(get("w") + vector, all, tile.w.get());
      return;
    }
    decayOf(get("w") + h * d, d, tile.w.get());
    for (int64_t t = 1; t < count; ++t)
      scaleBy(tile.w.get(), 1, d, tile.w.get() + t * d);
    return;
  }

  // 3. Queries and keys.
  if (row.starts_with("linear")) {
    eluPlusOne(get("q") + vector, all, tile.q.get());
    eluPlusOne(get("k") + vector, all, tile.k.get());
    std::fill(tile.logDecay.get(), tile.logDecay.get() + count, 0.0f);
    return;
  }
  if (row == "predictor") {
    for (const char *name : {"q", "k"}) {
      float *to = (*name == 'q' ? tile.q : tile.k).get();
      eluPlusOne(get(name) + vector, all, to);
      for (int64_t t = 0; t < count; ++t)
        normalizeRow(to + t * d, d, to + t * d);
    }
  } else {
    copyRows("q", row == "hgrn2" ? 1 : scale, tile.q.get());
    if (row == "deltanet" || row == "gated_deltanet" || row == "kda")
      normalizeKeys("k");
    else if (row != "hgrn2")
      copyRows("k", 1, tile.k.get());
  }

  // 4. Decays and gates.
  const float *g =
      row == "retnet" || row == "deltanet" || row == "mlstm_sigmoid" ? nullptr
                                                                     : get("g");
  if (row == "retnet")
    fillLog([&](int64_t) { return std::log1p(-std::exp2(-5.0 - h)); });
  else if (row == "lightning")
    fillLog([&](int64_t) { return g[h]; });
  else if (row == "simple_gla" || row == "gated_deltanet" || row == "comba")
    fillLog([&](int64_t t) { return g[token + t]; });
  else if (row == "deltanet")
    fillLog([](int64_t) { return 0.0f; });
  else if (row == "mlstm_sigmoid") {
    const float *forget = get("f") + token, *write = get("i") + token;
    fillLog([&](int64_t t) { return logSigmoid(forget[t]); });
    for (int64_t t = 0; t < count; ++t)
      scaleBy(tile.k.get() + t * d, 1 / (1 + std::exp(-write[t])), d,
              tile.k.get() + t * d);
  } else {
    exponential(g + vector, all, tile.w.get());
  }
  if (row == "hgrn2") {
    // What the decay leaves: -expm1(g), whose vector form there is not.
    oneMinusExp(g + vector, tile.w.get(), all, tile.k.get());
  } else if (row == "deltanet" || row == "gated_deltanet" || row == "kda") {
    copyBeta();
    eraseDecayed();
  } else if (row == "predictor") {
    copyBeta();
    scaleBy(tile.k.get(), 1, all, tile.e.get());
  } else if (row == "comba") {
    copyBeta();
    scaleBy(tile.k.get(), get("c")[h], all, tile.e.get());
    addScaled(tile.k.get(), -get("d")[h], all, tile.q.get());
  } else if (row == "gdn2") {
    eraseDecayed();
    multiply(tile.e.get(), get("b") + vector, all, tile.e.get());
    multiply(get("v") + vector, get("w") + vector, all, tile.ownV.get());
    tile.v = tile.ownV.get();
    for (int64_t t = 0; t < count; ++t)
      tile.beta[t] = 1;
  }
}

} // namespace attn::bench
