//===- HalideLibrary.h - Opens the Halide plugin -*- C++ -*--------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HALIDE_HALIDELIBRARY_H
#define ATTN_RUNTIME_ENGINE_HALIDE_HALIDELIBRARY_H

#include "runtime/halide/HalidePlugin.h"
#include "llvm/Support/Error.h"

namespace attn::halide {

/// The plugin's functions. It is opened by the first call, from the folder of
/// this library or program, from `../lib` beside it, or from where the loader
/// looks, and stays open; an error where it is not.
llvm::Expected<const attn_halide_api *> openLibrary();

/// What a function of the plugin gave.
llvm::Error takeError(const attn_halide_api &api, char *text);

} // namespace attn::halide

#endif // ATTN_RUNTIME_ENGINE_HALIDE_HALIDELIBRARY_H
