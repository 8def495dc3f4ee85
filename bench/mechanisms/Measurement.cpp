//===- Measurement.cpp - A row beside its peers ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measurement.h"
#include "Inputs.h"
#include "Peaks.h"
#include "bench/RowOracle.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Engine.h"
#include "tools/attn-run/Measure.h"
#include "tools/attn-run/Stream.h"
#include <chrono>
#include <malloc.h>
#include <omp.h>

using namespace mlir;
namespace json = llvm::json;

namespace attn::bench {
namespace {

/// What is timed: ours or a peer.
struct Candidate {
  json::Object entry;
  Action action;
};

/// The arguments of a graph, several times over: no call finds those of the
/// call before.
using InputSets = SmallVector<SmallVector<Array>>;

class Measurement {
public:
  Measurement(MLIRContext &context, const MeasurementOptions &options)
      : context(context), options(options), row(*options.row) {}

  llvm::Expected<json::Object> run(ArrayRef<std::unique_ptr<Peer>> peers);

private:
  llvm::Error prepareInputs();
  llvm::Error addOurs(const Graph &graph, const InputSets &sets,
                      const Array *expected, StringRef type);
  llvm::Error addPeer(const Peer &peer);
  llvm::Expected<std::unique_ptr<Callable>> compile(const Graph &graph,
                                                    Form form) const;
  /// Runs `call` on each piece of the checked tokens, or on all tokens.
  using Call =
      llvm::function_ref<llvm::Error(ArrayRef<Array> inputs, Array &output)>;
  llvm::Expected<Array> collect(const InputSets &sets, Call call) const;
  llvm::Error check(const Array &output, const Array *expected,
                    double tolerance, json::Object &entry);
  llvm::Error addRecurrent();
  llvm::Error time(json::Object &result);

  int64_t getCheckedTokens() const {
    int64_t tokens = std::min(row.prefix, options.prefix);
    // Decoding does them one by one.
    return options.decodes ? std::min<int64_t>(tokens, 32)
                           : std::min(tokens, options.sizes.tokens);
  }

  MLIRContext &context;
  const MeasurementOptions &options;
  const Row &row;
  Graph graph, narrowGraph;
  /// Whole arguments, or tokens one by one.
  InputSets sets, narrowSets;
  Array expected, narrowExpected;
  /// Ours in f32, to compare all tokens of the others with.
  Array whole;
  SmallVector<Array> states;
  SmallVector<Candidate> candidates;
  bool hasPeer = false;
};

} // namespace

//===----------------------------------------------------------------------===//
// Inputs, and what is expected
//===----------------------------------------------------------------------===//

llvm::Error Measurement::prepareInputs() {
  auto load = [&](bool narrow) {
    return loadGraph(context, options.folder, row, options.sizes, narrow);
  };
  auto loaded = load(false);
  if (!loaded)
    return loaded.takeError();
  graph = std::move(*loaded);
  int64_t checked = getCheckedTokens();
  if (options.decodes) {
    auto inputs = drawInputs(row, graph, checked, options.seed);
    if (!inputs)
      return inputs.takeError();
    for (int64_t token = 0; token < checked; ++token) {
      auto piece = cutInputs(*inputs, graph, token, 1);
      if (!piece)
        return piece.takeError();
      sets.push_back(std::move(*piece));
    }
    auto exact = evaluatePrefix(graph, *inputs, checked);
    if (!exact)
      return exact.takeError();
    expected = std::move(*exact);
    return llvm::Error::success();
  }

  for (uint64_t i = 0; i < options.inputSets; ++i) {
    auto inputs =
        drawInputs(row, graph, options.sizes.tokens, options.seed + i);
    if (!inputs)
      return inputs.takeError();
    sets.push_back(std::move(*inputs));
  }
  auto evaluate = [&](const Graph &of, ArrayRef<Array> inputs,
                      Array &result) -> llvm::Error {
    if (!row.isCausal)
      return llvm::Error::success();
    auto exact = evaluatePrefix(of, inputs, checked);
    if (!exact)
      return exact.takeError();
    result = std::move(*exact);
    return llvm::Error::success();
  };
  if (llvm::Error error = evaluate(graph, sets[0], expected))
    return error;
  if (!options.narrow)
    return llvm::Error::success();
  auto narrowed = load(true);
  if (!narrowed)
    return narrowed.takeError();
  narrowGraph = std::move(*narrowed);
  for (const SmallVector<Array> &inputs : sets) {
    auto converted = convertInputs(inputs, narrowGraph);
    if (!converted)
      return converted.takeError();
    narrowSets.push_back(std::move(*converted));
  }
  return evaluate(narrowGraph, narrowSets[0], narrowExpected);
}

llvm::Expected<Array> Measurement::collect(const InputSets &inputs,
                                           Call call) const {
  if (!options.decodes) {
    auto output = createOutput(graph, options.sizes.tokens);
    if (!output)
      return output;
    poison(*output);
    if (llvm::Error error = call(inputs[0], *output))
      return std::move(error);
    return output;
  }
  auto all = createOutput(graph, inputs.size());
  auto output = createOutput(graph, 1);
  if (!all || !output)
    return llvm::joinErrors(all.takeError(), output.takeError());
  for (auto [token, piece] : llvm::enumerate(inputs)) {
    poison(*output);
    if (llvm::Error error = call(piece, *output))
      return std::move(error);
    placeOutput(*output, *all, graph, token);
  }
  return all;
}

/// The relative error of the first tokens, and of all tokens to ours.
llvm::Error Measurement::check(const Array &output, const Array *exact,
                               double tolerance, json::Object &entry) {
  double error;
  if (exact) {
    auto prefix = cutOutput(output, graph, 0, getCheckedTokens());
    if (!prefix)
      return prefix.takeError();
    auto relative = getRelativeError(*prefix, *exact);
    if (!relative)
      return relative.takeError();
    error = *relative;
  } else {
    error = getRowError(sets[0], output, /*count=*/16);
  }
  entry["rel_err"] = error;
  bool isRight = error <= tolerance;
  if (whole.getData() && !options.decodes) {
    auto relative = getRelativeError(output, whole);
    if (!relative)
      return relative.takeError();
    entry["rel_err_to_ours"] = *relative;
    isRight &= *relative <= 2 * tolerance;
  }
  if (!isRight)
    entry["error"] = llvm::formatv("wrong: relative error {0:e2}", error).str();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Ours
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<Callable>>
Measurement::compile(const Graph &of, Form form) const {
  CpuEngineOptions engine;
  engine.threads = options.threads;
  engine.form = form;
  return createCpuEngine(engine)->compile(*of.module, "main");
}

llvm::Error Measurement::addOurs(const Graph &of, const InputSets &inputs,
                                 const Array *exact, StringRef type) {
  using Clock = std::chrono::steady_clock;
  Candidate candidate;
  candidate.entry = json::Object{{"name", "ours"}, {"type", type}};
  // 1. States in place, if tokens come one by one.
  Graph stepGraph;
  const Graph *compiled = &of;
  if (options.decodes) {
    stepGraph.module = ModuleOp(*of.module).clone();
    auto function = stepGraph.module->lookupSymbol<func::FuncOp>("main");
    auto first = tool::exposeStates(function);
    if (!first)
      return first.takeError();
    auto sizes = tool::FunctionSizes::create(function);
    if (!sizes)
      return sizes.takeError();
    auto made = tool::makeStates(function, *first, *sizes);
    if (!made)
      return made.takeError();
    states = std::move(*made);
    compiled = &stepGraph;
  }
  auto begin = Clock::now();
  auto engine = compile(*compiled, Form::Auto);
  if (!engine)
    return engine.takeError();
  candidate.entry["compile_s"] =
      std::chrono::duration<double>(Clock::now() - begin).count();
  std::shared_ptr<Callable> callable = std::move(*engine);

  // 2. Memory, and the result in memory that was poisoned by malloc.
  if (!options.decodes) {
    std::optional<int64_t> peak;
    auto call = [&] { return callable->call(inputs[0]).takeError(); };
    if (llvm::Error error = tool::measurePeakMemory(call, peak))
      return error;
    if (peak)
      candidate.entry["peak_bytes"] = *peak;
  }
  mallopt(M_PERTURB, 0x80);
  auto output =
      collect(inputs, [&](ArrayRef<Array> piece, Array &result) -> llvm::Error {
        SmallVector<Array> arguments(piece);
        llvm::append_range(arguments, states);
        auto results = callable->call(arguments);
        if (!results)
          return results.takeError();
        auto converted = convert(results->front(), result.getType());
        if (!converted)
          return converted.takeError();
        result = std::move(*converted);
        return llvm::Error::success();
      });
  mallopt(M_PERTURB, 0);
  if (!output)
    return output.takeError();
  bool isNarrow = type != "f32";
  if (llvm::Error error = check(*output, exact, isNarrow ? 1e-2 : row.tolerance,
                                candidate.entry))
    return error;
  if (!isNarrow)
    whole = *output;

  // 3. What is timed.
  auto arguments = std::make_shared<InputSets>(inputs);
  for (SmallVector<Array> &set : *arguments)
    llvm::append_range(set, states);
  candidate.action = [callable, arguments, i = size_t(0)]() mutable {
    return callable->call((*arguments)[i++ % arguments->size()]).takeError();
  };
  candidates.push_back(std::move(candidate));
  return llvm::Error::success();
}

/// The whole result against the recurrent form, where no peer says more.
llvm::Error Measurement::addRecurrent() {
  auto callable = compile(graph, Form::Recurrent);
  if (!callable)
    return callable.takeError();
  auto results = (*callable)->call(sets[0]);
  if (!results)
    return results.takeError();
  auto relative = getRelativeError(whole, results->front());
  if (!relative)
    return relative.takeError();
  json::Object &entry = candidates.front().entry;
  entry["rel_err_to_recurrent"] = *relative;
  if (!(*relative <= 2 * row.tolerance))
    entry["error"] =
        llvm::formatv("differs from the recurrent form by {0:e2}", *relative)
            .str();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Peers
//===----------------------------------------------------------------------===//

llvm::Error Measurement::addPeer(const Peer &peer) {
  Problem problem = {row, options.sizes, graph, options.threads,
                     options.decodes};
  if (options.decodes)
    problem.sizes.tokens = 1;
  if (!peer.serves(problem))
    return llvm::Error::success();
  omp_set_num_threads(options.threads);
  auto prepared = peer.prepare(problem, sets[0]);
  if (!prepared)
    return prepared.takeError();
  if (!*prepared)
    return llvm::Error::success();
  std::shared_ptr<Prepared> run = std::move(*prepared);
  auto output =
      collect(sets, [&](ArrayRef<Array> piece, Array &result) -> llvm::Error {
        if (llvm::Error error = run->run(piece, result))
          return error;
        return run->collect(result);
      });
  if (!output)
    return output.takeError();
  Candidate candidate;
  candidate.entry = json::Object{
      {"name", peer.getName()}, {"type", "f32"}, {"choice", run->getChoice()}};
  if (llvm::Error error = check(*output, row.isCausal ? &expected : nullptr,
                                row.tolerance, candidate.entry))
    return error;
  hasPeer = true;
  auto result = options.decodes ? createOutput(graph, 1) : std::move(output);
  if (!result)
    return result.takeError();
  candidate.action = [this, run, target = *result, i = size_t(0)]() mutable {
    omp_set_num_threads(options.threads);
    return run->run(sets[i++ % sets.size()], target);
  };
  candidates.push_back(std::move(candidate));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

llvm::Error Measurement::time(json::Object &result) {
  // Results in memory that is there already, as peers have it.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  SmallVector<Peak> peaks = {makeFmaPeak(options.threads)};
  if (options.decodes)
    peaks.push_back(makeUpdatePeak(options.threads, getBytes(states)));
  else
    peaks.push_back(makeCopyPeak(options.threads));
  SmallVector<Action> actions;
  for (const Peak &peak : peaks)
    actions.push_back(peak.action);
  for (const Candidate &candidate : candidates)
    actions.push_back(candidate.action);
  auto times = timeInterleaved(actions, options.rounds, options.seconds);
  if (!times)
    return times.takeError();
  json::Object peakRates;
  for (auto [peak, time] : llvm::zip(peaks, *times))
    peakRates[peak.name] = peak.amount / time.min;
  result["peaks"] = std::move(peakRates);
  for (auto [candidate, time] :
       llvm::zip(candidates, ArrayRef(*times).drop_front(peaks.size()))) {
    candidate.entry["median_s"] = time.median;
    candidate.entry["low_s"] = time.low;
    candidate.entry["high_s"] = time.high;
    candidate.entry["min_s"] = time.min;
    candidate.entry["samples"] = time.samples;
  }
  return llvm::Error::success();
}

llvm::Expected<json::Object>
Measurement::run(ArrayRef<std::unique_ptr<Peer>> peers) {
  if (llvm::Error error = prepareInputs())
    return std::move(error);
  json::Array entries;
  auto attempt = [&](StringRef name, StringRef type, llvm::Error error) {
    if (error)
      entries.push_back(
          json::Object{{"name", name.str()},
                       {"type", type},
                       {"error", llvm::toString(std::move(error))}});
  };
  auto getExact = [&](const Array &exact) {
    return row.isCausal ? &exact : nullptr;
  };
  attempt("ours", "f32", addOurs(graph, sets, getExact(expected), "f32"));
  if (options.narrow && !options.decodes)
    attempt("ours", "bf16",
            addOurs(narrowGraph, narrowSets, getExact(narrowExpected), "bf16"));
  for (const std::unique_ptr<Peer> &peer : peers)
    attempt(peer->getName(), "f32", addPeer(*peer));
  if (!hasPeer && whole.getData() && row.hasState && !options.decodes)
    attempt("recurrent form", "f32", addRecurrent());
  json::Object result{
      {"row", row.name},
      {"batch", options.sizes.batch},
      {"tokens", options.decodes ? 1 : options.sizes.tokens},
      {"width", options.sizes.width},
      {"threads", options.threads},
      {"decode", options.decodes},
      {"checked_tokens", getCheckedTokens()},
      {"io_bytes", options.decodes ? 0 : getBytes(sets[0]) + getBytes(whole)},
      {"narrow_io_bytes",
       narrowSets.empty() ? 0 : getBytes(narrowSets[0]) + getBytes(whole)},
      {"state_bytes", getBytes(states)},
      {"formula", row.cost->formula}};
  double heads = options.sizes.batch * kHeads, width = options.sizes.width,
         flops = row.cost->flops(width, options.sizes.tokens);
  result["flops_per_token"] = heads * flops;
  result["bound_flops_per_token"] = heads * (flops + row.cost->triangle(width));
  if (llvm::Error error = time(result))
    return std::move(error);
  for (Candidate &candidate : candidates)
    entries.push_back(std::move(candidate.entry));
  result["entries"] = std::move(entries);
  return result;
}

llvm::Expected<json::Object> measure(MLIRContext &context,
                                     const MeasurementOptions &options,
                                     ArrayRef<std::unique_ptr<Peer>> peers) {
  return Measurement(context, options).run(peers);
}

} // namespace attn::bench
