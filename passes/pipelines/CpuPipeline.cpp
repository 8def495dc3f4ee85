//===- CpuPipeline.cpp - From a graph to the LLVM dialect -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/pipelines/CpuPipeline.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"

using namespace mlir;
using namespace mlir::attn;

void attn::addCleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void attn::buildAlgebraPipeline(OpPassManager &pm,
                                const CpuPipelineOptions &options) {
  pm.addNestedPass<func::FuncOp>(createAttnAnalyzeScans());
  pm.addNestedPass<func::FuncOp>(createAttnLinearize());
  if (!options.keepOrder)
    pm.addNestedPass<func::FuncOp>(createAttnReassociate());
  AttnChooseFormOptions form;
  form.form = options.form;
  form.chunk = options.chunk;
  form.threads = options.threads;
  pm.addNestedPass<func::FuncOp>(createAttnChooseForm(form));
  pm.addNestedPass<func::FuncOp>(createAttnStabilize());
  addCleanup(pm);
}

void attn::buildTilingPipeline(OpPassManager &pm,
                               const ConvertAttnToLinalgOptions &tiles,
                               const AttnVectorizeTilesOptions &vectors) {
  pm.addNestedPass<func::FuncOp>(createConvertAttnToLinalg(tiles));
  addCleanup(pm);
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addNestedPass<func::FuncOp>(createAttnHoistInvariants());
  pm.addNestedPass<func::FuncOp>(createAttnVectorizeTiles(vectors));
  addCleanup(pm);
  // Sums stay in registers across the loop that adds to them.
  pm.addNestedPass<func::FuncOp>(createAttnHoistInvariants());
  pm.addNestedPass<func::FuncOp>(createLoopInvariantSubsetHoistingPass());
  addCleanup(pm);
}

void attn::buildBufferizationPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createAttnWriteOutputs());
  pm.addNestedPass<func::FuncOp>(createAttnSplitEmptyTensors());
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addNestedPass<func::FuncOp>(createAttnYieldInPlace());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  bufferize.unknownTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(bufferize));
  addCleanup(pm);
  pm.addPass(createAttnDropStateResults());
  // Tiles live on the stack of the thread that computes them, one for all
  // iterations of a loop. This comes before deallocation: a buffer that is
  // freed explicitly is not promoted.
  pm.addNestedPass<func::FuncOp>(bufferization::createBufferLoopHoistingPass());
  bufferization::PromoteBuffersToStackPassOptions stack;
  stack.maxAllocSizeInBytes = 128 * 1024;
  stack.maxRankOfAllocatedMemRef = 0;
  pm.addNestedPass<func::FuncOp>(
      bufferization::createPromoteBuffersToStackPass(stack));
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
  addCleanup(pm);
}

void attn::buildLLVMPipeline(OpPassManager &pm,
                             const CpuPipelineOptions &options) {
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createAttnVectorizeCopies());
  pm.addNestedPass<func::FuncOp>(createAttnPrefetchTiles());
  if (options.parallel) {
    pm.addNestedPass<func::FuncOp>(createForallToParallelLoopPass());
    pm.addPass(createConvertSCFToOpenMPPass());
  } else {
    pm.addNestedPass<func::FuncOp>(createForallToForLoopPass());
  }
  pm.addNestedPass<func::FuncOp>(createAttnHoistStackBuffers());
  pm.addNestedPass<func::FuncOp>(createAttnLowerVectors());
  pm.addNestedPass<func::FuncOp>(createConvertVectorToSCFPass(
      VectorTransferToSCFOptions().enableFullUnroll().enableLowerTensors(
          false)));
  pm.addNestedPass<func::FuncOp>(memref::createExpandStridedMetadataPass());
  pm.addNestedPass<func::FuncOp>(createLowerAffinePass());
  addCleanup(pm);
  pm.addPass(createSCFToControlFlowPass());
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.reassociateFPReductions = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  if (options.parallel)
    pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
  pm.addPass(createAttnCheckAllocations());
}

void attn::buildCpuPipeline(OpPassManager &pm,
                            const CpuPipelineOptions &options) {
  AttnDescribeCpuOptions cpu;
  cpu.triple = options.triple;
  cpu.chip = options.chip;
  pm.addPass(createAttnDescribeCpu(cpu));
  buildAlgebraPipeline(pm, options);
  ConvertAttnToLinalgOptions tiles;
  tiles.allowQuadratic = options.allowQuadratic;
  tiles.threads = options.threads;
  buildTilingPipeline(pm, tiles, AttnVectorizeTilesOptions());
  buildBufferizationPipeline(pm);
  buildLLVMPipeline(pm, options);
}
