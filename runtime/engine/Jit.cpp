//===- Jit.cpp - From the LLVM dialect to machine code -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Jit.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/KernelSymbols.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace attn;

static llvm::Expected<llvm::orc::JITTargetMachineBuilder> detectHost() {
  static const bool ready = [] {
    return !llvm::InitializeNativeTarget() &&
           !llvm::InitializeNativeTargetAsmPrinter();
  }();
  if (!ready)
    return createError("LLVM has no code generator for this host");
  return llvm::orc::JITTargetMachineBuilder::detectHost();
}

llvm::Error attn::setHostTarget(mlir::ModuleOp module) {
  auto host = detectHost();
  if (!host)
    return host.takeError();
  mlir::MLIRContext *context = module.getContext();
  context->loadDialect<mlir::LLVM::LLVMDialect>();
  auto getText = [&](llvm::StringRef text) {
    return mlir::StringAttr::get(context, text);
  };
  module->setAttr(mlir::LLVM::LLVMDialect::getTargetAttrName(),
                  mlir::LLVM::TargetAttr::get(
                      context, getText(host->getTargetTriple().str()),
                      getText(host->getCPU()),
                      mlir::LLVM::TargetFeaturesAttr::get(
                          context, host->getFeatures().getString())));
  return llvm::Error::success();
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createHostTarget(int optLevel) {
  auto builder = detectHost();
  if (!builder)
    return builder.takeError();
  if (auto level = llvm::CodeGenOpt::getLevel(optLevel))
    builder->setCodeGenOptLevel(*level);
  return builder->createTargetMachine();
}

static llvm::Error writeText(const llvm::Module &module,
                             llvm::StringRef directory) {
  std::error_code code;
  std::string path = (directory + "/kernel.ll").str();
  llvm::raw_fd_ostream stream(path, code);
  if (!code)
    module.print(stream, nullptr);
  if (!code)
    code = stream.error();
  if (!code)
    return llvm::Error::success();
  stream.clear_error();
  return llvm::createStringError(code, "cannot write '" + path +
                                           "': " + code.message());
}

llvm::Expected<std::unique_ptr<mlir::ExecutionEngine>>
attn::compileForHost(mlir::ModuleOp module, const JitOptions &options) {
  auto target = createHostTarget(options.optLevel);
  if (!target)
    return target.takeError();
  bool hasAvx512 = (*target)->getTargetFeatureString().contains("+avx512f");
  llvm::Error dumped = llvm::Error::success();

  auto translate = [&](mlir::Operation *op, llvm::LLVMContext &context) {
    std::unique_ptr<llvm::Module> code =
        mlir::translateModuleToLLVMIR(op, context);
    if (!code)
      return code;
    // LLVM prefers 256 bits on most hosts with AVX-512: kernels that are
    // vectorised on purpose gain from full registers.
    for (llvm::Function &function : *code)
      if (hasAvx512 && !function.isDeclaration())
        function.addFnAttr("prefer-vector-width", "512");
    if (!options.dumpDirectory.empty())
      dumped = llvm::joinErrors(std::move(dumped),
                                writeText(*code, options.dumpDirectory));
    return code;
  };

  // The engine owns the target; it optimizes while it is created.
  auto optimize = mlir::makeOptimizingTransformer(
      options.optLevel, /*sizeLevel=*/0, target->get());
  mlir::ExecutionEngineOptions engineOptions;
  engineOptions.llvmModuleBuilder = translate;
  engineOptions.transformer = optimize;
  engineOptions.jitCodeGenOptLevel = (*target)->getOptLevel();
  // It leaves files in the user's home.
  engineOptions.enablePerfNotificationListener = false;

  std::unique_ptr<mlir::ExecutionEngine> engine;
  llvm::Error failed = llvm::Error::success();
  auto create = [&] {
    auto created = mlir::ExecutionEngine::create(module, engineOptions,
                                                 std::move(*target));
    if (created)
      engine = std::move(*created);
    else
      failed = llvm::joinErrors(std::move(failed), created.takeError());
    return mlir::success(engine != nullptr);
  };
  llvm::Error reported = collectErrors(module.getContext(),
                                       "translation to LLVM IR failed", create);
  llvm::Error error =
      llvm::joinErrors(std::move(dumped), llvm::joinErrors(std::move(reported),
                                                           std::move(failed)));
  if (error)
    return std::move(error);
  engine->registerSymbols(getKernelSymbols);
  engine->initialize();
  return engine;
}
