//===- HalideLibrary.cpp - Opens the Halide plugin ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/HalideLibrary.h"
#include "runtime/array/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <dlfcn.h>

using namespace llvm;

namespace attn::halide {

namespace {
struct Library {
  const attn_halide_api *api = nullptr;
  std::string message;
};
} // namespace

static Library open() {
  constexpr StringLiteral name = "libattn-halide.so";
  SmallVector<std::string> paths;
  Dl_info self;
  if (dladdr(reinterpret_cast<void *>(&open), &self) && self.dli_fname) {
    StringRef folder = sys::path::parent_path(self.dli_fname);
    for (StringRef beside : {".", "../lib"}) {
      SmallString<128> path(folder.empty() ? "." : folder);
      sys::path::append(path, beside, name);
      if (sys::fs::exists(path))
        paths.push_back(std::string(path));
    }
  }
  paths.push_back(name.str());
  Library library;
  // Its LLVM binds to itself, and nothing to its LLVM.
  void *handle =
      dlopen(paths.front().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (!handle) {
    const char *reason = dlerror();
    library.message = std::string("no Halide here: ") +
                      (reason ? reason : "the library cannot be opened");
    return library;
  }
  auto getApi = reinterpret_cast<decltype(&attn_halide_get_api)>(
      dlsym(handle, "attn_halide_get_api"));
  if (getApi)
    library.api = getApi();
  else
    library.message =
        "no Halide here: '" + paths.front() + "' is another library";
  return library;
}

llvm::Expected<const attn_halide_api *> openLibrary() {
  static const Library library = open();
  if (!library.api)
    return createError(library.message);
  return library.api;
}

llvm::Error takeError(const attn_halide_api &api, char *text) {
  if (!text)
    return llvm::Error::success();
  std::string message = StringRef(text).rtrim().str();
  api.free_text(text);
  return createError("Halide: " + message);
}

} // namespace attn::halide
