//===- Placement.cpp - Where the functions are computed
//--------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Placement.h"
#include <algorithm>
#include <stdexcept>

namespace attn::halide {
namespace {

class Placement {
public:
  explicit Placement(Program &program) : program(program) {}
  std::vector<Root> run();

private:
  bool isInline(const Stage &stage) const {
    return stage.hints.empty() && !stage.isOutput;
  }
  bool isRoot(const Stage &stage) const {
    return stage.isOutput || hasHint(stage, "root") || hasHint(stage, "steps");
  }
  std::set<int> getReaders(int id) const;
  int findHome(const Stage &stage) const;

  Program &program;
  std::map<int, std::set<int>> readers;
  /// The stage whose root computes a stage.
  std::map<int, int> homes;
};

} // namespace

bool hasHint(const Stage &stage, const char *hint) {
  return !stage.hints.empty() && stage.hints.front() == hint;
}

bool Root::hasTiles() const {
  return std::any_of(members.begin(), members.end(), [](const Stage *member) {
    return hasHint(*member, "tile");
  });
}

/// The readers, and of those that are computed where they are read, theirs.
std::set<int> Placement::getReaders(int id) const {
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

int Placement::findHome(const Stage &stage) const {
  std::set<int> all = getReaders(stage.id);
  if (hasHint(stage, "tile")) {
    std::set<int> where;
    for (int reader : all)
      where.insert(homes.at(reader));
    if (where.size() == 1)
      return *where.begin();
    throw std::runtime_error("a tile is read in more than one place");
  }
  if (all.size() == 1) {
    const Stage &reader = program.getStage(*all.begin());
    if (isRoot(reader) && reader.updates.empty() &&
        reader.vars.size() == stage.vars.size() && stage.vars.size() > 1)
      return reader.id;
  }
  return stage.id;
}

std::vector<Root> Placement::run() {
  for (const Stage &stage : program.stages)
    for (int read : stage.reads)
      readers[read].insert(stage.id);
  std::vector<Root> roots;
  std::map<int, size_t> rootOf;
  for (size_t i = program.stages.size(); i-- > 0;) {
    Stage &stage = program.stages[i];
    if (isInline(stage))
      continue;
    int home = isRoot(stage) ? stage.id : findHome(stage);
    homes[stage.id] = home;
    if (home == stage.id) {
      rootOf[stage.id] = roots.size();
      roots.emplace_back();
      roots.back().stage = &stage;
      roots.back().isCopy = !isRoot(stage);
      if (roots.back().isCopy)
        roots.back().members.push_back(&stage);
    } else {
      roots[rootOf.at(home)].members.push_back(&stage);
    }
  }
  return roots;
}

std::vector<Root> placeStages(Program &program) {
  return Placement(program).run();
}

} // namespace attn::halide
