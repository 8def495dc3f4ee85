//===- Halide.cpp - The same graph through Halide -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The target halide of this project: Halide's code generator for the graph that
// the algebra derives, with our schedule or with one that Halide searches for.
//
//===----------------------------------------------------------------------===//

#include "bench/mechanisms/Peer.h"
#include "runtime/engine/Compile.h"
#include "llvm/Support/raw_ostream.h"

namespace attn::bench {
namespace {

class PreparedHalide : public Prepared {
public:
  PreparedHalide(std::shared_ptr<const Callable> callable, std::string choice)
      : callable(std::move(callable)), choice(std::move(choice)) {}

  llvm::Error run(llvm::ArrayRef<Array> inputs, Array &output) override {
    llvm::SmallVector<DLTensor, 8> views;
    for (const Array &input : inputs)
      views.push_back(viewOf(input));
    return callable->run(views, {viewOf(output)});
  }
  std::string getChoice() const override { return choice; }

private:
  std::shared_ptr<const Callable> callable;
  std::string choice;
};

class HalidePeer : public Peer {
public:
  explicit HalidePeer(std::string autoscheduler)
      : autoscheduler(std::move(autoscheduler)) {}

  std::string getName() const override {
    return autoscheduler.empty() ? "halide" : "halide-" + autoscheduler;
  }
  bool serves(const Problem &problem) const override {
    return !problem.decodes;
  }
  llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array>) const override {
    std::string text;
    llvm::raw_string_ostream(text) << *problem.graph.module;
    CompileOptions options;
    options.autoscheduler = autoscheduler;
    options.threads = problem.threads;
    auto callable = compileText(text, "halide", options);
    if (callable)
      return std::make_unique<PreparedHalide>(*callable, autoscheduler);
    // A build without Halide, or a graph that it or its search cannot take.
    llvm::errs() << getName() << ": " << llvm::toString(callable.takeError())
                 << '\n';
    return nullptr;
  }

private:
  std::string autoscheduler;
};

} // namespace

std::unique_ptr<Peer> createHalidePeer(llvm::StringRef autoscheduler) {
  return std::make_unique<HalidePeer>(autoscheduler.str());
}

} // namespace attn::bench
