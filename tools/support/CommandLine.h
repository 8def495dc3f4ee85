//===- CommandLine.h - LLVM's command line library for one tool -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_SUPPORT_COMMANDLINE_H
#define ATTN_TOOLS_SUPPORT_COMMANDLINE_H

#include "runtime/array/Error.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

namespace attn::tool {

/// The shared LLVM library brings hundreds of options, `--threads` among them.
/// They go, help and version stay. To be called before a tool's own options are
/// registered: by a global variable in front of them.
inline bool clearLibraryOptions() {
  llvm::SmallVector<llvm::cl::Option *> foreign;
  for (auto &entry : llvm::cl::getRegisteredOptions()) {
    auto isGeneric = [](llvm::cl::OptionCategory *category) {
      return category->getName() == "Generic Options";
    };
    if (llvm::none_of(entry.second->Categories, isGeneric))
      foreign.push_back(entry.second);
  }
  for (llvm::cl::Option *option : foreign)
    option->removeArgument();
  return true;
}

/// Parses the command line, with our form of errors.
inline llvm::Error parseOptions(int argc, char **argv,
                                llvm::StringRef overview) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (llvm::cl::ParseCommandLineOptions(argc, argv, overview, &stream))
    return llvm::Error::success();
  // "attn-run: Unknown command line argument ..."; what is wrong with the value
  // of an option is on stderr by now.
  llvm::StringRef first = llvm::StringRef(text).split('\n').first;
  if (first.empty())
    return createError("the command line cannot be read");
  return createError(first.substr(first.find(": ") + 2));
}

/// Prints "NAME: error: ..." for each error; the exit code.
inline int reportErrors(llvm::StringRef name, llvm::Error error) {
  if (!error)
    return 0;
  llvm::outs().flush();
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    llvm::errs() << name << ": error: " << info.message() << '\n';
  });
  return 1;
}

} // namespace attn::tool

#endif // ATTN_TOOLS_SUPPORT_COMMANDLINE_H
