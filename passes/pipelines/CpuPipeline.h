//===- CpuPipeline.h - From a graph to the LLVM dialect -------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_PIPELINES_CPUPIPELINE_H
#define ATTN_PASSES_PIPELINES_CPUPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "passes/Passes.h"

namespace mlir::attn {

/// Options of `--attn-cpu-pipeline`.
struct CpuPipelineOptions : PassPipelineOptions<CpuPipelineOptions> {
  PassOptions::Option<bool> keepOrder{
      *this, "keep-order", llvm::cl::desc("Leave products as they are written"),
      llvm::cl::init(false)};
  PassOptions::Option<bool> allowQuadratic{
      *this, "allow-quadratic",
      llvm::cl::desc("Permit a buffer for scores that leave the graph"),
      llvm::cl::init(false)};
  PassOptions::Option<RecurrenceForm> form{
      *this, "form", llvm::cl::desc("The form of recurrences"),
      llvm::cl::init(RecurrenceForm::Auto),
      llvm::cl::values(
          clEnumValN(RecurrenceForm::Auto, "auto", "The cheapest"),
          clEnumValN(RecurrenceForm::Quadratic, "quadratic", "One chunk"),
          clEnumValN(RecurrenceForm::Chunkwise, "chunkwise", "Chunks"),
          clEnumValN(RecurrenceForm::Recurrent, "recurrent", "Single tokens"))};
  PassOptions::Option<int64_t> chunk{
      *this, "chunk",
      llvm::cl::desc("Tokens in a chunk of a recurrence; 0: by cost"),
      llvm::cl::init(0)};
  PassOptions::Option<int64_t> threads{
      *this, "threads",
      llvm::cl::desc("Threads that the cost model counts on; 0: not known"),
      llvm::cl::init(0)};
  PassOptions::Option<std::string> triple{
      *this, "triple",
      llvm::cl::desc("The target triple; the host's if chip is given alone")};
  PassOptions::Option<std::string> chip{
      *this, "chip",
      llvm::cl::desc("The CPU, as LLVM's -mcpu names it; by default what the "
                     "module's llvm.target says")};
  PassOptions::Option<bool> parallel{
      *this, "parallel",
      llvm::cl::desc("Run batches and tiles of tokens in OpenMP threads"),
      llvm::cl::init(true)};
};

/// Canonical forms, and one of each operation.
void addCleanup(OpPassManager &pm);

/// attn graph -> attn graph: the algebra, declared order and stabilisers.
void buildAlgebraPipeline(OpPassManager &pm, const CpuPipelineOptions &options);
/// attn -> scf, linalg on tiles, vectors; still on tensors.
void buildTilingPipeline(OpPassManager &pm,
                         const ConvertAttnToLinalgOptions &tiles,
                         const AttnVectorizeTilesOptions &vectors);
/// Tensors -> buffers, in place.
void buildBufferizationPipeline(OpPassManager &pm);
/// Buffers, loops and vectors -> the LLVM dialect with C interfaces.
void buildLLVMPipeline(OpPassManager &pm, const CpuPipelineOptions &options);

/// All of the above.
void buildCpuPipeline(OpPassManager &pm, const CpuPipelineOptions &options);

} // namespace mlir::attn

#endif // ATTN_PASSES_PIPELINES_CPUPIPELINE_H
