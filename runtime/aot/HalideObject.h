//===- HalideObject.h - Objects of Halide's targets -*- C++ -*-----------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_HALIDEOBJECT_H
#define ATTN_RUNTIME_AOT_HALIDEOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

namespace attn {

struct HalideObjectOptions {
  /// As Halide writes targets: "arm-64-android", "host-opencl".
  std::string target;
  /// The C function.
  std::string name;
  /// One of Halide's autoschedulers; our own schedule if empty.
  std::string autoscheduler;
  bool keepOrder = false;
};

/// Writes an object with Halide's code and runtime, and its header: a C
/// function of sizes, of inputs and of outputs as halide_buffer_t, innermost
/// dimension first. Sizes are those of the arguments' open dimensions, in the
/// order of their first occurrence; arguments that nothing reads are left out.
/// The function returns 0, or a code of Halide's after a call of halide_error.
/// The contents of masks, decays and gates are not checked.
llvm::Error writeHalideObject(mlir::ModuleOp module, llvm::StringRef entry,
                              const HalideObjectOptions &options,
                              llvm::StringRef object, llvm::StringRef header);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_HALIDEOBJECT_H
