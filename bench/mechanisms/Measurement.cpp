//===- Measurement.cpp - A row beside its peers ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measurement.h"
#include "Case.h"
#include "Peaks.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Engine.h"
#include "tools/attn-run/Measure.h"
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

class Measurement {
public:
  Measurement(MLIRContext &context, const MeasurementOptions &options)
      : context(context), options(options), row(*options.row) {}

  llvm::Expected<json::Object> run(ArrayRef<std::unique_ptr<Peer>> peers);

private:
  llvm::Error addOurs(const Case &problem, StringRef type);
  llvm::Error addPeer(const Peer &peer);
  llvm::Expected<std::unique_ptr<Callable>> compile(const Graph &graph,
                                                    Form form) const;
  llvm::Error addRecurrent();
  llvm::Error time(json::Object &result);

  MLIRContext &context;
  const MeasurementOptions &options;
  const Row &row;
  Case wide;
  std::optional<Case> narrow;
  /// Ours in f32, to compare all tokens of the others with.
  Array whole;
  SmallVector<Array> states;
  SmallVector<Candidate> candidates;
  bool hasPeer = false;
};

} // namespace

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

llvm::Error Measurement::addOurs(const Case &problem, StringRef type) {
  using Clock = std::chrono::steady_clock;
  Candidate candidate;
  candidate.entry = json::Object{{"name", "ours"}, {"type", type}};
  // 1. States in place, if tokens come one by one.
  Graph stepGraph;
  const Graph *compiled = &problem.graph;
  if (options.decodes) {
    auto exposed = exposeStates(problem.graph, problem.sets[0], states);
    if (!exposed)
      return exposed.takeError();
    stepGraph = std::move(*exposed);
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
    auto call = [&] { return callable->call(problem.sets[0]).takeError(); };
    if (llvm::Error error = tool::measurePeakMemory(call, peak))
      return error;
    if (peak)
      candidate.entry["peak_bytes"] = *peak;
  }
  mallopt(M_PERTURB, 0x80);
  auto output =
      problem.collect([&](ArrayRef<Array> piece, Array &result) -> llvm::Error {
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
  if (llvm::Error error =
          problem.check(*output, whole.getData() ? &whole : nullptr,
                        isNarrow ? 1e-2 : row.tolerance, candidate.entry))
    return error;
  if (!isNarrow)
    whole = *output;

  // 3. What is timed.
  auto arguments = std::make_shared<InputSets>(problem.sets);
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
  auto callable = compile(wide.graph, Form::Recurrent);
  if (!callable)
    return callable.takeError();
  auto results = (*callable)->call(wide.sets[0]);
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
  Problem problem = {row, options.sizes, wide.graph, options.threads,
                     options.decodes};
  if (options.decodes)
    problem.sizes.tokens = 1;
  if (!peer.serves(problem))
    return llvm::Error::success();
  omp_set_num_threads(options.threads);
  auto prepared = peer.prepare(problem, wide.sets[0]);
  if (!prepared)
    return prepared.takeError();
  if (!*prepared)
    return llvm::Error::success();
  std::shared_ptr<Prepared> run = std::move(*prepared);
  auto output =
      wide.collect([&](ArrayRef<Array> piece, Array &result) -> llvm::Error {
        if (llvm::Error error = run->run(piece, result))
          return error;
        return run->collect(result);
      });
  if (!output)
    return output.takeError();
  Candidate candidate;
  candidate.entry = json::Object{
      {"name", peer.getName()}, {"type", "f32"}, {"choice", run->getChoice()}};
  if (llvm::Error error =
          wide.check(*output, whole.getData() ? &whole : nullptr, row.tolerance,
                     candidate.entry))
    return error;
  hasPeer = true;
  auto result =
      options.decodes ? createOutput(wide.graph, 1) : std::move(output);
  if (!result)
    return result.takeError();
  candidate.action = [this, run, target = *result, i = size_t(0)]() mutable {
    omp_set_num_threads(options.threads);
    return run->run(wide.sets[i++ % wide.sets.size()], target);
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
  auto created = Case::create(context, options);
  if (!created)
    return created.takeError();
  wide = std::move(*created);
  if (options.narrow && !options.decodes) {
    auto narrowed = wide.narrow(context);
    if (!narrowed)
      return narrowed.takeError();
    narrow = std::move(*narrowed);
  }
  json::Array entries;
  auto attempt = [&](StringRef name, StringRef type, llvm::Error error) {
    if (error)
      entries.push_back(
          json::Object{{"name", name.str()},
                       {"type", type},
                       {"error", llvm::toString(std::move(error))}});
  };
  attempt("ours", "f32", addOurs(wide, "f32"));
  if (narrow)
    attempt("ours", "bf16", addOurs(*narrow, "bf16"));
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
      {"checked_tokens", options.getCheckedTokens()},
      {"io_bytes",
       options.decodes ? 0 : getBytes(wide.sets[0]) + getBytes(whole)},
      {"narrow_io_bytes",
       narrow ? getBytes(narrow->sets[0]) + getBytes(whole) : 0},
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
