//===- TextEmbedding.h - Queries, keys and values of a text's bytes -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXAMPLES_TEXT_TEXTEMBEDDING_H
#define ATTN_EXAMPLES_TEXT_TEXTEMBEDDING_H

#include "runtime/array/Array.h"
#include "llvm/ADT/StringRef.h"
#include <array>
#include <string>

namespace attn::text {

/// The queries, keys and values of some tokens, each `[heads, tokens, width]`
/// of f32.
struct Embedding {
  Array queries, keys, values;
};

/// Fixed random projections of the bytes b_0, b_1, ... of a text; nothing is
/// learned. Head h sees a context of C = 2 (h + 1) bytes:
///
///   c_t  = g (sum_{j < C} sqrt(0.95 / C) T_h,j[b_{t-j}] + P_h p(t))
///   q_t  = c_t           what stands before the next byte
///   k_t  = c_{t-1}       what stood before this byte
///   v_t  = R_h[b_t]      this byte
///
/// T, P and R are matrices of independent normal values of variance 1 / width,
/// so T[b] is the projection of the one-hot vector of b; p(t) are sines and
/// cosines of the position, |p|^2 = 0.05. Then q_t . k_s is about g^2 times the
/// part of the two contexts that agrees, and g^2 = 24 sqrt(width) makes a full
/// match worth 24 in a softmax scaled by 1 / sqrt(width). A query thus reads
/// the bytes that followed contexts like its own.
class TextEmbedding {
public:
  static llvm::Expected<TextEmbedding> create(int64_t numHeads, int64_t width);

  /// The tokens [0, numTokens) of the text.
  llvm::Expected<Embedding> embed(llvm::StringRef text,
                                  int64_t numTokens) const;
  /// One query a prompt, as if the prompt stood at `position`.
  llvm::Expected<Array> embedPrompts(llvm::ArrayRef<std::string> prompts,
                                     int64_t position) const;
  /// An estimate of each byte's weight in one row of outputs: how much the row
  /// `[heads, row, width]` agrees with R[b], averaged over the heads.
  std::array<double, 256> decode(const Array &outputs, int64_t row) const;

private:
  TextEmbedding(int64_t numHeads, int64_t width)
      : numHeads(numHeads), width(width) {}

  /// c_t of the last byte of `before`, which stands at `position`.
  void writeContext(int64_t head, llvm::StringRef before, int64_t position,
                    float *out) const;
  int64_t getContextLength(int64_t head) const { return 2 * (head + 1); }

  int64_t numHeads, width;
  /// T `[heads, 2 heads, 256, width]`, P `[heads, 4, width]` and R
  /// `[heads, 256, width]`.
  Array contextTable, positionTable, valueTable;
};

} // namespace attn::text

#endif // ATTN_EXAMPLES_TEXT_TEXTEMBEDDING_H
