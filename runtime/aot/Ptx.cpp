//===- Ptx.cpp - Kernels of a graph as PTX -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/Ptx.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/RegisterDialects.h"
#include "passes/cpu/InitializeTargets.h"
#include "passes/pipelines/GpuPipeline.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/IsolatedGraph.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"

using namespace mlir;

namespace attn {

/// LLVM itself would print a warning and go on.
static llvm::Error checkChip(StringRef chip) {
  mlir::attn::initializeTargets();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string reason;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, reason);
  if (!target)
    return createError(reason);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target->createMCSubtargetInfo(triple, "", ""));
  if (chip.starts_with("sm_") && info && info->isCPUStringValid(chip))
    return llvm::Error::success();
  return createError("unknown GPU '" + chip +
                     "': expected an architecture such as sm_90");
}

llvm::Expected<std::vector<PtxModule>>
compileToPtx(ModuleOp module, StringRef entry, const PtxOptions &options) {
  if (llvm::Error error = checkChip(options.chip))
    return std::move(error);
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  mlir::attn::registerDialects(registry);
  context->appendDialectRegistry(registry);
  OwningOpRef<ModuleOp> code(module.clone());
  auto function = isolate(*code, entry);
  if (!function)
    return function.takeError();
  PassManager pm(context);
  pm.addPass(createSymbolDCEPass());
  mlir::attn::GpuPipelineOptions pipeline;
  pipeline.chip = options.chip;
  pipeline.keepOrder = options.keepOrder;
  mlir::attn::buildGpuPipeline(pm, pipeline);
  if (llvm::Error error = collectErrors(context, "the GPU pipeline failed",
                                        [&] { return pm.run(*code); }))
    return std::move(error);
  std::vector<PtxModule> kernels;
  for (auto binary : code->getOps<gpu::BinaryOp>())
    for (Attribute attribute : binary.getObjects()) {
      auto object = cast<gpu::ObjectAttr>(attribute);
      StringRef text = object.getObject().getValue();
      // The driver reads it as a C string.
      text.consume_back(StringRef("\0", 1));
      kernels.push_back({binary.getSymName().str(), text.str()});
    }
  if (kernels.empty())
    return createError((*function)->getLoc(),
                       "'" + (*function).getSymName() +
                           "' has no kernel: nothing of it runs on a GPU");
  return kernels;
}

} // namespace attn
