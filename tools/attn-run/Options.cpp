//===- Options.cpp - The command line of attn-run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "tools/support/CommandLine.h"

using namespace llvm;

namespace attn::tool {

static const bool isCommandLineCleared = clearLibraryOptions();

static cl::OptionCategory category("attn-run options");

static cl::opt<std::string> file(cl::Positional, cl::desc("FILE.mlir"),
                                 cl::cat(category));
static cl::opt<std::string>
    entry("entry", cl::value_desc("name"), cl::cat(category),
          cl::desc("The function to run; needless if one alone is public"));
static cl::opt<std::string>
    target("target", cl::init("cpu"), cl::value_desc("name"), cl::cat(category),
           cl::desc("What runs the function: cpu, this machine (default), or "
                    "cpu:NAME; nvvm or nvvm:sm_XX, an NVIDIA GPU; halide or "
                    "halide:TARGET, such as halide:host-opencl, Halide's code; "
                    "reference, the literal f64 evaluation"));
static cl::opt<std::string>
    autoscheduler("autoscheduler", cl::value_desc("name"), cl::cat(category),
                  cl::desc("For halide: Mullapudi2016, Adams2019 or another of "
                           "its own, which search for a schedule; by default "
                           "a fixed one"));
static cl::opt<std::string>
    inputs("inputs", cl::value_desc("a.npy,b.npy,..."), cl::cat(category),
           cl::desc("The arguments in order; an empty one is random"));
static cl::opt<uint64_t> seed("random", cl::value_desc("seed"),
                              cl::cat(category),
                              cl::desc("Standard normal arguments"));
static cl::list<std::string>
    dims("dim", cl::value_desc("name=size"), cl::cat(category),
         cl::desc("The size of a dynamic dimension of random arguments"));
static cl::opt<std::string>
    outputs("outputs", cl::value_desc("o.npy,..."), cl::cat(category),
            cl::desc("Where results go; an empty one is dropped"));
static cl::opt<std::string>
    check("check", cl::value_desc("golden.npy,..."), cl::cat(category),
          cl::desc("Results to compare with; an empty one is not compared. The "
                   "error with --stream is the largest of a piece"));
static cl::opt<double>
    tolerance("tol", cl::value_desc("error"), cl::cat(category),
              cl::desc("The largest relative error of --check and --verify; by "
                       "default 1e-10 for f64, 1e-5 for f32, else 1e-2"));
static cl::opt<bool>
    verify("verify", cl::cat(category),
           cl::desc("Compare with the f64 evaluation of the graph, which takes "
                    "all tokens: with --stream the arrays of all pieces are "
                    "kept"));
static cl::opt<unsigned> timedRuns("time", cl::value_desc("runs"),
                                   cl::cat(category),
                                   cl::desc("Time this many runs"));
static cl::opt<bool>
    explain("explain", cl::cat(category),
            cl::desc("Print the plan: flops, bytes and peak memory of each "
                     "order of products"));
static cl::opt<int> threads("threads", cl::value_desc("count"),
                            cl::cat(category),
                            cl::desc("Threads; by default as OpenMP says"));
static cl::opt<bool> keepOrder("keep-order", cl::cat(category),
                               cl::desc("Leave products as they are written"));
static cl::opt<Form> form(
    "form", cl::cat(category), cl::init(Form::Auto),
    cl::desc("The form of recurrences:"),
    cl::values(
        clEnumValN(Form::Auto, "auto",
                   "the cheapest by the cost model (default)"),
        clEnumValN(Form::Quadratic, "quadratic", "all tokens in one chunk"),
        clEnumValN(Form::Chunkwise, "chunkwise", "chunks of tokens"),
        clEnumValN(Form::Recurrent, "recurrent", "one token at a time")));
static cl::opt<int64_t>
    chunk("chunk", cl::value_desc("tokens"), cl::cat(category), cl::init(0),
          cl::desc("Tokens in a chunk of a recurrence; by cost if not given"));
static cl::opt<bool> exposesState(
    "state", cl::cat(category),
    cl::desc("States become arguments and results after the function's own; "
             "those that --inputs leaves out are zero"));
static cl::opt<int64_t> pieceTokens(
    "stream", cl::value_desc("tokens"), cl::cat(category), cl::init(0),
    cl::desc("Feed so many tokens a call and carry the state. Files are read, "
             "written and compared piece by piece: memory does not grow with "
             "the input"));
static cl::opt<bool>
    allowQuadratic("allow-quadratic", cl::cat(category),
                   cl::desc("Give scores that the function returns a buffer"));
static cl::opt<std::string>
    dumpIR("dump-ir", cl::value_desc("folder"), cl::cat(category),
           cl::desc("Write the IR after each pass into a folder"));
static cl::opt<bool> remarks("remarks", cl::cat(category),
                             cl::desc("Print what passes did and did not do"));

/// The value of an option, if it was given.
template <typename Value>
static std::optional<Value> getGiven(const cl::opt<Value> &option) {
  if (!option.getNumOccurrences())
    return std::nullopt;
  return option.getValue();
}

llvm::Expected<Options> parseCommandLine(int argc, char **argv) {
  assert(isCommandLineCleared && "options are registered in order");
  if (llvm::Error error = parseOptions(
          argc, argv,
          "Runs a function of attention on files or random input\n"))
    return std::move(error);
  if (file.empty())
    return createError("expected FILE.mlir");
  if (tolerance.getNumOccurrences() && !(tolerance >= 0))
    return createError("--tol: expected 0 or more");
  if (timedRuns.getNumOccurrences() && timedRuns == 0)
    return createError("--time: expected 1 or more runs");
  if (chunk < 0 || chunk > 4096)
    return createError("--chunk: expected 0 to 4096 tokens");
  if (pieceTokens.getNumOccurrences() && pieceTokens < 1)
    return createError("--stream: expected 1 or more tokens");
  if (pieceTokens > 0 && (timedRuns > 0 || explain))
    return createError("--time and --explain are not for --stream");
  if (threads < 0)
    return createError("--threads: expected 0 or more");
  if (dumpIR.getNumOccurrences() && dumpIR.empty())
    return createError("--dump-ir: expected a folder");
  Options options;
  auto parsed = Target::parse(target);
  if (!parsed)
    return parsed.takeError();
  options.target = *parsed;
  Target::Kind kind = options.target.kind;
  if (kind != Target::Kind::Cpu && kind != Target::Kind::Halide &&
      !dumpIR.empty())
    return createError("--dump-ir is for --target=cpu and halide");
  if (kind != Target::Kind::Halide && !autoscheduler.empty())
    return createError("--autoscheduler is for --target=halide");
  options.engine.autoscheduler = autoscheduler;
  if (kind == Target::Kind::Reference && keepOrder)
    return createError("--keep-order is not for --target=reference");
  options.file = file;
  options.entry = getGiven(entry);
  options.inputs = getGiven(inputs);
  options.outputs = getGiven(outputs);
  options.check = getGiven(check);
  options.seed = getGiven(seed);
  options.dims.assign(dims.begin(), dims.end());
  options.tolerance = getGiven(tolerance);
  options.verify = verify;
  options.timedRuns = timedRuns;
  options.explain = explain;
  options.remarks = remarks;
  options.engine.threads = threads;
  options.engine.keepOrder = keepOrder;
  options.engine.form = form;
  options.engine.chunk = chunk;
  options.engine.allowQuadratic = allowQuadratic;
  options.engine.dumpDirectory = dumpIR;
  options.exposesState = exposesState;
  options.pieceTokens = pieceTokens;
  return options;
}

llvm::Expected<SmallVector<std::string>>
splitPaths(StringRef option, const std::optional<std::string> &value,
           size_t count) {
  SmallVector<std::string> paths;
  if (!value)
    return paths;
  SmallVector<StringRef> parts;
  StringRef(*value).split(parts, ',');
  if (parts.size() != count)
    return createError("--" + option + ": expected " + Twine(count) +
                       " paths, got " + Twine(parts.size()));
  for (StringRef part : parts)
    paths.push_back(part.str());
  return paths;
}

} // namespace attn::tool
