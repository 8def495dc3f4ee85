//===- Peer.h - What a peer has to say ------------------------ -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_PEER_H
#define ATTN_BENCH_MECHANISMS_PEER_H

#include "Rows.h"
#include "runtime/array/Array.h"
#include <memory>

namespace attn::bench {

/// What is computed: a row at given sizes.
struct Problem {
  const Row &row;
  Sizes sizes;
  /// The graph that is computed, for its arguments' names.
  const Graph &graph;
  int threads;
  /// One token a call; the state stays with the peer, and begins at zero.
  bool decodes;

  /// The data of an argument, by its name in the graph; all are f32.
  const float *get(llvm::ArrayRef<Array> inputs, llvm::StringRef name) const {
    return static_cast<const float *>(inputs[graph.find(name)].getData());
  }
};

/// A peer that is ready to run.
class Prepared {
public:
  virtual ~Prepared() = default;
  /// Computes the row's result from the graph's arguments. OpenMP has the
  /// problem's number of threads.
  virtual llvm::Error run(llvm::ArrayRef<Array> inputs, Array &output) = 0;
  /// Brings the result of the last run, if it is elsewhere, to `output`.
  virtual llvm::Error collect(Array &) { return llvm::Error::success(); }
  /// What was chosen, for the report: "chunk 32".
  virtual std::string getChoice() const { return ""; }
};

/// Another implementation of some of the rows.
class Peer {
public:
  virtual ~Peer() = default;
  virtual std::string getName() const = 0;
  virtual bool serves(const Problem &problem) const = 0;
  /// All that may be done before a call: choices by trial on these inputs,
  /// memory. Null if the peer does not serve the problem after all.
  virtual llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array> inputs) const = 0;
};

/// All that were built in.
llvm::SmallVector<std::unique_ptr<Peer>> createPeers();
/// The same graph through Halide, with its autoscheduler of that name, or with
/// our schedule if it is empty.
std::unique_ptr<Peer> createHalidePeer(llvm::StringRef autoscheduler);
/// A program that speaks the protocol of peers/Process.cpp.
std::unique_ptr<Peer> createProcessPeer(llvm::StringRef name,
                                        llvm::StringRef command);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_PEER_H
