//===- CpuSchedule.cpp - Loops of a CPU -----------------------------------===//
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
namespace {

/// Rows of a register tile, of a block of rows that shares tiles, and rows that
/// a task has; vectors of a register tile, and what it may have in all.
constexpr int kTileRows = 4, kBlockRows = 16, kTaskRows = 128, kTileVectors = 4,
              kTileSize = 24;

/// How the innermost dimension is cut.
struct Columns {
  /// Elements of a vector, and of a tile of vectors.
  int lanes = 1, tile = 1;
  /// Elements in all, rounded up to whole tiles; 0 if calls decide.
  int all = 0;

  int getVectors() const { return tile / lanes; }
};

class CpuSchedule {
public:
  CpuSchedule(Program &program, const Target &target)
      : program(program), target(target) {}
  void run();

private:
  Columns getColumns(const Stage &stage) const;
  /// Gives a function that is no output whole tiles.
  void roundColumns(Func func, Var x, const Columns &columns) const;
  int getRows(const Stage &stage, const Columns &columns) const;
  void scheduleRoot(const Root &root);
  void scheduleMap(Func func, const Stage &stage);
  void vectorize(Func func, const Stage &stage, const Columns &columns);
  void scheduleUpdates(Stage &stage);
  void scheduleBlocks(const Root &root);
  void scheduleMember(Stage &stage, LoopLevel level);
  void scheduleWideProduct(Stage &stage, LoopLevel level,
                           const Columns &columns);
  void scheduleSteps(Stage &stage);
  Program &program;
  const Target &target;
};

} // namespace

void CpuSchedule::run() {
  for (const Root &root : placeStages(program))
    scheduleRoot(root);
}

Columns CpuSchedule::getColumns(const Stage &stage) const {
  // One unit for all types: functions that read each other are rounded alike.
  int unit = target.natural_vector_size(Float(32));
  int lanes = target.natural_vector_size(stage.func.types().front());
  lanes = std::min(lanes, unit);
  Columns columns;
  if (stage.vars.empty())
    return columns;
  auto extent = Internal::as_const_int(stage.extents.front());
  if (!extent) {
    columns.lanes = lanes;
    columns.tile = unit * kTileVectors;
    return columns;
  }
  columns.tile = 1;
  while (columns.tile < *extent && columns.tile < unit)
    columns.tile *= 2;
  columns.lanes = std::min(lanes, columns.tile);
  // All vectors where they are a few more than a tile has.
  int count = (*extent + columns.tile - 1) / columns.tile;
  columns.tile *= count <= kTileVectors + 2 ? std::max(count, 1) : kTileVectors;
  columns.all = (*extent + columns.tile - 1) / columns.tile * columns.tile;
  return columns;
}

void CpuSchedule::roundColumns(Func func, Var x, const Columns &columns) const {
  if (columns.all > 0) {
    func.bound(x, 0, columns.all);
    return;
  }
  func.align_bounds(x, columns.tile);
  // Rows whose length calls decide, a power of two often, begin at different
  // places of the cache: an odd number of vectors apart.
  func.align_storage(x, 9 * columns.tile / kTileVectors);
}

/// Rows of a register tile.
int CpuSchedule::getRows(const Stage &stage, const Columns &columns) const {
  auto extent = Internal::as_const_int(stage.extents[1]);
  if (!extent)
    return kTileRows;
  int rows = std::max(kTileSize / columns.getVectors(), 1);
  rows = std::min(rows, kTileRows + 2);
  while (*extent % rows != 0)
    --rows;
  return rows;
}

/// for rows, in tasks: for elements, in vectors.
void CpuSchedule::scheduleMap(Func func, const Stage &stage) {
  func.compute_root();
  if (stage.vars.empty())
    return;
  Columns columns = getColumns(stage);
  std::vector<Var> vars = func.args();
  if (vars.size() > 1) {
    // Tasks of tokens, or of the next dimension. What is split is not fused
    // with others first: the bounds of its parts would not be exact.
    size_t split = 1;
    while (split + 1 < vars.size() &&
           Internal::as_const_int(stage.extents[split]))
      ++split;
    if (Internal::as_const_int(stage.extents[split]))
      split = 1;
    Var task, row;
    func.split(vars[split], task, row, kTaskRows, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order(vars.begin(), vars.begin() + split),
        outer{task};
    order.push_back(row);
    outer.insert(outer.end(), vars.begin() + split + 1, vars.end());
    order.insert(order.end(), outer.begin(), outer.end());
    func.reorder(order).parallel(fuseAll(func, outer));
  }
  vectorize(func, stage, columns);
}

/// The vectors of a pure definition.
void CpuSchedule::vectorize(Func func, const Stage &stage,
                            const Columns &columns) {
  Var x = func.args().front();
  if (!stage.isOutput)
    roundColumns(func, x, columns);
  if (columns.lanes > 1)
    func.vectorize(x, columns.lanes,
                   stage.isOutput ? TailStrategy::GuardWithIf
                                  : TailStrategy::Auto);
}

/// for batches, in threads: for the domain: for elements, in vectors.
void CpuSchedule::scheduleUpdates(Stage &stage) {
  for (size_t i = 0; i < stage.updates.size(); ++i) {
    const Stage::Update &update = stage.updates[i];
    Halide::Stage where = stage.func.update(i);
    std::vector<VarOrRVar> order, rest;
    bool hasInner = !stage.vars.empty() && update.isPure.front();
    if (hasInner)
      order.push_back(stage.vars.front());
    order.insert(order.end(), update.loops.begin(), update.loops.end());
    for (size_t d = 1; d < stage.vars.size(); ++d)
      if (update.isPure[d])
        rest.push_back(stage.vars[d]);
    order.insert(order.end(), rest.begin(), rest.end());
    if (order.empty())
      continue;
    where.reorder(order);
    if (!rest.empty())
      where.parallel(fuseAll(where, rest));
    Columns columns = getColumns(stage);
    if (hasInner && columns.lanes > 1)
      where.vectorize(stage.vars.front(), columns.lanes);
  }
}

/// A product whose rows are as long as calls decide. Where its sums lie is not
/// known then, and they would not stay in registers: a copy of it takes them a
/// tile at a time.
void CpuSchedule::scheduleWideProduct(Stage &stage, LoopLevel level,
                                      const Columns &columns) {
  Func func = stage.func, copy = func.in();
  Var x = copy.args()[0], y = copy.args()[1], column, block, vectors, row;
  roundColumns(copy, x, columns);
  copy.align_bounds(y, kTileRows);
  std::vector<VarOrRVar> order{vectors, row, column, block};
  for (size_t d = 2; d < copy.args().size(); ++d)
    order.push_back(copy.args()[d]);
  copy.compute_at(level)
      .split(x, column, vectors, columns.tile)
      .split(y, block, row, kTileRows)
      .reorder(order)
      .vectorize(vectors, columns.lanes)
      .unroll(row);
  x = stage.vars[0];
  y = stage.vars[1];
  Var vector, part;
  func.compute_at(copy, column)
      .bound_extent(x, columns.tile)
      .bound_extent(y, kTileRows)
      .vectorize(x, columns.lanes)
      .unroll(x)
      .unroll(y);
  order = {vector, part, y};
  for (const RVar &loop : stage.updates.front().loops)
    order.push_back(loop);
  func.update()
      .split(x, part, vector, columns.lanes)
      .reorder(order)
      .vectorize(vector)
      .unroll(part)
      .unroll(y);
}

/// A member's own loops: for rows: for vectors, or for tiles of registers.
void CpuSchedule::scheduleMember(Stage &stage, LoopLevel level) {
  Func func = stage.func;
  Columns columns = getColumns(stage);
  if (hasHint(stage, "tile") && stage.hints.back() == "product" &&
      columns.all == 0 && stage.updates.size() == 1)
    return scheduleWideProduct(stage, level, columns);
  func.compute_at(level);
  if (stage.vars.empty())
    return;
  vectorize(func, stage, columns);
  bool isProduct = stage.hints.back() == "product";
  for (size_t i = 0; i < stage.updates.size(); ++i) {
    const Stage::Update &update = stage.updates[i];
    Halide::Stage where = func.update(i);
    if (!update.isPure.front())
      continue;
    std::vector<VarOrRVar> order;
    Var x = stage.vars.front(), vector, vectors, column, row, y;
    if (columns.lanes > 1) {
      where.split(x, column, vectors, columns.tile)
          .split(vectors, vectors, vector, columns.lanes)
          .vectorize(vector)
          .unroll(vectors);
      order = {vector, vectors};
    } else {
      column = x;
    }
    bool hasRows = isProduct && stage.vars.size() > 1 && update.isPure[1];
    if (hasRows) {
      int rows = getRows(stage, columns);
      func.align_bounds(stage.vars[1], rows);
      where.split(stage.vars[1], y, row, rows).unroll(row);
      order.push_back(row);
    }
    order.insert(order.end(), update.loops.begin(), update.loops.end());
    order.push_back(column);
    if (hasRows)
      order.push_back(y);
    for (size_t d = hasRows ? 2 : 1; d < stage.vars.size(); ++d)
      if (update.isPure[d])
        order.push_back(stage.vars[d]);
    where.reorder(order);
  }
}

/// for tasks of rows, in threads: for blocks: members, and what reads them.
void CpuSchedule::scheduleBlocks(const Root &root) {
  const Stage &stage = *root.stage;
  Func func = root.isCopy ? root.stage->func.in() : root.stage->func;
  bool hasTiles = root.hasTiles();
  func.compute_root();
  std::vector<Var> vars = func.args();
  LoopLevel level = LoopLevel::root();
  if (!vars.empty())
    vectorize(func, stage, getColumns(stage));
  if (vars.size() > 1) {
    Columns columns = getColumns(stage);
    Var task, block, row;
    int rows = hasTiles ? kBlockRows : getRows(stage, columns);
    func.split(vars[1], task, block, kTaskRows, TailStrategy::GuardWithIf)
        .split(block, block, row, rows, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> rest{task};
    rest.insert(rest.end(), vars.begin() + 2, vars.end());
    std::vector<VarOrRVar> order{row, block};
    order.insert(order.end(), rest.begin(), rest.end());
    func.reorder(order);
    func.parallel(fuseAll(func, rest));
    level = LoopLevel(func, block);
  }
  for (Stage *member : root.members)
    scheduleMember(*member, level);
}

/// for batches, in threads: for steps, in order: for elements, in vectors.
void CpuSchedule::scheduleSteps(Stage &stage) {
  scheduleMap(stage.func, stage);
  Columns columns = getColumns(stage);
  for (size_t i = 0; i < stage.updates.size(); ++i) {
    const Stage::Update &update = stage.updates[i];
    Halide::Stage where = stage.func.update(i);
    std::vector<VarOrRVar> order, rest;
    Var x = stage.vars.front(), vector, vectors, part;
    where.split(x, part, vectors, columns.tile)
        .split(vectors, vectors, vector, columns.lanes);
    order = {vector, vectors};
    order.insert(order.end(), update.loops.begin(), update.loops.end());
    rest = {part};
    for (size_t d = 1; d < stage.vars.size(); ++d)
      if (update.isPure[d])
        rest.push_back(stage.vars[d]);
    order.insert(order.end(), rest.begin(), rest.end());
    where.reorder(order).unroll(vectors);
    if (columns.lanes > 1)
      where.vectorize(vector);
    for (size_t word = 1; word < stage.hints.size(); ++word)
      where.unroll(program.rvars.at(std::stoi(stage.hints[word])));
    where.parallel(fuseAll(where, rest));
  }
}

void CpuSchedule::scheduleRoot(const Root &root) {
  Stage &stage = *root.stage;
  if (hasHint(stage, "steps"))
    return scheduleSteps(stage);
  if (!root.members.empty())
    return scheduleBlocks(root);
  scheduleMap(stage.func, stage);
  scheduleUpdates(stage);
}

void scheduleForCpu(Program &program, const Target &target) {
  CpuSchedule(program, target).run();
}

} // namespace attn::halide
