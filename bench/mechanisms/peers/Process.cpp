//===- Process.cpp - A peer in a process of its own -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program reads a line and answers one:
//
//   prepare ROW BATCH HEADS TOKENS WIDTH THREADS OUTPUT NAME=FILE...
//            ready [CHOICE] | none                  an .npy file an argument
//   run      done                                   computes, keeps the result
//   result   done                                   writes OUTPUT, .npy in f32
//
// or `error MESSAGE` to any of them. It ends at the end of its input.
//
//===----------------------------------------------------------------------===//

#include "bench/mechanisms/Peer.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace attn::bench {
namespace {

/// A running program.
class Child {
public:
  static llvm::Expected<std::unique_ptr<Child>> start(llvm::StringRef name,
                                                      const std::string &line) {
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
      return createError("peer '" + name + "': no pipe");
    pid_t id = fork();
    if (id < 0)
      return createError("peer '" + name + "': no process");
    if (id == 0) {
      dup2(down[0], 0);
      dup2(up[1], 1);
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    close(down[0]);
    close(up[1]);
    std::unique_ptr<Child> child(new Child);
    child->name = name;
    child->id = id;
    child->to = fdopen(down[1], "w");
    child->from = fdopen(up[0], "r");
    return child;
  }

  ~Child() {
    std::fclose(to);
    std::fclose(from);
    waitpid(id, nullptr, 0);
  }

  llvm::Expected<std::string> ask(const std::string &line) {
    std::fprintf(to, "%s\n", line.c_str());
    std::fflush(to);
    char *answer = nullptr;
    size_t size = 0;
    ssize_t count = getline(&answer, &size, from);
    std::string text(answer && count > 0 ? answer : "", count > 0 ? count : 0);
    std::free(answer);
    if (count <= 0)
      return createError("peer '" + name + "' ended at '" + line + "'");
    text = llvm::StringRef(text).trim().str();
    if (llvm::StringRef(text).starts_with("error"))
      return createError("peer '" + name + "': " + text);
    return text;
  }

private:
  std::string name;
  pid_t id = 0;
  FILE *to = nullptr, *from = nullptr;
};

class ProcessRun : public Prepared {
public:
  ProcessRun(std::unique_ptr<Child> child, std::string choice,
             std::string folder)
      : child(std::move(child)), choice(std::move(choice)),
        folder(std::move(folder)) {}
  ~ProcessRun() override { llvm::sys::fs::remove_directories(folder); }

  llvm::Error run(llvm::ArrayRef<Array>, Array &) override {
    return child->ask("run").takeError();
  }

  llvm::Error collect(Array &output) override {
    auto answer = child->ask("result");
    if (!answer)
      return answer.takeError();
    auto array = readNpy(folder + "/o.npy");
    if (!array)
      return array.takeError();
    if (array->getType() != ElementType::F32 ||
        array->getNumElements() != output.getNumElements())
      return createError("a peer's result has another shape");
    std::memcpy(output.getData(), array->getData(),
                output.getNumElements() * sizeof(float));
    return llvm::Error::success();
  }

  std::string getChoice() const override { return choice; }

private:
  std::unique_ptr<Child> child;
  std::string choice, folder;
};

class ProcessPeer : public Peer {
public:
  ProcessPeer(llvm::StringRef name, llvm::StringRef command)
      : name(name), command(command) {}

  std::string getName() const override { return name; }
  bool serves(const Problem &problem) const override {
    return !problem.decodes;
  }

  llvm::Expected<std::unique_ptr<Prepared>>
  prepare(const Problem &problem, llvm::ArrayRef<Array> inputs) const override {
    llvm::SmallString<64> folder;
    if (std::error_code code =
            llvm::sys::fs::createUniqueDirectory("attn-bench", folder))
      return createError("no temporary folder: " + code.message());
    const Sizes &sizes = problem.sizes;
    std::string line =
        ("prepare " + problem.row.name + " " + llvm::Twine(sizes.batch) + " " +
         llvm::Twine(kHeads) + " " + llvm::Twine(sizes.tokens) + " " +
         llvm::Twine(sizes.width) + " " + llvm::Twine(problem.threads) + " " +
         folder + "/o.npy")
            .str();
    for (auto [argument, array] : llvm::zip(problem.graph.names, inputs)) {
      std::string path = (folder + "/" + argument + ".npy").str();
      if (llvm::Error error = writeNpy(path, array))
        return std::move(error);
      line += " " + argument + "=" + path;
    }
    auto child = Child::start(name, command);
    if (!child)
      return child.takeError();
    auto answer = (*child)->ask(line);
    if (!answer || *answer == "none") {
      llvm::sys::fs::remove_directories(folder);
      if (!answer)
        return answer.takeError();
      return nullptr;
    }
    llvm::StringRef choice = llvm::StringRef(*answer).drop_front(5).trim();
    return std::make_unique<ProcessRun>(std::move(*child), choice.str(),
                                        folder.str().str());
  }

private:
  std::string name, command;
};

} // namespace

std::unique_ptr<Peer> createProcessPeer(llvm::StringRef name,
                                        llvm::StringRef command) {
  return std::make_unique<ProcessPeer>(name, command);
}

} // namespace attn::bench
