//===- Measurement.h - A row beside its peers ----------------- -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_MEASUREMENT_H
#define ATTN_BENCH_MECHANISMS_MEASUREMENT_H

#include "Peer.h"
#include "llvm/Support/JSON.h"
#include <algorithm>

namespace attn::bench {

struct MeasurementOptions {
  const Row *row;
  Sizes sizes;
  int threads;
  /// One token a call with the state in place, rather than all tokens.
  bool decodes;
  /// Measures inputs of 16 bits beside those of 32.
  bool narrow;
  /// The folder of examples.
  std::string folder;
  unsigned rounds;
  double seconds;
  uint64_t seed;
  /// Sets of inputs that take turns.
  unsigned inputSets;
  /// Tokens of a prefix that are checked, at most.
  int64_t prefix;

  /// Tokens that are compared with f64; decoding does them one by one.
  int64_t getCheckedTokens() const {
    int64_t tokens = std::min(row->prefix, prefix);
    return decodes ? std::min<int64_t>(tokens, 32)
                   : std::min(tokens, sizes.tokens);
  }
};

/// Checks and times ours and the peers that serve the row, in turn, with the
/// machine's peaks among them. What fails is an entry with `error`; an error is
/// returned for a row that cannot be measured at all.
llvm::Expected<llvm::json::Object>
measure(mlir::MLIRContext &context, const MeasurementOptions &options,
        llvm::ArrayRef<std::unique_ptr<Peer>> peers);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_MEASUREMENT_H
