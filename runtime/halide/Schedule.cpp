//===- Schedule.cpp - How the functions of a program are computed ---------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Schedule.h"
#include <algorithm>
#include <stdexcept>

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

/// A function that has loops of its own at the outermost level, and those that
/// are computed inside of them.
struct Root {
  Func func;
  const Stage *stage;
  /// The stage's own definition is inside: the root is a copy of it.
  bool isCopy = false;
  std::vector<Stage *> members;
};

class CpuSchedule {
public:
  CpuSchedule(Program &program, const Target &target)
      : program(program), target(target) {}
  void run();

private:
  bool has(const Stage &stage, const char *hint) const {
    return !stage.hints.empty() && stage.hints.front() == hint;
  }
  bool isInline(const Stage &stage) const {
    return stage.hints.empty() && !stage.isOutput;
  }
  bool isRoot(const Stage &stage) const {
    return stage.isOutput || has(stage, "root") || has(stage, "steps");
  }
  /// Who computes a stage with `product` or `tile`: the number of a root.
  int findHome(Stage &stage);
  std::set<int> getReaders(int id) const;

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
  void scheduleSteps(Stage &stage);
  template <typename T>
  VarOrRVar fuseRest(T where, const std::vector<VarOrRVar> &vars);

  Program &program;
  const Target &target;
  std::map<int, std::set<int>> readers;
  std::map<int, int> homes;
  std::vector<Root> roots;
  std::map<int, size_t> rootOf;
};

} // namespace

/// The readers that are not inlined into others.
std::set<int> CpuSchedule::getReaders(int id) const {
  std::set<int> result;
  auto found = readers.find(id);
  if (found == readers.end())
    return result;
  for (int reader : found->second) {
    if (isInline(program.getStage(reader))) {
      std::set<int> more = getReaders(reader);
      result.insert(more.begin(), more.end());
    } else {
      result.insert(reader);
    }
  }
  return result;
}

int CpuSchedule::findHome(Stage &stage) {
  std::set<int> all = getReaders(stage.id);
  if (has(stage, "tile")) {
    std::set<int> where;
    for (int reader : all)
      where.insert(isRoot(program.getStage(reader)) ? reader
                                                    : homes.at(reader));
    if (where.size() == 1)
      return *where.begin();
    throw std::runtime_error("a tile is read in more than one place");
  }
  if (all.size() == 1) {
    Stage &reader = program.getStage(*all.begin());
    if (isRoot(reader) && reader.updates.empty() && !has(reader, "steps") &&
        reader.vars.size() == stage.vars.size() && stage.vars.size() > 1)
      return reader.id;
  }
  return stage.id;
}

void CpuSchedule::run() {
  for (const Stage &stage : program.stages)
    for (int read : stage.reads)
      readers[read].insert(stage.id);
  // Readers have their places first.
  for (size_t i = program.stages.size(); i-- > 0;) {
    Stage &stage = program.stages[i];
    if (isInline(stage))
      continue;
    int home = isRoot(stage) ? stage.id : findHome(stage);
    homes[stage.id] = home;
    if (home == stage.id) {
      Root root;
      root.isCopy = !isRoot(stage);
      root.stage = &stage;
      root.func = root.isCopy ? stage.func.in() : stage.func;
      rootOf[stage.id] = roots.size();
      roots.push_back(root);
      if (root.isCopy)
        roots.back().members.push_back(&stage);
    } else {
      roots[rootOf.at(home)].members.push_back(&stage);
    }
  }
  for (const Root &root : roots)
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
  if (columns.all > 0)
    func.bound(x, 0, columns.all);
  else
    func.align_bounds(x, columns.tile);
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

template <typename T>
VarOrRVar CpuSchedule::fuseRest(T where, const std::vector<VarOrRVar> &vars) {
  VarOrRVar fused = vars.front();
  for (size_t i = 1; i < vars.size(); ++i) {
    Var next;
    where.fuse(fused, vars[i], next);
    fused = next;
  }
  return fused;
}

/// for rows, in tasks: for elements, in vectors.
void CpuSchedule::scheduleMap(Func func, const Stage &stage) {
  func.compute_root();
  if (stage.vars.empty())
    return;
  Columns columns = getColumns(stage);
  std::vector<Var> vars = func.args();
  std::vector<VarOrRVar> rest(vars.begin() + 1, vars.end());
  if (!rest.empty()) {
    VarOrRVar rows = fuseRest(func, rest);
    Var outer, inner;
    func.split(rows, outer, inner, kTaskRows, TailStrategy::GuardWithIf)
        .parallel(outer);
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
      where.parallel(fuseRest(where, rest));
    Columns columns = getColumns(stage);
    if (hasInner && columns.lanes > 1)
      where.vectorize(stage.vars.front(), columns.lanes);
  }
}

/// A member's own loops: for rows: for vectors, or for tiles of registers.
void CpuSchedule::scheduleMember(Stage &stage, LoopLevel level) {
  Func func = stage.func;
  func.compute_at(level);
  if (stage.vars.empty())
    return;
  Columns columns = getColumns(stage);
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
  Func func = root.func;
  bool hasTiles =
      std::any_of(root.members.begin(), root.members.end(),
                  [&](const Stage *member) { return has(*member, "tile"); });
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
    func.parallel(fuseRest(func, rest));
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
    where.parallel(fuseRest(where, rest));
  }
}

void CpuSchedule::scheduleRoot(const Root &root) {
  Stage &stage = program.getStage(root.stage->id);
  if (has(stage, "steps"))
    return scheduleSteps(stage);
  if (!root.members.empty())
    return scheduleBlocks(root);
  scheduleMap(root.func, stage);
  scheduleUpdates(stage);
}

void scheduleForCpu(Program &program, const Target &target) {
  CpuSchedule(program, target).run();
}

void scheduleForGpu(Program &program) {
  constexpr int threads = 64;
  for (Stage &stage : program.stages) {
    if (stage.hints.empty() && !stage.isOutput)
      continue;
    if (!stage.hints.empty() && stage.hints[0] == "tile")
      throw std::runtime_error("scores have no form for this target");
    stage.func.compute_root();
    auto map = [&](auto where, const std::vector<VarOrRVar> &vars,
                   const std::vector<RVar> &loops) {
      if (vars.empty()) {
        where.gpu_single_thread();
        return;
      }
      std::vector<VarOrRVar> order(loops.begin(), loops.end());
      order.insert(order.end(), vars.begin(), vars.end());
      where.reorder(order);
      VarOrRVar fused = vars.front();
      for (size_t i = 1; i < vars.size(); ++i) {
        Var next;
        where.fuse(fused, vars[i], next);
        fused = next;
      }
      Var block, thread;
      where.split(fused, block, thread, threads, TailStrategy::GuardWithIf)
          .reorder([&] {
            std::vector<VarOrRVar> inner(loops.begin(), loops.end());
            inner.push_back(thread);
            inner.push_back(block);
            return inner;
          }())
          .gpu_blocks(block)
          .gpu_threads(thread);
    };
    map(stage.func, {stage.vars.begin(), stage.vars.end()}, {});
    for (size_t i = 0; i < stage.updates.size(); ++i) {
      std::vector<VarOrRVar> vars;
      for (size_t d = 0; d < stage.vars.size(); ++d)
        if (stage.updates[i].isPure[d])
          vars.push_back(stage.vars[d]);
      map(stage.func.update(i), vars, stage.updates[i].loops);
    }
  }
}

void autoschedule(Program &program, const Target &target,
                  const std::string &name, int size) {
  static const std::map<std::string, std::string> plugins = {
      {"Mullapudi2016", "autoschedule_mullapudi2016"},
      {"Adams2019", "autoschedule_adams2019"},
      {"Li2018", "autoschedule_li2018"},
      {"Anderson2021", "autoschedule_anderson2021"}};
  auto plugin = plugins.find(name);
  if (plugin == plugins.end())
    throw std::runtime_error("no autoscheduler '" + name +
                             "': expected Mullapudi2016, Adams2019, Li2018 or "
                             "Anderson2021");
  load_plugin(plugin->second);
  std::map<std::string, Expr> estimates;
  for (Param<int32_t> &param : program.sizes) {
    param.set_estimate(size);
    estimates[param.name()] = size;
  }
  auto estimate = [&](const Expr &extent) {
    return Internal::simplify(Internal::substitute(estimates, extent));
  };
  for (size_t i = 0; i < program.inputs.size(); ++i)
    for (int d = 0; d < program.inputs[i].dimensions(); ++d)
      program.inputs[i].dim(d).set_estimate(
          0, estimate(program.inputExtents[i][d]));
  for (int id : program.outputs) {
    Stage &stage = program.getStage(id);
    for (size_t d = 0; d < stage.vars.size(); ++d)
      stage.func.set_estimate(stage.vars[d], 0, estimate(stage.extents[d]));
  }
  program.getPipeline().apply_autoscheduler(target, {name});
}

} // namespace attn::halide
