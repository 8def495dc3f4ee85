//===- Scan.cpp - Recurrences of channels in plain C++ --------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread takes a range of channels, whose state stays in L1, through all
// tokens; loops over channels vectorise.
//
//===----------------------------------------------------------------------===//

#include "Tokens.h"
#include <algorithm>
#include <cmath>
#include <omp.h>
#include <vector>

namespace attn::bench {
namespace {

/// Channels of mamba1 have so many states each.
constexpr int64_t kStates = 16;

/// The channels of a thread.
struct Range {
  int64_t begin, size;
};

/// h = e^g h + (1 - e^g) i, o = h
void stepHgrn(const float *__restrict g, const float *__restrict i,
              float *__restrict h, float *__restrict o, int64_t size) {
  for (int64_t c = 0; c < size; ++c) {
    float keep = std::exp(g[c]);
    o[c] = h[c] = keep * h[c] + (1 - keep) * i[c];
  }
}

/// With m the running maximum of what exponentials a and b hold:
/// o = (a + e^{u + k} v) / (b + e^{u + k}), a = e^w a + e^k v, b likewise
void stepRwkv4(const float *__restrict w, const float *__restrict u,
               const float *__restrict k, const float *__restrict v,
               float *__restrict a, float *__restrict b, float *__restrict m,
               float *__restrict o, int64_t size) {
  for (int64_t c = 0; c < size; ++c) {
    float self = u[c] + k[c], most = std::max(m[c], self);
    float past = std::exp(m[c] - most), now = std::exp(self - most);
    o[c] = (past * a[c] + now * v[c]) / (past * b[c] + now);
    float kept = m[c] - std::exp(w[c]);
    most = std::max(kept, k[c]);
    past = std::exp(kept - most);
    now = std::exp(k[c] - most);
    a[c] = past * a[c] + now * v[c];
    b[c] = past * b[c] + now;
    m[c] = most;
  }
}

/// h_d = e^{dt A_d} h_d + B_d dt x, o = (sum_d C_d h_d + D x) silu(z)
void stepMamba1(const float *__restrict x, const float *__restrict delta,
                const float *__restrict A, const float *__restrict B,
                const float *__restrict C, const float *__restrict D,
                const float *__restrict z, float *__restrict h,
                float *__restrict dt, float *__restrict o, int64_t size) {
  for (int64_t c = 0; c < size; ++c) {
    dt[c] =
        std::max(delta[c], 0.0f) + std::log(1 + std::exp(-std::fabs(delta[c])));
    o[c] = D[c] * x[c];
  }
  for (int64_t d = 0; d < kStates; ++d)
    for (int64_t c = 0; c < size; ++c) {
      float &state = h[d * size + c];
      state = std::exp(dt[c] * A[d * size + c]) * state + B[d] * dt[c] * x[c];
      o[c] += C[d] * state;
    }
  for (int64_t c = 0; c < size; ++c)
    o[c] *= z[c] / (1 + std::exp(-z[c]));
}

class Scan : public Prepared {
public:
  explicit Scan(const Problem &problem)
      : problem(problem), channels(kHeads * problem.sizes.width),
        part((channels / problem.threads + kStates - 1) / kStates * kStates) {
    for (int64_t i = 0; i < problem.sizes.batch * getParts(); ++i) {
      // Three vectors for rwkv4; for mamba1 states, decays and a step.
      states.emplace_back((2 * kStates + 1) * part);
      clear(states.back());
    }
  }

  llvm::Error run(llvm::ArrayRef<Array> inputs, Array &output) override {
    auto *out = static_cast<float *>(output.getData());
#pragma omp parallel for num_threads(problem.threads)
    for (int64_t i = 0; i < problem.sizes.batch * getParts(); ++i) {
      int64_t begin = i % getParts() * part;
      if (!problem.decodes)
        clear(states[i]);
      runRange(inputs, out, i / getParts(),
               {begin, std::min(part, channels - begin)}, states[i].get());
    }
    return llvm::Error::success();
  }

private:
  int64_t getParts() const { return (channels + part - 1) / part; }

  void clear(Floats &state) const {
    std::fill(state.get(), state.get() + (2 * kStates + 1) * part, 0.0f);
    if (problem.row.name == "rwkv4")
      std::fill(state.get() + 2 * part, state.get() + 3 * part, -1e30f);
  }

  void runRange(llvm::ArrayRef<Array> inputs, float *out, int64_t batch,
                Range range, float *state) const {
    auto get = [&](llvm::StringRef name) { return problem.get(inputs, name); };
    const int64_t size = range.size, tokens = problem.sizes.tokens;
    auto forTokens = [&](auto step) {
      for (int64_t t = 0; t < tokens; ++t)
        step(batch * tokens + t, (batch * tokens + t) * channels + range.begin);
    };
    if (problem.row.name == "hgrn") {
      const float *g = get("g"), *i = get("i");
      forTokens([&](int64_t, int64_t at) {
        stepHgrn(g + at, i + at, state, out + at, size);
      });
    } else if (problem.row.name == "rwkv4") {
      const float *w = get("w") + range.begin, *u = get("u") + range.begin,
                  *k = get("k"), *v = get("v");
      forTokens([&](int64_t, int64_t at) {
        stepRwkv4(w, u, k + at, v + at, state, state + part, state + 2 * part,
                  out + at, size);
      });
    } else {
      const float *x = get("x"), *delta = get("delta"), *a = get("a"),
                  *B = get("B"), *C = get("C"), *D = get("D") + range.begin,
                  *z = get("z");
      // A = -exp(a), channels last.
      float *A = state + kStates * part, *dt = A + kStates * part;
      for (int64_t d = 0; d < kStates; ++d)
        for (int64_t c = 0; c < size; ++c)
          A[d * size + c] = -std::exp(a[(range.begin + c) * kStates + d]);
      forTokens([&](int64_t token, int64_t at) {
        stepMamba1(x + at, delta + at, A, B + token * kStates,
                   C + token * kStates, D, z + at, state, dt, out + at, size);
      });
    }
  }

  Problem problem;
  int64_t channels, part;
  std::vector<Floats> states;
};

class ScanPeer : public Peer {
public:
  std::string getName() const override { return "scan"; }
  bool serves(const Problem &problem) const override {
    llvm::StringRef row = problem.row.name;
    return row == "hgrn" || row == "rwkv4" || row == "mamba1";
  }
  llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array>) const override {
    return std::make_unique<Scan>(problem);
  }
};

} // namespace

std::unique_ptr<Peer> createScanPeer() { return std::make_unique<ScanPeer>(); }

} // namespace attn::bench
