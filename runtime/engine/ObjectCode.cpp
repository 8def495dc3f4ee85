//===- ObjectCode.cpp - From the LLVM dialect to an object --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/ObjectCode.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "runtime/array/Error.h"
#include "runtime/engine/Diagnostics.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/FileSystem.h"

namespace attn {

void setTarget(mlir::ModuleOp module, const CpuModel &cpu) {
  mlir::MLIRContext *context = module.getContext();
  context->loadDialect<mlir::LLVM::LLVMDialect>();
  auto getText = [&](llvm::StringRef text) {
    return mlir::StringAttr::get(context, text);
  };
  module->setAttr(
      mlir::LLVM::LLVMDialect::getTargetAttrName(),
      mlir::LLVM::TargetAttr::get(
          context, getText(cpu.triple), getText(cpu.name),
          mlir::LLVM::TargetFeaturesAttr::get(context, cpu.features)));
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

/// void attn_packed(void **p) { *p[n] = f(*p[0], ..., *p[n - 1]); }
static llvm::Error addPacked(llvm::Module &module, llvm::StringRef name) {
  llvm::Function *function = module.getFunction(name);
  if (!function)
    return createError("the compiled module has no function '" + name + "'");
  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> b(context);
  llvm::Type *pointer = b.getPtrTy();
  auto *packed = llvm::Function::Create(
      llvm::FunctionType::get(b.getVoidTy(), {pointer}, false),
      llvm::Function::ExternalLinkage, kPackedName, module);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", packed));
  auto getAddress = [&](unsigned i) {
    return b.CreateLoad(
        pointer, b.CreateConstInBoundsGEP1_64(pointer, packed->getArg(0), i));
  };
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : function->args())
    arguments.push_back(
        b.CreateLoad(argument.getType(), getAddress(argument.getArgNo())));
  llvm::Value *result = b.CreateCall(function, arguments);
  if (!result->getType()->isVoidTy())
    b.CreateStore(result, getAddress(arguments.size()));
  b.CreateRetVoid();
  return llvm::Error::success();
}

/// Makes a function of a list of global constructors or destructors.
static void addCalls(llvm::Module &module, llvm::StringRef name,
                     llvm::StringRef list,
                     llvm::iterator_range<llvm::orc::CtorDtorIterator> calls) {
  llvm::LLVMContext &context = module.getContext();
  llvm::IRBuilder<> b(context);
  auto *function =
      llvm::Function::Create(llvm::FunctionType::get(b.getVoidTy(), false),
                             llvm::Function::ExternalLinkage, name, module);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  for (auto element : calls)
    b.CreateCall(element.Func);
  b.CreateRetVoid();
  if (llvm::GlobalVariable *global = module.getNamedGlobal(list))
    global->eraseFromParent();
}

/// LLVM has no use for what the graph says of arguments and results.
static void removeGraphAttributes(mlir::ModuleOp module) {
  auto isOurs = [](mlir::NamedAttribute attr) {
    return attr.getName().strref().starts_with("attn.");
  };
  for (auto function : module.getOps<mlir::FunctionOpInterface>()) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      for (mlir::NamedAttribute attr : llvm::to_vector(
               mlir::function_interface_impl::getArgAttrs(function, i)))
        if (isOurs(attr))
          function.removeArgAttr(i, attr.getName());
    for (unsigned i = 0; i < function.getNumResults(); ++i)
      for (mlir::NamedAttribute attr : llvm::to_vector(
               mlir::function_interface_impl::getResultAttrs(function, i)))
        if (isOurs(attr))
          function.removeResultAttr(i, attr.getName());
  }
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
compileObject(mlir::ModuleOp module, const CpuModel &cpu,
              const ObjectOptions &options) {
  auto machine = cpu.createMachine(options.optLevel);
  if (!machine)
    return machine.takeError();
  removeGraphAttributes(module);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code;
  if (llvm::Error error = collectErrors(
          module.getContext(), "translation to LLVM IR failed", [&] {
            code = mlir::translateModuleToLLVMIR(module, context);
            return mlir::success(code != nullptr);
          }))
    return std::move(error);
  code->setDataLayout((*machine)->createDataLayout());
  code->setTargetTriple((*machine)->getTargetTriple());
  if (!options.packed.empty()) {
    if (llvm::Error error = addPacked(*code, options.packed))
      return std::move(error);
    addCalls(*code, kLoadName, "llvm.global_ctors",
             llvm::orc::getConstructors(*code));
    addCalls(*code, kUnloadName, "llvm.global_dtors",
             llvm::orc::getDestructors(*code));
  }
  // LLVM prefers 256 bits on most CPUs with AVX-512: kernels that are
  // vectorised on purpose gain from full registers.
  bool hasAvx512 = (*machine)->getTargetTriple().isX86() &&
                   (*machine)->getMCSubtargetInfo()->checkFeatures("+avx512f");
  for (llvm::Function &function : *code)
    if (hasAvx512 && !function.isDeclaration())
      function.addFnAttr("prefer-vector-width", "512");
  if (!options.dumpDirectory.empty())
    if (llvm::Error error = writeText(*code, options.dumpDirectory))
      return std::move(error);
  if (llvm::Error error = mlir::makeOptimizingTransformer(
          options.optLevel, /*sizeLevel=*/0, machine->get())(code.get()))
    return std::move(error);
  return llvm::orc::SimpleCompiler(**machine)(*code);
}

} // namespace attn
