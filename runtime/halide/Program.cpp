//===- Program.cpp - A program as Halide functions ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/halide/Program.h"
#include <cstdlib>
#include <sstream>
#include <stdexcept>

using namespace Halide;

namespace attn::halide {
namespace {

/// Reads one statement after the other.
class Reader {
public:
  explicit Reader(Program &program) : program(program) {}
  void read(const std::string &line);

private:
  /// Words of the statement, from `next` on.
  std::string takeWord();
  int takeId() { return std::stoi(takeWord()); }
  int takeRank();
  Expr takeExpr();
  std::vector<Expr> takeExprs(size_t count);
  std::vector<Expr> takeRest() { return takeExprs(words.size() - next); }

  void makeValue(int id);
  void makeInput(int id);
  void makeTable(int id);
  void makeDomain(int id);
  void makeFunc(int id);
  Expr makeConstant();
  Expr makeLoad();
  void update();
  /// What an expression uses: `uses` of its operands.
  void define(int id, Expr value);

  /// The domains and functions that a value is made of.
  struct Uses {
    std::set<int> domains, funcs;
    void add(const Uses &other) {
      domains.insert(other.domains.begin(), other.domains.end());
      funcs.insert(other.funcs.begin(), other.funcs.end());
    }
  };

  Program &program;
  std::vector<std::string> words;
  size_t next = 0;
  std::map<int, Expr> exprs;
  std::map<int, Uses> uses;
  Uses current;
  std::map<int, Var> vars;
  std::map<int, size_t> inputs;
  std::map<int, Buffer<>> tables;
  std::map<int, RDom> domains;
};

} // namespace

std::string Reader::takeWord() {
  if (next >= words.size())
    throw std::runtime_error("a statement ends early");
  return words[next++];
}

int Reader::takeRank() {
  int rank = takeId();
  if (rank < 0 || rank > 32)
    throw std::runtime_error("a rank of " + std::to_string(rank));
  return rank;
}

Expr Reader::takeExpr() {
  int id = takeId();
  auto found = exprs.find(id);
  if (found == exprs.end())
    throw std::runtime_error(std::to_string(id) + " is not a value");
  current.add(uses[id]);
  return found->second;
}

std::vector<Expr> Reader::takeExprs(size_t count) {
  std::vector<Expr> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(takeExpr());
  return values;
}

void Reader::define(int id, Expr value) {
  exprs[id] = std::move(value);
  uses[id] = current;
}

Expr Reader::makeConstant() {
  Type type = getType(takeWord());
  std::string text = takeWord();
  if (type.is_float())
    return Internal::make_const(type, std::strtod(text.c_str(), nullptr));
  int64_t value = std::strtoll(text.c_str(), nullptr, 10);
  if (type.is_bool())
    return Internal::make_bool(value != 0);
  return Internal::make_const(type, value);
}

/// An empty array of a call stands for one of one element.
static bool isPositiveConstant(const Expr &extent) {
  return Internal::as_const_int(extent).value_or(0) > 0;
}

void Reader::makeInput(int id) {
  Type type = getType(takeWord());
  int rank = takeRank();
  ImageParam input(type, rank, "in" + std::to_string(program.inputs.size()));
  for (int i = 0; i < rank; ++i)
    input.dim(i).set_min(0).set_stride(i == 0 ? Expr(1) : Expr());
  inputs[id] = program.inputs.size();
  program.inputExtents.push_back(takeExprs(rank));
  for (int i = 0; i < rank; ++i)
    if (const Expr &extent = program.inputExtents.back()[i];
        isPositiveConstant(extent))
      input.dim(i).set_extent(extent);
  program.inputs.push_back(input);
}

void Reader::makeTable(int id) {
  Type type = getType(takeWord());
  std::vector<int> sizes;
  for (int i = 0, rank = takeRank(); i < rank; ++i)
    sizes.push_back(std::stoi(takeWord()));
  if (type != Float(32) && type != Float(64))
    throw std::runtime_error("a table of a kind without a table");
  Buffer<> table(type, sizes, "table" + std::to_string(id));
  for (size_t i = 0; i < table.number_of_elements(); ++i) {
    double number = std::strtod(takeWord().c_str(), nullptr);
    if (type == Float(32))
      static_cast<float *>(table.data())[i] = number;
    else
      static_cast<double *>(table.data())[i] = number;
  }
  tables.emplace(id, table);
}

void Reader::makeDomain(int id) {
  std::vector<Expr> extents = takeExprs(takeRank());
  Region loops;
  for (const Expr &extent : extents)
    loops.push_back(
        {0, Internal::as_const_int(extent) ? extent : max(extent, 1)});
  RDom domain(loops, "r" + std::to_string(id));
  // Indices of an empty loop are within what has one element.
  for (size_t i = 0; i < extents.size(); ++i)
    if (!Internal::as_const_int(extents[i]))
      domain.where(domain[i] < extents[i]);
  domains.emplace(id, domain);
}

Expr Reader::makeLoad() {
  int source = takeId();
  std::vector<Expr> indices = takeRest();
  auto table = tables.find(source);
  if (table != tables.end()) {
    for (size_t i = 0; i < indices.size(); ++i)
      indices[i] =
          clamp(indices[i], 0, table->second.dim(static_cast<int>(i)).max());
    return table->second(indices);
  }
  auto input = inputs.find(source);
  if (input == inputs.end()) {
    current.funcs.insert(source);
    return program.getStage(source).func(indices);
  }
  const std::vector<Expr> &extents = program.inputExtents[input->second];
  if (indices.size() != extents.size())
    throw std::runtime_error("a load has too many or too few indices");
  // What is computed beyond the end of a function, in whole tiles, reads here.
  for (size_t i = 0; i < indices.size(); ++i)
    indices[i] = clamp(indices[i], 0, max(extents[i] - 1, 0));
  return program.inputs[input->second](indices);
}

void Reader::makeFunc(int id) {
  Stage stage;
  stage.id = id;
  Type type = getType(takeWord());
  int rank = takeRank();
  for (int i = 0; i < rank; ++i)
    stage.vars.push_back(vars.at(takeId()));
  stage.extents = takeExprs(rank);
  current = Uses();
  Expr value = takeExpr();
  stage.func = Func(type, rank, "f" + std::to_string(id));
  stage.func(stage.vars) = value;
  stage.reads = current.funcs;
  program.stages.push_back(std::move(stage));
}

void Reader::update() {
  Stage &stage = program.getStage(takeId());
  std::vector<Expr> indices = takeExprs(stage.vars.size());
  Expr value = takeExpr();
  stage.func(indices) = value;
  Stage::Update update;
  for (int domain : current.domains)
    for (int i = 0; i < domains.at(domain).dimensions(); ++i)
      update.loops.push_back(domains.at(domain)[i]);
  for (size_t i = 0; i < indices.size(); ++i) {
    const auto *var = indices[i].as<Internal::Variable>();
    update.isPure.push_back(var && var->name == stage.vars[i].name());
  }
  stage.updates.push_back(std::move(update));
  stage.reads.insert(current.funcs.begin(), current.funcs.end());
  stage.reads.erase(stage.id);
}

void Reader::makeValue(int id) {
  std::string word = takeWord();
  if (word == "size") {
    program.sizes.emplace_back("size" + std::to_string(program.sizes.size()));
    define(id, program.sizes.back());
  } else if (word == "input") {
    makeInput(id);
  } else if (word == "table") {
    makeTable(id);
  } else if (word == "var") {
    vars.emplace(id, Var("x" + std::to_string(id)));
    define(id, vars.at(id));
  } else if (word == "domain") {
    makeDomain(id);
  } else if (word == "rvar") {
    int domain = takeId(), number = takeRank();
    current.domains.insert(domain);
    program.rvars[id] = domains.at(domain)[number];
    define(id, program.rvars[id]);
  } else if (word == "const") {
    define(id, makeConstant());
  } else if (word == "load") {
    Expr value = makeLoad();
    define(id, value);
  } else if (word == "func") {
    makeFunc(id);
  } else {
    Type type = getType(takeWord());
    Expr value = makeOperation(word, type, takeRest());
    define(id, value);
  }
}

void Reader::read(const std::string &line) {
  std::istringstream stream(line);
  words.assign(std::istream_iterator<std::string>(stream), {});
  next = 0;
  current = Uses();
  if (words.empty())
    return;
  std::string first = takeWord();
  if (next < words.size() && words[next] == "=") {
    ++next;
    makeValue(std::stoi(first));
  } else if (first == "update") {
    update();
  } else if (first == "where") {
    int domain = takeId();
    domains.at(domain).where(takeExpr());
  } else if (first == "schedule") {
    Stage &stage = program.getStage(takeId());
    while (next < words.size())
      stage.hints.push_back(takeWord());
  } else if (first == "output") {
    program.outputs.push_back(takeId());
    Stage &stage = program.getStage(program.outputs.back());
    stage.isOutput = true;
    for (size_t i = 0; i < stage.extents.size(); ++i) {
      auto dim = stage.func.output_buffer().dim(i);
      if (isPositiveConstant(stage.extents[i]))
        dim.set_bounds(0, stage.extents[i]);
      else
        dim.set_min(0);
    }
  } else {
    throw std::runtime_error("unknown statement '" + first + "'");
  }
}

Program Program::read(const char *text) {
  Program program;
  Reader reader(program);
  std::istringstream stream(text);
  unsigned number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    try {
      reader.read(line);
    } catch (const Halide::Error &) {
      throw;
    } catch (const std::exception &error) {
      throw std::runtime_error("line " + std::to_string(number) + ", '" + line +
                               "': " + error.what());
    }
  }
  return program;
}

Stage &Program::getStage(int id) {
  // Most uses are of what was made last.
  for (size_t i = stages.size(); i-- > 0;)
    if (stages[i].id == id)
      return stages[i];
  throw std::runtime_error(std::to_string(id) + " is not a function");
}

std::vector<Argument> Program::getArguments() const {
  std::vector<Argument> arguments;
  for (const Param<int32_t> &size : sizes)
    arguments.push_back(size);
  for (const ImageParam &input : inputs)
    arguments.push_back(input);
  return arguments;
}

Pipeline Program::getPipeline() {
  std::vector<Func> funcs;
  for (int id : outputs)
    funcs.push_back(getStage(id).func);
  return Pipeline(funcs);
}

} // namespace attn::halide
