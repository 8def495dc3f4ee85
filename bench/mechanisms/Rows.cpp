//===- Rows.cpp - The mechanisms that are measured ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rows.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>

using namespace mlir;

namespace attn::bench {

//===----------------------------------------------------------------------===//
// Flops
//===----------------------------------------------------------------------===//

// K = V = D: update k v^T and read S^T q are 2 D^2 each, a read to erase too.
// A score and its use in a chunk of C are C D each, for half of the square.
static double one(double d) { return 2 * 16 * d; }
static double two(double d) { return 4 * 16 * d; }
static double four(double d) { return 8 * 16 * d; }
static double none(double) { return 0; }

static const Cost
    kLinear = {"4 D^2", [](double d, double) { return 4 * d * d; }, one},
    kDelta = {"6 D^2", [](double d, double) { return 6 * d * d; }, two},
    kLowRank = {"8 D^2", [](double d, double) { return 8 * d * d; }, four},
    kTwoSteps = {"10 D^2", [](double d, double) { return 10 * d * d; }, four},
    kTwiceKeys = {"8 D^2", [](double d, double) { return 8 * d * d; },
                  [](double d) { return 3 * 16 * d; }},
    kTaylor = {"4 * 273 D", [](double d, double) { return 4 * 273 * d; },
               [](double d) { return 16 * (273 + d); }},
    kHedgehog = {"4 D^2 + 2 D^2", [](double d, double) { return 6 * d * d; },
                 one},
    kFavor = {"4 * 256 D + 4 * 256 D",
              [](double d, double) { return 8 * 256 * d; },
              [](double d) { return 16 * (256 + d); }},
    kSoftmax = {"2 (N + 1) D",
                [](double d, double n) { return 2 * (n + 1) * d; }, none},
    kNonCausal = {"4 D^2", [](double d, double) { return 4 * d * d; }, none},
    kScan = {"2 D", [](double d, double) { return 2 * d; }, none},
    kTwoScans = {"6 D", [](double d, double) { return 6 * d; }, none},
    kStateScan = {"6 * 16 D", [](double d, double) { return 96 * d; }, none};

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static Row makeRow(StringRef name, const Cost &cost,
                   SmallVector<std::pair<StringRef, Draw>> draws = {}) {
  return {name,
          name,
          &cost,
          std::move(draws),
          {{64, 1}},
          /*isCausal=*/true,
          /*hasState=*/true,
          /*tolerance=*/1e-5,
          /*prefix=*/256};
}

static SmallVector<Row> makeRows() {
  using D = Draw;
  SmallVector<Row> rows;
  auto add = [&](auto &&...arguments) -> Row & {
    rows.push_back(makeRow(arguments...));
    return rows.back();
  };
  using Draws = SmallVector<std::pair<StringRef, Draw>>;
  Row &whole = add("linear_noncausal", kNonCausal);
  whole.file = "linear_transformer";
  whole.isCausal = whole.hasState = false;
  add("linear_transformer", kLinear);
  add("retnet", kLinear);
  add("lightning", kLinear, Draws{{"g", D::Decay}});
  add("simple_gla", kLinear, Draws{{"g", D::Decay}});
  add("mamba2", kLinear, Draws{{"delta", D::Step}, {"a", D::LogDecay}});
  add("mlstm_sigmoid", kLinear, Draws{{"f", D::Forget}});
  add("mlstm", kLinear, Draws{{"f", D::Forget}}).tolerance = 1e-4;
  add("gla", kLinear, Draws{{"g", D::Decay}});
  add("hgrn2", kLinear, Draws{{"g", D::Decay}});
  add("rwkv5", kLinear, Draws{{"w", D::LogDecay}});
  add("rwkv6", kLinear, Draws{{"w", D::LogDecay}});
  add("deltanet", kDelta, Draws{{"beta", D::Factor}});
  add("gated_deltanet", kDelta, Draws{{"g", D::Decay}, {"beta", D::Factor}});
  add("comba", kDelta,
      Draws{{"k", D::Unit},
            {"g", D::Decay},
            {"beta", D::Factor},
            {"c", D::Factor},
            {"d", D::Factor}});
  add("kda", kDelta, Draws{{"g", D::Decay}, {"beta", D::Factor}});
  add("gdn2", kDelta,
      Draws{
          {"k", D::Unit}, {"g", D::Decay}, {"b", D::Factor}, {"w", D::Factor}});
  add("predictor", kDelta, Draws{{"g", D::Decay}, {"beta", D::Factor}});
  add("deltaproduct", kTwoSteps,
      Draws{{"k", D::Unit}, {"g", D::Decay}, {"beta", D::Factor}});
  add("rwkv7", kLowRank,
      Draws{{"w", D::Decay}, {"a", D::Unit}, {"b", D::Erase}});
  Row &cosformer = add("cosformer", kTwiceKeys);
  cosformer.sizes.push_back({128, 2});
  cosformer.hasState = false;
  Row &hedgehog = add("hedgehog", kHedgehog);
  hedgehog.sizes.push_back({32, 0.5});
  hedgehog.tolerance = 1e-4;
  add("based", kTaylor).tolerance = 1e-4;
  add("performer", kFavor).tolerance = 1e-4;
  Row &softmax = add("softmax", kSoftmax);
  softmax.hasState = false;
  softmax.tolerance = 1e-4;
  size_t scans = rows.size();
  add("hgrn", kScan, Draws{{"g", D::Decay}});
  add("rwkv4", kTwoScans, Draws{{"w", D::LogDecay}}).tolerance = 1e-4;
  add("mamba1", kStateScan, Draws{{"delta", D::Step}, {"a", D::LogDecay}});
  for (Row &row : MutableArrayRef(rows).drop_front(scans)) {
    row.sizes = {{64, double(kHeads)}};
    row.prefix = 48;
  }
  return rows;
}

llvm::ArrayRef<Row> getRows() {
  static const SmallVector<Row> rows = makeRows();
  return rows;
}

llvm::Expected<const Row *> findRow(StringRef name) {
  for (const Row &row : getRows())
    if (row.name == name)
      return &row;
  return createError("there is no row '" + name + "'");
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

/// The sizes between `tensor<` and `>` by the rule of the row. A leading 1 of
/// several dimensions is the batch.
static std::string resize(StringRef type, const Row &row, const Sizes &sizes) {
  SmallVector<StringRef> parts;
  type.split(parts, 'x');
  SmallVector<std::string> out;
  for (auto [i, part] : llvm::enumerate(parts)) {
    int64_t size;
    std::string text = part.str();
    if (!part.getAsInteger(10, size)) {
      if (i == 0 && size == 1 && parts.size() > 2)
        text = std::to_string(sizes.batch);
      for (auto [written, times] : row.sizes)
        if (size == written)
          text = std::to_string(int64_t(sizes.width * times));
    }
    out.push_back(text);
  }
  return llvm::join(out, "x");
}

/// `text` with each `open` x `close` replaced by `open` rewrite(x) `close`.
static std::string rewrite(StringRef text, StringRef open, char close,
                           llvm::function_ref<std::string(StringRef)> change) {
  std::string out;
  for (size_t at = 0; (at = text.find(open)) != StringRef::npos;) {
    size_t begin = at + open.size(), end = text.find(close, begin);
    out += text.take_front(begin).str() + change(text.slice(begin, end));
    text = text.drop_front(end);
  }
  return out + text.str();
}

static SmallVector<std::string> findNames(StringRef text) {
  SmallVector<std::string> names;
  StringRef signature = text.take_front(text.find(" -> "));
  for (signature = signature.drop_front(signature.find('(')); true;) {
    size_t at = signature.find('%');
    if (at == StringRef::npos)
      return names;
    signature = signature.drop_front(at + 1);
    names.push_back(
        signature.take_until([](char c) { return c == ':'; }).str());
  }
}

int Graph::find(StringRef name) const {
  auto it = llvm::find(names, name);
  return it == names.end() ? -1 : int(it - names.begin());
}

llvm::Expected<Graph> loadGraph(MLIRContext &context, StringRef folder,
                                const Row &row, const Sizes &sizes,
                                bool narrow) {
  std::string path =
      (folder + (row.isCausal ? "/mechanisms/" : "/") + row.file + ".mlir")
          .str();
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return createError("cannot read '" + path +
                       "': " + buffer.getError().message());
  // 1. Comments name sizes too.
  std::string text;
  SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n');
  for (StringRef line : lines)
    if (!line.starts_with("//"))
      text += (line + "\n").str();
  // 2. Other sizes, and what depends on them.
  text = rewrite(text, "tensor<", '>',
                 [&](StringRef type) { return resize(type, row, sizes); });
  text = rewrite(text, " by ", ' ', [&](StringRef scale) {
    if (scale == "0.125")
      return llvm::formatv("{0:e17}", 1 / std::sqrt(double(sizes.width))).str();
    return scale.str();
  });
  text = rewrite(text, "max_len = ", '>', [&](StringRef length) {
    return std::to_string(std::max(sizes.tokens, std::stol(length.str())));
  });
  Graph graph;
  graph.names = findNames(text);
  graph.module = parseSourceString<ModuleOp>(text, &context, path);
  if (!graph.module)
    return createError("'" + path + "' cannot be parsed with other sizes");
  auto function = graph.module->lookupSymbol<func::FuncOp>("main");
  if (!function || function.getNumArguments() != graph.names.size())
    return createError("'" + path + "': expected a function main");
  if (!narrow)
    return graph;
  // 3. 16 bits.
  for (auto [name, argument] :
       llvm::zip(graph.names, function.getArguments())) {
    bool isVector = llvm::StringSwitch<bool>(name)
                        .Cases({"q", "k", "v", "r", "x", "B", "C", "z"}, true)
                        .Default(false);
    if (isVector)
      argument.setType(cast<RankedTensorType>(argument.getType())
                           .clone(BFloat16Type::get(&context)));
  }
  function.setFunctionType(
      FunctionType::get(&context, function.getBody().getArgumentTypes(),
                        function.getResultTypes()));
  return graph;
}

} // namespace attn::bench
