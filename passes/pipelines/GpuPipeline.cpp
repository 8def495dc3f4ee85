//===- GpuPipeline.cpp - From a graph to kernels and their launches ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/pipelines/GpuPipeline.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "passes/pipelines/CpuPipeline.h"

using namespace mlir;
using namespace mlir::attn;

/// Barriers in memory and transposed matrices are of PTX 7.8, which LLVM has as
/// the oldest one from sm_90 on.
static std::string getFeatures(const GpuPipelineOptions &options) {
  StringRef number = StringRef(options.chip);
  int64_t capability = 0;
  bool isOld = number.consume_front("sm_") &&
               !number.rtrim("af").getAsInteger(10, capability) &&
               capability < 90;
  return options.ptx.empty() && isOld ? "+ptx78" : std::string(options.ptx);
}

void attn::buildGpuKernelPipeline(OpPassManager &pm,
                                  const GpuPipelineOptions &options) {
  // 1. Recurrences and softmax attention in kernels of their own; what they do
  //    not compute, a value channel or a query a thread.
  CpuPipelineOptions algebra;
  algebra.form = RecurrenceForm::Recurrent;
  algebra.keepOrder = options.keepOrder;
  buildAlgebraPipeline(pm, algebra);
  if (options.tiles) {
    AttnLaunchRecurrencesOptions recurrences;
    recurrences.chip = options.chip;
    pm.addPass(createAttnLaunchRecurrences(recurrences));
    AttnLaunchAttentionOptions attention;
    attention.chip = options.chip;
    pm.addPass(createAttnLaunchAttention(attention));
    addCleanup(pm);
  }
  ConvertAttnToLinalgOptions tiles;
  tiles.rowTile = 1;
  tiles.keyTile = 8;
  tiles.partColumns = 1;
  // Element by element, an update with the read that follows it.
  AttnVectorizeTilesOptions elements;
  elements.registerRows = elements.registerCols = elements.vectorLength = 1;
  elements.vectorize = false;
  buildTilingPipeline(pm, tiles, elements);
  buildBufferizationPipeline(pm);
  // 2. Kernels.
  AttnLaunchForallOptions launch;
  launch.blockSize = options.blockSize;
  pm.addNestedPass<func::FuncOp>(createAttnLaunchForall(launch));
  pm.addPass(createSymbolDCEPass());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(createAttnLowerVectors());
  addCleanup(pm);
  pm.addPass(createGpuLaunchSinkIndexComputationsPass());
  pm.addPass(createGpuKernelOutliningPass());
  pm.addNestedPass<func::FuncOp>(createGpuAsyncRegionPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  addCleanup(pm);
  GpuNVVMAttachTargetOptions target;
  target.chip = options.chip;
  target.features = getFeatures(options);
  target.optLevel = 3;
  pm.addPass(createGpuNVVMAttachTarget(target));
  auto &kernels = pm.nest<gpu::GPUModuleOp>();
  // What the instructions are for first, then polynomials for the rest, and
  // what those are made of.
  kernels.addPass(createAttnMathToIntrinsics());
  kernels.addNestedPass<gpu::GPUFuncOp>(createAttnLowerVectors());
  kernels.addPass(createAttnMathToIntrinsics());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createConvertMathToLLVMPass());
  kernels.addPass(createConvertGpuOpsToNVVMOps());
  kernels.addPass(createAttnMarkNoAlias());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(kernels);
}

void attn::buildGpuBinaryPipeline(OpPassManager &pm) {
  pm.addPass(createSCFToControlFlowPass());
  pm.addNestedPass<func::FuncOp>(LLVM::createLLVMRequestCWrappersPass());
  pm.addPass(createGpuToLLVMConversionPass());
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = "isa";
  pm.addPass(createGpuModuleToBinaryPass(binary));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  addCleanup(pm);
}

void attn::buildGpuPipeline(OpPassManager &pm,
                            const GpuPipelineOptions &options) {
  buildGpuKernelPipeline(pm, options);
  buildGpuBinaryPipeline(pm);
}
