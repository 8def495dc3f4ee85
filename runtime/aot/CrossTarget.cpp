//===- CrossTarget.cpp - CPUs that need not be this one -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/CrossTarget.h"
#include "passes/cpu/InitializeTargets.h"
#include "runtime/array/Error.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace attn {

/// LLVM's target of a triple, if it is one of a CPU.
static const llvm::Target *findTarget(const llvm::Triple &triple) {
  std::string reason;
  if (!triple.isX86() && !triple.isAArch64() && !triple.isARM() &&
      !triple.isRISCV() && !triple.isPPC() && !triple.isSystemZ() &&
      !triple.isLoongArch())
    return nullptr;
  return llvm::TargetRegistry::lookupTarget(triple, reason);
}

static llvm::Triple completeTriple(llvm::StringRef text) {
  llvm::Triple triple(llvm::Triple::normalize(text));
  if (triple.getOS() == llvm::Triple::UnknownOS)
    triple.setOS(llvm::Triple::Linux);
  if (triple.isOSLinux() &&
      triple.getEnvironment() == llvm::Triple::UnknownEnvironment)
    triple.setEnvironment(llvm::Triple::GNU);
  return triple;
}

llvm::Expected<CpuModel> findCpu(llvm::StringRef model) {
  mlir::attn::initializeTargets();
  if (model.empty() || model == "host")
    return CpuModel::getHost();
  auto fail = [&](const llvm::Twine &expected) {
    return createError("unknown target 'cpu:" + model + "': expected " +
                       expected);
  };
  llvm::Triple host(llvm::sys::getProcessTriple());
  auto [first, name] = model.split(':');
  llvm::Triple triple = completeTriple(first);
  const llvm::Target *target = findTarget(triple);
  bool hasArch = target != nullptr;
  if (!hasArch) {
    if (model.contains(':'))
      return fail("an architecture before the colon, such as aarch64");
    triple = host;
    name = model;
    target = findTarget(triple);
  }
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target ? target->createMCSubtargetInfo(triple, "", "") : nullptr);
  if (!info)
    return fail("a CPU that LLVM has code for");
  if (model.ends_with(":") || (!name.empty() && !info->isCPUStringValid(name)))
    return fail("a CPU of " + triple.getArchName() +
                " as LLVM names it, or an architecture and its CPU, such as " +
                "cpu:x86-64-v3 or cpu:aarch64:neoverse-n1");
  return CpuModel{triple.str(), name.empty() ? "generic" : name.str(), ""};
}

} // namespace attn
