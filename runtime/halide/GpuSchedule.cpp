//===- GpuSchedule.cpp - Loops of a device
//---------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Placement.h"
#include "runtime/halide/Schedule.h"
#include <algorithm>

using namespace Halide;

namespace attn::halide {

/// Threads of a block, and rows of scores that are on the device at a time.
static constexpr int kThreads = 64, kBlockRows = 64;

/// for indices, in a grid of threads, which has three: the loops in order.
template <typename T>
static void mapGrid(T where, const std::vector<VarOrRVar> &vars,
                    const std::vector<RVar> &loops) {
  if (vars.empty()) {
    where.gpu_single_thread();
    return;
  }
  Var part, thread;
  where.split(vars[0], part, thread, kThreads, TailStrategy::GuardWithIf);
  std::vector<VarOrRVar> order(loops.begin(), loops.end());
  for (size_t d = 3; d < vars.size(); ++d)
    order.push_back(vars[d]);
  order.push_back(thread);
  order.push_back(part);
  for (size_t d = 1; d < std::min<size_t>(vars.size(), 3); ++d)
    order.push_back(vars[d]);
  where.reorder(order).gpu_threads(thread).gpu_blocks(part);
  for (size_t d = 1; d < std::min<size_t>(vars.size(), 3); ++d)
    where.gpu_blocks(vars[d]);
}

static void mapStage(Stage &stage) {
  mapGrid(stage.func, {stage.vars.begin(), stage.vars.end()}, {});
  for (size_t i = 0; i < stage.updates.size(); ++i) {
    const Stage::Update &update = stage.updates[i];
    std::vector<VarOrRVar> vars;
    for (size_t d = 0; d < stage.vars.size(); ++d)
      if (update.isPure[d])
        vars.push_back(stage.vars[d]);
    mapGrid(stage.func.update(i), vars, update.loops);
  }
}

void scheduleForGpu(Program &program) {
  for (Root &root : placeStages(program)) {
    if (!root.hasTiles()) {
      for (Stage *member : root.members) {
        member->func.compute_root();
        mapStage(*member);
      }
      if (!root.isCopy) {
        root.stage->func.compute_root();
        mapStage(*root.stage);
      }
      continue;
    }
    // for blocks of rows, on the host: kernels of what they need.
    Func func = root.isCopy ? root.stage->func.in() : root.stage->func;
    std::vector<Var> vars = func.args();
    Var block, row;
    func.compute_root().split(vars[1], block, row, kBlockRows,
                              TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order{vars[0], row};
    order.insert(order.end(), vars.begin() + 2, vars.end());
    order.push_back(block);
    func.reorder(order);
    for (Stage *member : root.members) {
      member->func.compute_at(func, block);
      mapStage(*member);
    }
  }
}

} // namespace attn::halide
