//===- attn-bench-mechanisms.cpp - One row beside its peers ---------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints one line of JSON, for run.py. A process measures one row at one size.
//
//===----------------------------------------------------------------------===//

#include "Measurement.h"
#include "dialect/Attn.h"
#include "runtime/array/Error.h"
#include "runtime/engine/GraphContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include <omp.h>

using namespace mlir;
using namespace ::attn;
using namespace ::attn::bench;
namespace cl = llvm::cl;
namespace json = llvm::json;

static cl::OptionCategory category("attn-bench-mechanisms options");
static cl::opt<std::string> rowName(cl::Positional, cl::desc("ROW"),
                                    cl::cat(category));
static cl::opt<bool> lists("list", cl::cat(category),
                           cl::desc("Print the rows and their flops"));
static cl::opt<std::string> folder("examples", cl::value_desc("folder"),
                                   cl::cat(category),
                                   cl::desc("Where the graphs are"));
static cl::opt<int64_t> width("width", cl::init(64), cl::cat(category),
                              cl::desc("D, of keys and values"));
static cl::opt<int64_t> tokens("tokens", cl::init(4096), cl::cat(category),
                               cl::desc("N"));
static cl::opt<int64_t> batch("batch", cl::init(1), cl::cat(category),
                              cl::desc("Sequences"));
static cl::opt<int> threads("thread-count", cl::init(1), cl::cat(category),
                            cl::desc("0: as OpenMP says"));
static cl::opt<bool> decodes("decode", cl::cat(category),
                             cl::desc("One token a call, the state in place"));
static cl::opt<bool>
    narrow("bf16", cl::cat(category),
           cl::desc("Measure inputs of 16 bits beside those of 32"));
static cl::list<std::string>
    peerNames("peers", cl::CommaSeparated, cl::cat(category),
              cl::desc("The peers that run; by default all but halide and "
                       "halide-Mullapudi2016"));
static cl::list<std::string> processes("process",
                                       cl::value_desc("name=command"),
                                       cl::cat(category),
                                       cl::desc("A peer of another process"));
static cl::opt<unsigned> rounds("rounds", cl::init(101), cl::cat(category),
                                cl::desc("At most so many samples of each"));
static cl::opt<double> seconds("seconds", cl::init(3), cl::cat(category),
                               cl::desc("No round begins after this time"));
static cl::opt<int64_t> prefix("prefix", cl::init(256), cl::cat(category),
                               cl::desc("Tokens that are compared with f64, at "
                                        "most"));
static cl::opt<uint64_t> seed("seed", cl::init(1), cl::cat(category),
                              cl::desc("Of the inputs"));

static cl::opt<unsigned> inputSets("input-sets", cl::init(2), cl::cat(category),
                                   cl::desc("Sets of inputs that take turns"));

static void listRows() {
  json::Array rows;
  for (const Row &row : getRows())
    rows.push_back(json::Object{
        {"row", row.name},
        {"formula", row.cost->formula},
        {"causal", row.isCausal},
        {"decodes", row.hasState},
        {"flops_64", row.cost->flops(64, 4096)},
        {"bound_flops_64", row.cost->flops(64, 4096) + row.cost->triangle(64)},
    });
  llvm::outs() << json::Value(std::move(rows)) << '\n';
}

static llvm::Error run() {
  if (lists) {
    listRows();
    return llvm::Error::success();
  }
  if (width < 1 || tokens < 1 || batch < 1 || rounds < 1 || inputSets < 1 ||
      prefix < 1)
    return createError("sizes, --rounds and --input-sets: expected 1 or more");
  auto row = findRow(rowName);
  if (!row)
    return row.takeError();
  if (decodes && !(*row)->hasState)
    return createError("'" + rowName + "' has no state to decode with");
  SmallVector<std::unique_ptr<Peer>> peers;
  // What Halide compiles for each row takes seconds: it is asked for by name.
  for (StringRef autoscheduler : {"", "Mullapudi2016"})
    if (auto peer = createHalidePeer(autoscheduler);
        llvm::is_contained(peerNames, peer->getName()))
      peers.push_back(std::move(peer));
  for (std::unique_ptr<Peer> &peer : createPeers())
    if (peerNames.empty() || llvm::is_contained(peerNames, peer->getName()))
      peers.push_back(std::move(peer));
  for (const std::string &text : processes) {
    auto [name, command] = StringRef(text).split('=');
    peers.push_back(createProcessPeer(name, command));
  }
  std::unique_ptr<MLIRContext> context = createGraphContext();
  MeasurementOptions options;
  options.row = *row;
  options.sizes = {batch, tokens, width};
  options.threads = threads > 0 ? int(threads) : omp_get_max_threads();
  options.decodes = decodes;
  options.narrow = narrow;
  options.folder = folder;
  options.rounds = rounds;
  options.seconds = seconds;
  options.seed = seed;
  options.inputSets = inputSets;
  options.prefix = prefix;
  auto result = measure(*context, options, peers);
  if (!result)
    return result.takeError();
  llvm::outs() << json::Value(std::move(*result)) << '\n';
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv,
                              "One mechanism beside its peers, measured\n");
  llvm::ExitOnError exitOnError("attn-bench-mechanisms: error: ");
  exitOnError(run());
  return 0;
}
