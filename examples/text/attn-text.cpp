//===- attn-text.cpp - Linear and softmax attention over a whole text -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LogLogPlot.h"
#include "Memory.h"
#include "TextEmbedding.h"
#include "dialect/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "passes/algebra/Explain.h"
#include "runtime/engine/Engine.h"
#include "runtime/engine/GraphContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"
#include <chrono>
#include <cmath>
#include <map>
#include <set>

using namespace mlir;
using namespace ::attn;
using namespace ::attn::text;
namespace cl = llvm::cl;

static cl::OptionCategory category("attn-text options");
static cl::opt<std::string> textPath(cl::Positional, cl::desc("[text]"),
                                     cl::cat(category));
static cl::opt<std::string>
    folder("folder",
           cl::desc("Where linear.mlir, softmax.mlir and opticks.txt "
                    "lie (default: the current folder)"),
           cl::init("."), cl::cat(category));
static cl::opt<int64_t> maxBytes("bytes",
                                 cl::desc("Take only the first N bytes"),
                                 cl::value_desc("N"), cl::init(0),
                                 cl::cat(category));
static cl::opt<int64_t>
    prefixLength("prefix",
                 cl::desc("Tokens that are compared with the f64 reference"),
                 cl::init(1024), cl::cat(category));
static cl::opt<double>
    budget("budget", cl::desc("Seconds that each graph of O(N^2) may take"),
           cl::init(15), cl::cat(category));
static cl::list<std::string>
    prompts("prompt",
            cl::desc("Words whose continuation is looked up; may be "
                     "given several times"),
            cl::cat(category));

/// What the reference must be met by, ||a - b|| / ||b||.
static constexpr double Tolerance = 1e-5;
static constexpr int64_t ShortestLength = 64;

static llvm::ExitOnError exitOnError("error: ");

[[noreturn]] static void fail(const llvm::Twine &message) {
  llvm::WithColor::error() << message << '\n';
  exit(1);
}

//===----------------------------------------------------------------------===//
// Input
//===----------------------------------------------------------------------===//

static std::unique_ptr<llvm::MemoryBuffer> readText(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    fail("cannot read '" + path + "': " + buffer.getError().message());
  if ((*buffer)->getBufferSize() == 0)
    fail("'" + path + "' is empty");
  return std::move(*buffer);
}

namespace {
/// A graph `(q, k, v) -> o` on `[heads, tokens, width]`, and its kernels.
struct Graph {
  std::string name;
  OwningOpRef<ModuleOp> module;
  int64_t numHeads, width;
  std::unique_ptr<Callable> kernel;
};
} // namespace

static Graph loadGraph(MLIRContext &context, llvm::StringRef name,
                       llvm::StringRef file, bool keepOrder = false) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  Graph graph{name.str(), parseSourceFile<ModuleOp>(path, &context), 0, 0, {}};
  if (!graph.module)
    fail("cannot read the graph '" + path + "'");
  auto function = graph.module->lookupSymbol<func::FuncOp>("main");
  auto isSequence = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() == 3 && tensor.getElementType().isF32() &&
           !tensor.isDynamicDim(0) && tensor.isDynamicDim(1) &&
           !tensor.isDynamicDim(2);
  };
  if (!function || function.getNumArguments() != 3 ||
      function.getNumResults() != 1 ||
      !llvm::all_of(function.getArgumentTypes(), isSequence))
    fail("'" + path + "' has no function main(q, k, v) on tensor<HxNxDxf32>, " +
         "with N dynamic");
  auto type = cast<RankedTensorType>(function.getArgumentTypes().front());
  graph.numHeads = type.getDimSize(0);
  graph.width = type.getDimSize(2);
  CpuEngineOptions options;
  options.keepOrder = keepOrder;
  graph.kernel =
      exitOnError(createCpuEngine(options)->compile(*graph.module, "main"));
  return graph;
}

//===----------------------------------------------------------------------===//
// Measurements
//===----------------------------------------------------------------------===//

static double getSeconds(llvm::function_ref<void()> work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

static double runOnce(const Graph &graph, const Embedding &input) {
  return getSeconds([&] {
    exitOnError(graph.kernel->call({input.queries, input.keys, input.values}));
  });
}

/// The median of three calls if they take 3 s, of nine if they take 0.2 s, else
/// of fewer.
static double measure(const Graph &graph, const Embedding &input) {
  llvm::SmallVector<double> times;
  double total = 0;
  do {
    times.push_back(runOnce(graph, input));
    total += times.back();
  } while (times.size() < 9 && total < (times.size() < 3 ? 3 : 0.2));
  llvm::sort(times);
  return times[times.size() / 2];
}

/// ||kernel - reference|| / ||reference|| on the first tokens of the text.
static double getPrefixError(const Graph &graph, const Embedding &prefix) {
  Array arguments[] = {prefix.queries, prefix.keys, prefix.values};
  auto reference =
      exitOnError(createReferenceEngine()->compile(*graph.module, "main"));
  auto expected = exitOnError(reference->call(arguments));
  auto actual = exitOnError(graph.kernel->call(arguments));
  return exitOnError(getRelativeError(actual.front(), expected.front()));
}

namespace {
/// One graph's times over the number of tokens.
struct Series {
  const Graph &graph;
  char mark;
  /// Seconds by number of tokens.
  std::map<int64_t, double> times;
  double spent = 0;

  bool isMeasured(int64_t length) const { return times.count(length); }
  /// What O(N^2) makes of the last measurement.
  double extrapolate(int64_t length) const {
    auto [last, seconds] = *times.rbegin();
    return seconds * std::pow(double(length) / last, 2);
  }
  double get(int64_t length) const {
    return isMeasured(length) ? times.at(length) : extrapolate(length);
  }
  bool isAffordable(int64_t length) const {
    return times.empty() || spent + extrapolate(length) <= budget;
  }
  void measure(const Embedding &input, int64_t length) {
    times[length] = ::measure(graph, input);
    spent += times[length];
  }
};
} // namespace

/// Where `linear` becomes the faster one, between two lengths at which both
/// were measured: a straight line on logarithmic axes.
static std::string describeCrossover(const Series &linear,
                                     const Series &other) {
  double lastLength = 0, lastRatio = 0;
  for (auto [length, seconds] : other.times) {
    double ratio = std::log(linear.times.at(length) / seconds);
    if (ratio < 0 && lastLength == 0)
      return llvm::formatv("linear attention is faster at every length "
                           "measured, from {0} tokens on",
                           length);
    if (ratio < 0) {
      double part = lastRatio / (lastRatio - ratio);
      double crossing = lastLength * std::pow(length / lastLength, part);
      return llvm::formatv("linear attention is faster from about {0} tokens "
                           "on (measured at {1} and {2})",
                           std::lround(crossing), std::lround(lastLength),
                           length);
    }
    lastLength = length;
    lastRatio = ratio;
  }
  return llvm::formatv("{0} is faster at every length measured",
                       other.graph.name);
}

static void plot(llvm::ArrayRef<Series> all, llvm::ArrayRef<int64_t> lengths) {
  std::vector<Curve> curves;
  Curve extrapolated{'.', "extrapolated as N^2", {}};
  for (const Series &series : all) {
    curves.push_back({series.mark, series.graph.name, {}});
    for (int64_t n : lengths)
      (series.isMeasured(n) ? curves.back() : extrapolated)
          .points.push_back({n, series.get(n)});
  }
  if (!extrapolated.points.empty())
    curves.push_back(extrapolated);
  llvm::outs() << '\n';
  plotLogLog(curves, "tokens", "time", llvm::outs());
}

/// Times all graphs on prefixes of the text, twice as long each time; those
/// that cost O(N^2) until the budget is spent. `linearSeconds` is the time of
/// the first graph on the whole text.
static void measureLengths(const Graph &linear, llvm::ArrayRef<Graph> squares,
                           const TextEmbedding &embedding, llvm::StringRef text,
                           double linearSeconds) {
  int64_t numTokens = text.size();
  llvm::SmallVector<int64_t> lengths;
  for (int64_t n = std::min(ShortestLength, numTokens); n < numTokens; n *= 2)
    lengths.push_back(n);
  lengths.push_back(numTokens);
  std::vector<Series> all = {{linear, 'o', {}}};
  for (auto [graph, mark] : llvm::zip(squares, llvm::StringRef("x+")))
    all.push_back({graph, mark, {}});

  llvm::outs() << "\n   tokens";
  for (const Series &series : all)
    llvm::outs() << llvm::right_justify(series.graph.name, 22);
  llvm::outs() << '\n';
  for (int64_t n : lengths) {
    bool whole = n == numTokens;
    if (whole)
      all[0].times[n] = linearSeconds;
    if (!whole ||
        llvm::any_of(llvm::drop_begin(all), [&](const Series &series) {
          return series.isAffordable(n);
        })) {
      Embedding input = exitOnError(embedding.embed(text, n));
      for (auto [i, series] : llvm::enumerate(all))
        if (i == 0 ? !whole : series.isAffordable(n))
          series.measure(input, n);
    }
    llvm::outs() << llvm::format("%9lld", (long long)n);
    for (const Series &series : all)
      llvm::outs() << llvm::right_justify((series.isMeasured(n) ? "" : "~ ") +
                                              formatSeconds(series.get(n)),
                                          22);
    llvm::outs() << '\n';
    llvm::outs().flush();
  }
  if (!llvm::all_of(all, [&](const Series &series) {
        return series.isMeasured(numTokens);
      }))
    llvm::outs() << llvm::formatv("~ is extrapolated as N^2 after {0} s.\n",
                                  budget.getValue());
  plot(all, lengths);

  llvm::outs() << '\n';
  for (const Series &other : llvm::drop_begin(all)) {
    double ratio = other.get(numTokens) / linearSeconds;
    llvm::outs() << llvm::formatv("Against {0}: {1};\n  ", other.graph.name,
                                  describeCrossover(all[0], other))
                 << llvm::format(ratio < 10 ? "%.1f" : "%.0f", ratio)
                 << llvm::formatv(" times as fast on {0} tokens", numTokens);
    llvm::outs() << (other.isMeasured(numTokens) ? ".\n"
                                                 : " (extrapolated).\n");
  }
}

//===----------------------------------------------------------------------===//
// What attention reads
//===----------------------------------------------------------------------===//

static void printByte(int byte) {
  if (byte == '\n')
    llvm::outs() << "'\\n'";
  else if (byte >= 32 && byte < 127)
    llvm::outs() << "'" << char(byte) << "' ";
  else
    llvm::outs() << llvm::format("\\x%02x", byte);
}

/// For each prompt, the bytes that attention over the whole text reads most:
/// the text's guess at what comes next.
static void showContinuations(llvm::ArrayRef<const Graph *> graphs,
                              const TextEmbedding &embedding,
                              const Embedding &input, llvm::StringRef text) {
  llvm::SmallVector<std::string> words(prompts.begin(), prompts.end());
  Array queries = exitOnError(embedding.embedPrompts(words, text.size()));
  std::set<int> alphabet;
  for (char c : text)
    alphabet.insert(static_cast<unsigned char>(c));
  llvm::outs() << "\nWhat a query reads most after these words, in the whole "
                  "text (weight):\n";
  llvm::SmallVector<Array> outputs;
  for (const Graph *graph : graphs)
    outputs.push_back(exitOnError(
        graph->kernel->call({queries, input.keys, input.values}))[0]);
  for (auto [row, prompt] : llvm::enumerate(words)) {
    llvm::outs() << "  " << llvm::left_justify("\"" + prompt + "\"", 24);
    for (auto [graph, output] : llvm::zip_equal(graphs, outputs)) {
      auto weights = embedding.decode(output, row);
      auto order = llvm::to_vector(alphabet);
      llvm::sort(order, [&](int a, int b) { return weights[a] > weights[b]; });
      llvm::outs() << "  " << graph->name << ":";
      for (int byte : llvm::ArrayRef(order).take_front(3)) {
        llvm::outs() << ' ';
        printByte(byte);
        llvm::outs() << llvm::format("%.2f", weights[byte]);
      }
    }
    llvm::outs() << '\n';
  }
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

/// The orders that the graph's products may take, with as many queries as keys.
static void showPlan(const Graph &graph, int64_t numTokens) {
  auto getSize = [&](llvm::StringRef) { return std::optional(numTokens); };
  llvm::outs() << "Plan of " << graph.name << " attention\n"
               << mlir::attn::explainPlan(*graph.module, "main", getSize)
               << '\n';
}

/// How many tokens fit into memory, with q, k, v and o in f32.
static int64_t limitToMemory(int64_t numTokens, const Graph &graph) {
  constexpr double spare = 300e6;
  double bytesPerToken = 4.0 * sizeof(float) * graph.numHeads * graph.width;
  double available = getAvailableMemory();
  if (available <= 0 || numTokens * bytesPerToken + spare <= available)
    return numTokens;
  int64_t fit = std::max(0.0, (available - spare) / bytesPerToken);
  if (fit < ShortestLength)
    fail(llvm::formatv("{0:f1} GB of memory are too little", available / 1e9));
  llvm::outs() << llvm::formatv(
      "Memory     {0:f1} GB are free: only the first {1} bytes are taken\n",
      available / 1e9, fit);
  return fit;
}

int main(int argc, char **argv) {
  llvm::InitLLVM initLLVM(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Attention over the bytes of a text: linear over all of it, softmax over "
      "as much as is affordable\n");
  if (maxBytes < 0 || prefixLength < 1 || !(budget >= 0))
    fail("--bytes, --prefix and --budget take positive numbers");
  std::string path = textPath;
  if (path.empty()) {
    llvm::SmallString<128> opticks(folder);
    llvm::sys::path::append(opticks, "opticks.txt");
    path = opticks.str();
    if (prompts.empty())
      for (const char *words : {"the Rays of Ligh", "the Angle of Inci",
                                "with the Pris", "most refrangib"})
        prompts.push_back(words);
  }
  auto buffer = readText(path);
  llvm::StringRef text = buffer->getBuffer();

  std::unique_ptr<MLIRContext> context = createGraphContext();
  Graph linear = loadGraph(*context, "linear", "linear.mlir");
  std::vector<Graph> squares;
  squares.push_back(loadGraph(*context, "softmax", "softmax.mlir"));
  squares.push_back(loadGraph(*context, "linear, as written", "linear.mlir",
                              /*keepOrder=*/true));
  const Graph &softmax = squares.front();
  if (linear.numHeads != softmax.numHeads || linear.width != softmax.width)
    fail("linear.mlir and softmax.mlir differ in heads or width");

  if (maxBytes > 0)
    text = text.take_front(maxBytes);
  text = text.take_front(limitToMemory(text.size(), linear));
  int64_t numTokens = text.size();
  if (prompts.empty())
    prompts.push_back(text.take_back(16).str());
  TextEmbedding embedding =
      exitOnError(TextEmbedding::create(linear.numHeads, linear.width));

  showPlan(linear, numTokens);
  showPlan(softmax, numTokens);

  Embedding prefix = exitOnError(
      embedding.embed(text, std::min<int64_t>(prefixLength, numTokens)));
  double errors[] = {getPrefixError(linear, prefix),
                     getPrefixError(softmax, prefix)};
  prefix = {};

  resetPeakMemory();
  double peakBefore = getPeakMemory();
  double linearSeconds;
  {
    Embedding input;
    double embedSeconds = getSeconds(
        [&] { input = exitOnError(embedding.embed(text, numTokens)); });
    llvm::outs() << llvm::formatv(
        "Text       {0}, {1} bytes; q, k, v of {2} x {1} x {3} in {4}\n",
        llvm::sys::path::filename(path), numTokens, linear.numHeads,
        linear.width, formatSeconds(embedSeconds));
    linearSeconds = measure(linear, input);
    double dataBytes =
        4.0 * sizeof(float) * linear.numHeads * linear.width * numTokens;
    llvm::outs() << llvm::formatv(
        "Linear     attention over all of it in {0}\n",
        formatSeconds(linearSeconds));
    llvm::outs() << llvm::formatv(
        "Memory     {0:f0} MB at the peak: {1:f0} MB before, inputs and output "
        "are {2:f0} MB\n",
        getPeakMemory() / 1e6, peakBefore / 1e6, dataBytes / 1e6);
    llvm::outs() << llvm::format(
        "Error      linear %.1e, softmax %.1e, against f64 on the first %lld "
        "tokens\n",
        errors[0], errors[1],
        (long long)std::min<int64_t>(prefixLength, numTokens));
    llvm::outs().flush();
    showContinuations({&softmax, &linear}, embedding, input, text);
  }
  measureLengths(linear, squares, embedding, text, linearSeconds);

  // Written so that a NaN fails too.
  if (!(errors[0] <= Tolerance && errors[1] <= Tolerance))
    fail("the error against the f64 reference is above 1e-5");
  return 0;
}
