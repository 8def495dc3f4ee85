//===- Package.h - Objects as files and libraries -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_PACKAGE_H
#define ATTN_RUNTIME_AOT_PACKAGE_H

#include "runtime/aot/ObjectFile.h"

namespace attn {

/// Writes a file whole or not at all.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents);

/// An archive with the object as its one member, for the linker.
llvm::Error writeStaticLibrary(llvm::StringRef path, const ObjectFile &file);

/// Links the object with what it needs into a shared library. `linker` is a
/// compiler driver such as gcc; if it is empty, the one of the triple.
llvm::Error writeSharedLibrary(llvm::StringRef path, const ObjectFile &file,
                               const CpuModel &cpu, llvm::StringRef linker);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_PACKAGE_H
