//===- Jit.cpp - Objects in this process --------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Jit.h"
#include "passes/cpu/InitializeTargets.h"
#include "runtime/engine/KernelSymbols.h"
#include "runtime/engine/ObjectCode.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <cmath>
#include <dlfcn.h>
#include <omp.h>

using namespace llvm::orc;

namespace attn {

LoadedCode::LoadedCode(std::unique_ptr<LLJIT> jit) : jit(std::move(jit)) {}
LoadedCode::LoadedCode(LoadedCode &&) = default;

LoadedCode::~LoadedCode() {
  if (jit && unload)
    unload();
}

llvm::Expected<LoadedCode>
LoadedCode::load(std::unique_ptr<llvm::MemoryBuffer> object) {
  auto host = CpuModel::getHost();
  if (!host)
    return host.takeError();
  mlir::attn::initializeTargets();
  JITTargetMachineBuilder builder{llvm::Triple(host->triple)};
  auto jit = LLJITBuilder()
                 .setJITTargetMachineBuilder(std::move(builder))
                 // Objects bring functions for what a platform would do.
                 .setPlatformSetUp(setUpInactivePlatform)
                 .create();
  if (!jit)
    return jit.takeError();
  LoadedCode code(std::move(*jit));
  JITDylib &library = code.jit->getMainJITDylib();
  // What a library was loaded for alone is not among the process's symbols.
  char prefix = code.jit->getDataLayout().getGlobalPrefix();
  for (void *address :
       {reinterpret_cast<void *>(&omp_get_max_threads),
        reinterpret_cast<void *>(static_cast<double (*)(double)>(&std::exp))}) {
    Dl_info info;
    if (!dladdr(address, &info))
      continue;
    auto generator =
        DynamicLibrarySearchGenerator::Load(info.dli_fname, prefix);
    if (!generator)
      return generator.takeError();
    library.addGenerator(std::move(*generator));
  }
  auto process = DynamicLibrarySearchGenerator::GetForCurrentProcess(prefix);
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  MangleAndInterner mangle(code.jit->getExecutionSession(),
                           code.jit->getDataLayout());
  if (llvm::Error error =
          library.define(absoluteSymbols(getKernelSymbols(mangle))))
    return std::move(error);
  if (llvm::Error error = code.jit->addObjectFile(std::move(object)))
    return std::move(error);
  auto packed = code.jit->lookup(kPackedName);
  if (!packed)
    return packed.takeError();
  auto load = code.jit->lookup(kLoadName);
  if (!load)
    return load.takeError();
  auto unload = code.jit->lookup(kUnloadName);
  if (!unload)
    return unload.takeError();
  code.packed = packed->toPtr<void (*)(void **)>();
  load->toPtr<void (*)()>()();
  code.unload = unload->toPtr<void (*)()>();
  return code;
}

} // namespace attn
