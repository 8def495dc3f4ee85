//===- Peers.cpp - The peers that were built in ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Peer.h"

namespace attn::bench {

// A peer: a file in peers/, a declaration and a line here.
std::unique_ptr<Peer> createLoopPeer();
std::unique_ptr<Peer> createScanPeer();
std::unique_ptr<Peer> createBlasPeer();
std::unique_ptr<Peer> createOneDnnPeer();

llvm::SmallVector<std::unique_ptr<Peer>> createPeers() {
  llvm::SmallVector<std::unique_ptr<Peer>> peers;
  peers.push_back(createLoopPeer());
  peers.push_back(createScanPeer());
#ifdef ATTN_BENCH_BLAS
  peers.push_back(createBlasPeer());
#endif
#ifdef ATTN_BENCH_ONEDNN
  peers.push_back(createOneDnnPeer());
#endif
  return peers;
}

} // namespace attn::bench
