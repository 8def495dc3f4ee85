//===- Target.cpp - What code is compiled for, by name ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Target.h"
#include "passes/cpu/InitializeTargets.h"
#include "runtime/array/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/TargetParser/Triple.h"
#include <unistd.h>

namespace attn {

llvm::Expected<Target> Target::parse(llvm::StringRef name) {
  auto [kind, model] = name.split(':');
  bool hasColon = name.contains(':');
  Target target;
  target.model = model.str();
  if (kind == "cpu")
    target.kind = Kind::Cpu;
  else if (kind == "nvvm")
    target.kind = Kind::Gpu;
  else if (kind == "halide")
    target.kind = Kind::Halide;
  else if (name == "reference")
    target.kind = Kind::Reference;
  else
    return createError("unknown target '" + name +
                       "': expected cpu, cpu:NAME, nvvm, nvvm:sm_XX, "
                       "halide, halide:TARGET or reference");
  bool isChip =
      model.starts_with("sm_") && model.size() > 3 && llvm::isDigit(model[3]);
  if (hasColon && (model.empty() || (target.kind == Kind::Gpu && !isChip)))
    return createError("unknown target '" + name + "': expected " +
                       (target.kind == Kind::Gpu ? "nvvm:sm_XX, such as sm_90"
                        : target.kind == Kind::Halide
                            ? "halide:TARGET, such as halide:host-opencl"
                            : "cpu:NAME, such as cpu:x86-64-v3"));
  return target;
}

llvm::StringRef Target::getKindName() const {
  switch (kind) {
  case Kind::Cpu:
    return "cpu";
  case Kind::Gpu:
    return "nvvm";
  case Kind::Halide:
    return "halide";
  case Kind::Reference:
    return "reference";
  }
  llvm_unreachable("target without a name");
}

llvm::Expected<CpuModel> CpuModel::getHost() {
  CpuModel host;
  host.triple = llvm::sys::getProcessTriple();
  host.name = llvm::sys::getHostCPUName().str();
  // Sorted: it is part of a key.
  llvm::SmallVector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features, [](llvm::StringRef a, llvm::StringRef b) {
    return a.drop_front() < b.drop_front();
  });
  host.features = llvm::join(features, ",");
  return host;
}

static llvm::Expected<const llvm::Target *> findTarget(llvm::StringRef triple) {
  mlir::attn::initializeTargets();
  std::string reason;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(llvm::Triple(triple), reason);
  if (!target)
    return createError(reason);
  return target;
}

llvm::Expected<CpuModel> CpuModel::getRunnable(llvm::StringRef name) {
  auto host = getHost();
  if (!host)
    return host.takeError();
  auto target = findTarget(host->triple);
  if (!target)
    return target.takeError();
  llvm::Triple triple(host->triple);
  // Asked without a name first: LLVM prints about those it does not know.
  std::unique_ptr<llvm::MCSubtargetInfo> generic(
      (*target)->createMCSubtargetInfo(triple, "", ""));
  if (!generic || !generic->isCPUStringValid(name))
    return createError("unknown CPU '" + name + "': expected one of " +
                       triple.getArchName() + " as LLVM names it, such as " +
                       host->name);
  std::unique_ptr<llvm::MCSubtargetInfo> wanted(
      (*target)->createMCSubtargetInfo(triple, name, ""));
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    if (!feature.second && wanted->checkFeatures(("+" + feature.first()).str()))
      return createError("the CPU '" + name + "' has " + feature.first() +
                         ", which this machine has not: expected one whose "
                         "code runs here");
  return CpuModel{host->triple, name.str(), ""};
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
CpuModel::createMachine(int optLevel) const {
  auto target = findTarget(triple);
  if (!target)
    return target.takeError();
  auto level = llvm::CodeGenOpt::getLevel(optLevel);
  std::unique_ptr<llvm::TargetMachine> machine((*target)->createTargetMachine(
      llvm::Triple(triple), name, features, llvm::TargetOptions(),
      llvm::Reloc::PIC_, llvm::CodeModel::Small,
      level.value_or(llvm::CodeGenOptLevel::Default)));
  if (!machine)
    return createError("LLVM has no code generator for " + triple);
  return machine;
}

int64_t getFirstCacheBytes() {
  return std::max<long>(sysconf(_SC_LEVEL1_DCACHE_SIZE), 0);
}

} // namespace attn
