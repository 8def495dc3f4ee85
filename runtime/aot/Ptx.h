//===- Ptx.h - Kernels of a graph as PTX -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_AOT_PTX_H
#define ATTN_RUNTIME_AOT_PTX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace attn {

/// A PTX module: text that the CUDA driver compiles.
struct PtxModule {
  std::string name;
  std::string text;
};

struct PtxOptions {
  /// Such as sm_90.
  std::string chip;
  /// Leave the graph as it is written: no reassociation.
  bool keepOrder = false;
};

/// The kernels of the function `entry`, in the order of their first launch, by
/// the GPU pipeline. The module is not changed. An error for a chip that LLVM
/// does not know, or a graph that cannot be lowered.
llvm::Expected<std::vector<PtxModule>> compileToPtx(mlir::ModuleOp module,
                                                    llvm::StringRef entry,
                                                    const PtxOptions &options);

} // namespace attn

#endif // ATTN_RUNTIME_AOT_PTX_H
