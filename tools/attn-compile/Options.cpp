//===- Options.cpp - The command line of attn-compile -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "tools/support/CommandLine.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using mlir::attn::RecurrenceForm;

namespace attn::tool {

static const bool isCommandLineCleared = clearLibraryOptions();

static cl::OptionCategory category("attn-compile options");

static cl::opt<std::string> file(cl::Positional, cl::desc("FILE.mlir"),
                                 cl::cat(category));
static cl::opt<std::string>
    output("o", cl::value_desc("file"), cl::cat(category),
           cl::desc("The result: .o, an object; .a, a static library; .so, a "
                    "shared library; .ptx. An object beside FILE by default"));
static cl::opt<std::string>
    header("header", cl::value_desc("file"), cl::cat(category),
           cl::desc("The C header; by default the result's name with .h"));
static cl::opt<std::string> target(
    "target", cl::init("cpu"), cl::value_desc("name"), cl::cat(category),
    cl::desc("cpu, this machine (default); cpu:NAME, a CPU or level of "
             "its architecture, such as cpu:x86-64-v3; cpu:ARCH:NAME, "
             "another, such as cpu:aarch64:neoverse-n1; nvvm:sm_XX, PTX "
             "for an NVIDIA GPU; halide:TARGET, a target of Halide, such "
             "as halide:arm-64-android"));
static cl::opt<std::string>
    autoscheduler("autoscheduler", cl::value_desc("name"), cl::cat(category),
                  cl::desc("For halide: Mullapudi2016, Adams2019 or another of "
                           "its own; by default a fixed schedule"));
static cl::opt<std::string> name(
    "name", cl::value_desc("name"), cl::cat(category),
    cl::desc("The C function; by default the name of the graph's function, "
             "or of FILE for @main"));
static cl::opt<std::string>
    entry("entry", cl::value_desc("name"), cl::cat(category),
          cl::desc("The function to compile; needless if one alone is public"));
static cl::opt<bool> exposesStates(
    "state", cl::cat(category),
    cl::desc("Make a step of the graph: states become arguments behind its own "
             "and are updated in place"));
static cl::opt<int64_t> threads(
    "threads", cl::value_desc("count"), cl::cat(category), cl::init(1),
    cl::desc("Threads that the code counts on; above 1 it needs libomp, "
             "whose OMP_NUM_THREADS decides"));
static cl::opt<bool> keepOrder("keep-order", cl::cat(category),
                               cl::desc("Leave products as they are written"));
static cl::opt<RecurrenceForm>
    form("form", cl::cat(category), cl::init(RecurrenceForm::Auto),
         cl::desc("The form of recurrences:"),
         cl::values(clEnumValN(RecurrenceForm::Auto, "auto",
                               "the cheapest by the cost model (default)"),
                    clEnumValN(RecurrenceForm::Chunkwise, "chunkwise",
                               "chunks of tokens"),
                    clEnumValN(RecurrenceForm::Recurrent, "recurrent",
                               "one token at a time")));
static cl::opt<int64_t>
    chunk("chunk", cl::value_desc("tokens"), cl::cat(category), cl::init(0),
          cl::desc("Tokens in a chunk of a recurrence; by cost if not given"));
static cl::opt<std::string> linker(
    "linker", cl::value_desc("program"), cl::cat(category),
    cl::desc("What links a shared library: a compiler driver; by default "
             "cc, or gcc of the other architecture"));

/// "PATH.NEW" for "PATH.old"
static std::string replaceExtension(StringRef path, StringRef extension) {
  SmallString<128> text(path);
  sys::path::replace_extension(text, extension);
  return std::string(text);
}

static Expected<Output> getKind(StringRef path) {
  StringRef extension = sys::path::extension(path);
  if (extension == ".o")
    return Output::Object;
  if (extension == ".a")
    return Output::StaticLibrary;
  if (extension == ".so")
    return Output::SharedLibrary;
  if (extension == ".ptx")
    return Output::Ptx;
  return createError("-o " + path +
                     ": expected a name that ends in .o, .a, .so "
                     "or .ptx");
}

static Error checkTarget(const Options &options) {
  if (options.target.kind == Target::Kind::Reference)
    return createError(
        "--target=reference has no code: expected cpu, cpu:NAME, "
        "cpu:ARCH:NAME, nvvm:sm_XX or halide:TARGET");
  if (options.target.kind == Target::Kind::Halide) {
    if (options.kind != Output::Object)
      return createError("-o " + options.output +
                         ": expected .o for --target=halide");
    return Error::success();
  }
  if (autoscheduler.getNumOccurrences())
    return createError("--autoscheduler is for --target=halide");
  bool isGpu = options.target.kind == Target::Kind::Gpu;
  if (isGpu && options.target.model.empty())
    return createError("--target=nvvm: expected an architecture, nvvm:sm_XX");
  if (isGpu != (options.kind == Output::Ptx))
    return createError("-o " + options.output +
                       ": expected .ptx for "
                       "--target=nvvm:sm_XX, and for it alone");
  if (isGpu && (header.getNumOccurrences() || name.getNumOccurrences()))
    return createError("--header and --name are for --target=cpu");
  return Error::success();
}

Expected<Options> parseCommandLine(int argc, char **argv) {
  assert(isCommandLineCleared && "options are registered in order");
  if (Error error = parseOptions(
          argc, argv, "Compiles a function of attention ahead of time\n"))
    return std::move(error);
  if (file.empty())
    return createError("expected FILE.mlir");
  if (chunk < 0 || chunk > 4096)
    return createError("--chunk: expected 0 to 4096 tokens");
  if (threads < 1)
    return createError("--threads: expected 1 or more");
  Options options;
  options.file = file;
  auto parsed = Target::parse(target);
  if (!parsed)
    return parsed.takeError();
  options.target = *parsed;
  bool isGpu = options.target.kind == Target::Kind::Gpu;
  options.output = output.empty() ? replaceExtension(file, isGpu ? "ptx" : "o")
                                  : output.getValue();
  auto kind = getKind(options.output);
  if (!kind)
    return kind.takeError();
  options.kind = *kind;
  if (Error error = checkTarget(options))
    return std::move(error);
  options.header = header.empty() ? replaceExtension(options.output, "h")
                                  : header.getValue();
  options.entry = entry;
  options.name = name;
  options.autoscheduler = autoscheduler;
  options.linker = linker;
  options.exposesStates = exposesStates;
  options.keepOrder = keepOrder;
  options.form = form;
  options.chunk = chunk;
  options.threads = threads;
  return options;
}

} // namespace attn::tool
