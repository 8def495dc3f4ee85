//===- GpuPipeline.h - From a graph to kernels -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PIPELINES_GPUPIPELINE_H
#define ATTN_PASSES_PIPELINES_GPUPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::attn {

struct GpuPipelineOptions : PassPipelineOptions<GpuPipelineOptions> {
  PassOptions::Option<std::string> chip{
      *this, "chip", llvm::cl::desc("The GPU's architecture"),
      llvm::cl::init("sm_80")};
  PassOptions::Option<std::string> ptx{
      *this, "ptx",
      llvm::cl::desc("The PTX version, as LLVM's features name it; by default "
                     "the oldest that has the chip, at least 7.8"),
      llvm::cl::init("")};
  PassOptions::Option<bool> keepOrder{
      *this, "keep-order", llvm::cl::desc("Leave products as they are written"),
      llvm::cl::init(false)};
  PassOptions::Option<bool> tiles{
      *this, "tiles",
      llvm::cl::desc("Recurrences in tiles of tokens, on tensor cores"),
      llvm::cl::init(true)};
  PassOptions::Option<int64_t> blockSize{*this, "block-size",
                                         llvm::cl::desc("Threads in a block"),
                                         llvm::cl::init(64)};
};

/// attn graph -> gpu.launch_func and gpu.module, whose functions are in the
/// NVVM and LLVM dialects.
void buildGpuKernelPipeline(OpPassManager &pm,
                            const GpuPipelineOptions &options);
/// Kernels to PTX, the host to the LLVM dialect with calls of mgpu*.
void buildGpuBinaryPipeline(OpPassManager &pm);
void buildGpuPipeline(OpPassManager &pm, const GpuPipelineOptions &options);

} // namespace mlir::attn

#endif // ATTN_PASSES_PIPELINES_GPUPIPELINE_H
