//===- DescribeCpu.cpp - What LLVM knows of a CPU ------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/Passes.h"
#include "passes/algebra/CpuSpec.h"
#include "passes/cpu/InitializeTargets.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace mlir::attn {
#define GEN_PASS_DEF_ATTNDESCRIBECPU
#include "passes/Passes.h.inc"
} // namespace mlir::attn

using namespace mlir;
using namespace mlir::attn;

/// What the machine's cost model says.
static SmallVector<CpuSpec::Entry>
askTarget(const llvm::TargetMachine &machine) {
  llvm::LLVMContext context;
  llvm::Module module("cpu", context);
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  auto *function = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), false),
      llvm::Function::ExternalLinkage, "f", module);
  // Full registers, as kernels are compiled: see the JIT.
  function->addFnAttr("prefer-vector-width", "512");
  function->addFnAttr("min-legal-vector-width", "512");
  llvm::TargetTransformInfo info = machine.getTargetTransformInfo(*function);
  SmallVector<CpuSpec::Entry> entries;
  if (auto bytes =
          info.getCacheSize(llvm::TargetTransformInfo::CacheLevel::L1D))
    entries.push_back({CpuSpec::kFirstCache, *bytes});
  int64_t width =
      info.getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector)
          .getFixedValue();
  if (width == 0)
    return entries;
  auto *vector =
      llvm::FixedVectorType::get(llvm::Type::getFloatTy(context), width / 32);
  entries.push_back({CpuSpec::kVectorWidth, width});
  entries.push_back(
      {CpuSpec::kVectorRegisters,
       info.getNumberOfRegisters(info.getRegisterClassForType(true, vector))});
  return entries;
}

namespace {
struct DescribeCpu : attn::impl::AttnDescribeCpuBase<DescribeCpu> {
  using AttnDescribeCpuBase::AttnDescribeCpuBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    StringRef name = LLVM::LLVMDialect::getTargetAttrName();
    if (!chip.empty() || !triple.empty()) {
      std::string wanted =
          triple.empty() ? llvm::sys::getDefaultTargetTriple() : triple;
      module->setAttr(
          name, LLVM::TargetAttr::get(context, StringAttr::get(context, wanted),
                                      StringAttr::get(context, chip), {}));
    }
    auto target = module->getAttrOfType<LLVM::TargetAttr>(name);
    if (!target)
      return;
    FailureOr<std::unique_ptr<llvm::TargetMachine>> machine = create(target);
    if (failed(machine))
      return signalPassFailure();
    CpuSpec::add(module, askTarget(**machine));
  }

private:
  FailureOr<std::unique_ptr<llvm::TargetMachine>>
  create(LLVM::TargetAttr target) {
    initializeTargets();
    auto fail = [&](const Twine &message) {
      getOperation().emitError("llvm.target: ") << message;
      return failure();
    };
    llvm::Triple triple(target.getTriple().getValue());
    StringRef chip = target.getChip().getValue();
    std::string error, features;
    const llvm::Target *found =
        llvm::TargetRegistry::lookupTarget(triple, error);
    if (!found)
      return fail(error);
    if (target.getFeatures())
      features = target.getFeatures().getFeaturesString();
    // LLVM itself would take another CPU and print that it did.
    std::unique_ptr<llvm::MCSubtargetInfo> known(
        found->createMCSubtargetInfo(triple, "", ""));
    if (known && !chip.empty() && !known->isCPUStringValid(chip))
      return fail("'" + chip + "' is no CPU of " + triple.str());
    std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
        triple, chip, features, llvm::TargetOptions(), std::nullopt));
    if (!machine)
      return fail("LLVM has no code generator for " + triple.str());
    return machine;
  }
};
} // namespace
