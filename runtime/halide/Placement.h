//===- Placement.h - Where the functions are computed -*- C++
//-*------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_HALIDE_PLACEMENT_H
#define ATTN_RUNTIME_HALIDE_PLACEMENT_H

#include "runtime/halide/Program.h"

namespace attn::halide {

/// A function that has loops of its own at the outermost level, and those that
/// are computed inside of them.
struct Root {
  Stage *stage = nullptr;
  /// The stage's own definition is a member: what is computed at the outermost
  /// level is a copy of it.
  bool isCopy = false;
  std::vector<Stage *> members;

  bool hasTiles() const;
};

bool hasHint(const Stage &stage, const char *hint);

/// The roots that the hints of a program ask for, readers before what they
/// read. Throws where a tile is read in more than one place.
std::vector<Root> placeStages(Program &program);

/// All of the variables as one, the first the innermost.
template <typename T>
Halide::VarOrRVar fuseAll(T where, const std::vector<Halide::VarOrRVar> &vars) {
  Halide::VarOrRVar fused = vars.front();
  for (size_t i = 1; i < vars.size(); ++i) {
    Halide::Var next;
    where.fuse(fused, vars[i], next);
    fused = next;
  }
  return fused;
}

} // namespace attn::halide

#endif // ATTN_RUNTIME_HALIDE_PLACEMENT_H
