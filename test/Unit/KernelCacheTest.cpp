//===- KernelCacheTest.cpp - Code that is kept --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/KernelCache.h"
#include "test/Unit/TestGraph.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <csignal>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace attn;
using llvm::StringRef;
using Origin = CompileReport::Origin;

namespace {

std::string getGraph(int factor) {
  return "func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {\n"
         "  %y = attn.scale %x by " +
         std::to_string(factor) +
         ".0 : tensor<?x1xf32> -> tensor<?x1xf32>\n"
         "  return %y : tensor<?x1xf32>\n}\n";
}

class KernelCacheTest : public testing::Test {
protected:
  KernelCacheTest() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-cache", directory));
  }
  ~KernelCacheTest() override { llvm::sys::fs::remove_directories(directory); }

  std::shared_ptr<KernelCache> create(uint64_t maxBytes = 1 << 20,
                                      size_t maxKernels = 8) {
    return std::make_shared<KernelCache>(
        KernelCacheOptions{directory.str().str(), maxBytes, maxKernels});
  }

  /// Compiles the graph and checks what it computes; where it came from.
  Origin run(std::shared_ptr<KernelCache> cache, int factor = 3,
             CompileOptions options = {}) {
    options.cache = std::move(cache);
    options.report = &report;
    auto callable = compileText(getGraph(factor), "cpu", options);
    if (!callable) {
      ADD_FAILURE() << llvm::toString(callable.takeError());
      return report.origin;
    }
    auto results = (*callable)->call(makeArray({2, 1}, {1, 2}));
    if (!results)
      ADD_FAILURE() << llvm::toString(results.takeError());
    else
      EXPECT_EQ((*results)[0].get(1), 2 * factor);
    return report.origin;
  }

  std::vector<std::string> getEntries() {
    std::vector<std::string> paths;
    std::error_code code;
    for (llvm::sys::fs::directory_iterator i(directory, code), end;
         !code && i != end; i.increment(code))
      if (StringRef(llvm::sys::path::filename(i->path()))
              .starts_with("llvmcache-attn-"))
        paths.push_back(i->path());
    return paths;
  }

  /// Changes a byte, counted from the end if it is negative.
  static void damage(StringRef path, int64_t position) {
    auto buffer = llvm::cantFail(
        llvm::errorOrToExpected(llvm::MemoryBuffer::getFile(path)));
    std::string text = buffer->getBuffer().str();
    text[position < 0 ? text.size() + position : position] ^= 1;
    rewrite(path, text);
  }
  static void rewrite(StringRef path, StringRef text) {
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << text;
    ASSERT_FALSE(code);
  }

  void expectWarning(StringRef text) {
    ASSERT_EQ(report.warnings.size(), 1u);
    EXPECT_CONTAINS(report.warnings[0], text.str());
  }

  llvm::SmallString<128> directory;
  CompileReport report;
};

TEST_F(KernelCacheTest, MemoryThenDisk) {
  auto cache = create();
  EXPECT_EQ(run(cache), Origin::Compiled);
  EXPECT_EQ(run(cache), Origin::Memory);
  // Another process has another memory.
  EXPECT_EQ(run(create()), Origin::Disk);
  EXPECT_EQ(report.times.lower, 0);
  EXPECT_EQ(report.times.llvm, 0);
  EXPECT_GT(report.times.load, 0);
  EXPECT_TRUE(report.warnings.empty());
}

TEST_F(KernelCacheTest, WhatDecidesTheCodeDecidesTheEntry) {
  auto cache = create();
  CompileOptions options;
  EXPECT_EQ(run(cache, 3), Origin::Compiled);
  EXPECT_EQ(run(cache, 4), Origin::Compiled);
  options.optLevel = 1;
  EXPECT_EQ(run(cache, 3, options), Origin::Compiled);
  options.keepOrder = true;
  EXPECT_EQ(run(cache, 3, options), Origin::Compiled);
  EXPECT_EQ(run(cache, 3), Origin::Memory);
  EXPECT_EQ(getEntries().size(), 4u);
}

TEST_F(KernelCacheTest, DamagedEntriesAreCompiledAgain) {
  run(create());
  auto entries = getEntries();
  ASSERT_EQ(entries.size(), 1u);
  auto text = llvm::cantFail(llvm::errorOrToExpected(
                                 llvm::MemoryBuffer::getFile(entries[0])))
                  ->getBuffer()
                  .str();
  // The magic, the checksum, a length, the object.
  for (int64_t position : {0, 20, 50, -100}) {
    damage(entries[0], position);
    EXPECT_EQ(run(create()), Origin::Compiled);
    expectWarning("a damaged entry was compiled again");
    EXPECT_EQ(run(create()), Origin::Disk);
  }
  // Cut short, and empty.
  for (StringRef part : {StringRef(text).drop_back(1),
                         StringRef(text).take_front(60), StringRef()}) {
    rewrite(entries[0], part);
    EXPECT_EQ(run(create()), Origin::Compiled);
    EXPECT_EQ(run(create()), Origin::Disk);
  }
}

TEST_F(KernelCacheTest, AnEntryOfAnotherKeyIsNotTrusted) {
  run(create(), 3);
  std::string entry = getEntries()[0];
  run(create(), 4);
  for (const std::string &other : getEntries())
    if (other != entry) {
      ASSERT_FALSE(llvm::sys::fs::copy_file(other, entry));
    }
  EXPECT_EQ(run(create(), 3), Origin::Compiled);
}

TEST_F(KernelCacheTest, FoldersThatCannotBeWritten) {
  llvm::sys::fs::remove_directories(directory);
  rewrite(directory, "a file");
  EXPECT_EQ(run(create()), Origin::Compiled);
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_CONTAINS(report.warnings.back(), std::string("cannot write: "));
  llvm::sys::fs::remove(directory);
}

TEST_F(KernelCacheTest, AFullDisk) {
  // No file of this process may have more bytes: what a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before, none;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  none = before;
  none.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  Origin origin = run(create());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(origin, Origin::Compiled);
  expectWarning("cannot write: ");
  EXPECT_TRUE(getEntries().empty());
  EXPECT_EQ(run(create()), Origin::Compiled);
}

TEST_F(KernelCacheTest, TheFolderIsBounded) {
  run(create(), 2);
  uint64_t bytes = 0;
  ASSERT_FALSE(llvm::sys::fs::file_size(getEntries()[0], bytes));
  for (int factor = 3; factor < 7; ++factor)
    run(create(2 * bytes + bytes / 2), factor);
  EXPECT_LE(getEntries().size(), 2u);
}

TEST_F(KernelCacheTest, TheMemoryIsBounded) {
  auto cache = std::make_shared<KernelCache>(KernelCacheOptions{"", 0, 2});
  run(cache, 2);
  run(cache, 3);
  EXPECT_EQ(run(cache, 2), Origin::Memory);
  run(cache, 4);
  EXPECT_EQ(run(cache, 2), Origin::Memory);
  EXPECT_EQ(run(cache, 3), Origin::Compiled);
}

TEST_F(KernelCacheTest, ErrorsAreNotKept) {
  CompileOptions options;
  options.cache = create();
  for (int i = 0; i < 2; ++i)
    EXPECT_CONTAINS(getMessage(compileText("func.func", "cpu", options)),
                    "<text>:1:");
}

TEST_F(KernelCacheTest, OneThreadCompilesForAll) {
  auto cache = create();
  std::vector<std::thread> threads;
  std::vector<CompileReport> reports(4);
  for (CompileReport &report : reports)
    threads.emplace_back([&] {
      CompileOptions options;
      options.cache = cache;
      options.report = &report;
      llvm::cantFail(compileText(getGraph(3), "cpu", options));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(llvm::count_if(reports,
                           [](const CompileReport &report) {
                             return report.origin == Origin::Compiled;
                           }),
            1);
}

TEST_F(KernelCacheTest, ProcessesShareTheFolder) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    pid_t pid = fork();
    if (pid == 0) {
      for (int i = 0; i < 3; ++i)
        run(create(), 2 + i);
      _exit(HasFailure());
    }
    children.push_back(pid);
  }
  for (pid_t pid : children) {
    int status;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  // Entries alone: temporary files are gone.
  EXPECT_EQ(getEntries().size(), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(run(create(), 2 + i), Origin::Disk);
}

} // namespace
