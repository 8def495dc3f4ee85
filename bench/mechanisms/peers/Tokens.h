//===- Tokens.h - Rows as one recurrence, for peers ----------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_PEERS_TOKENS_H
#define ATTN_BENCH_MECHANISMS_PEERS_TOKENS_H

#include "bench/mechanisms/Peer.h"
#include <memory>
#include <optional>

namespace attn::bench {

/// Memory of whole lines; not copied.
class Floats {
public:
  Floats() = default;
  explicit Floats(int64_t count);
  float *get() const { return data.get(); }
  float &operator[](int64_t i) const { return data.get()[i]; }

private:
  struct Free {
    void operator()(float *data) const;
  };
  std::unique_ptr<float, Free> data;
};

/// What a row's recurrence has, once features and gates are applied:
///   S_t = diag(w_t) S_{t-1} + k_t u_t^T + b_t y_t^T
///   y_t = S_{t-1}^T e_t
///   u_t = v_t, or beta_t (v_t - y_t) where the row corrects
///   o_t = S_t^T q_t, or S_{t-1}^T q_t + (q_t . (bonus * k_t)) v_t
/// divided by q_t . z_t, z_t = z_{t-1} + k_t, where the row normalises.
struct Traits {
  enum Decay { None, Scalar, Vector } decay = None;
  bool corrects = false, hasSecondKey = false, readsBefore = false,
       hasBonus = false, normalizes = false, addsInput = false;
};

/// None for rows that are no such recurrence.
std::optional<Traits> getTraits(llvm::StringRef row);

/// Tokens of one head, ready for the recurrence. q, k, e, b: [tokens, width];
/// v: rows at a stride, the argument's own where nothing is applied to it.
struct Tile {
  Tile(int64_t tokens, int64_t width);

  int64_t width;
  Floats q, k, e, b;
  /// Decays of the state's rows, [tokens, width], and log decays of tokens;
  /// those that the row's decay is made of.
  Floats w, logDecay;
  Floats beta;
  Floats ownV;
  const float *v;
  int64_t strideV;
  /// [width]
  Floats bonus;
  /// Where the result goes; what is added to it is `skip` times v.
  float *out;
  int64_t strideOut;
  const float *input;
  float skip;
};

/// Applies features and gates of a row to tokens.
class Tokens {
public:
  Tokens(const Problem &problem, llvm::ArrayRef<Array> inputs, Array *output);

  /// `count` tokens of a head of a batch from `begin` on. `vectors`: a scalar
  /// decay is spread over the rows of the state.
  void read(int64_t head, int64_t begin, int64_t count, bool vectors,
            Tile &tile) const;

private:
  const float *get(llvm::StringRef name) const;

  const Problem &problem;
  llvm::ArrayRef<Array> inputs;
  float *output;
  float scale;
};

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_PEERS_TOKENS_H
