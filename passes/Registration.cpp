//===- Registration.cpp - All passes and pipelines by name -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "passes/Passes.h"
#include "passes/RegisterDialects.h"
#include "passes/pipelines/CpuPipeline.h"
#include "passes/pipelines/GpuPipeline.h"

namespace {
using namespace mlir;
using namespace mlir::attn;
// The generated registration has the name that the public one takes.
namespace generated {
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"
} // namespace generated
} // namespace

void mlir::attn::registerDialects(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registry.insert<AttnDialect>();
}

void mlir::attn::registerAttnPasses() { generated::registerAttnPasses(); }

void mlir::attn::registerAttnPipelines() {
  PassPipelineRegistration<CpuPipelineOptions>(
      "attn-cpu-pipeline", "Attention graphs to the LLVM dialect for CPUs",
      buildCpuPipeline);
  PassPipelineRegistration<GpuPipelineOptions>(
      "attn-gpu-pipeline",
      "Attention graphs to PTX and the LLVM dialect of its host",
      buildGpuPipeline);
  PassPipelineRegistration<GpuPipelineOptions>(
      "attn-gpu-kernel-pipeline",
      "Attention graphs to kernels in the NVVM dialect",
      buildGpuKernelPipeline);
}
