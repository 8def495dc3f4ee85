//===- Kernel.cpp - Runs IR that a test writes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/RegisterDialects.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace mlir::attn;

void attn::registerKernelDialects(MLIRContext &context) {
  static llvm::once_flag once;
  llvm::call_once(once, [] {
    registerAllPasses();
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  DialectRegistry registry;
  registerDialects(registry);
  context.appendDialectRegistry(registry);
  context
      .loadDialect<arith::ArithDialect, bufferization::BufferizationDialect,
                   func::FuncDialect, linalg::LinalgDialect, LLVM::LLVMDialect,
                   math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                   tensor::TensorDialect, vector::VectorDialect>();
}

Kernel::Kernel(MLIRContext &context, Body body) {
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  module = ModuleOp::create(builder, loc);
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, loc, "kernel",
                                       builder.getFunctionType({}, {}));
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                    builder.getUnitAttr());
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Value result = body(builder, loc);
  type = cast<RankedTensorType>(result.getType());
  Value out = entry->addArgument(
      MemRefType::get(type.getShape(), type.getElementType()), loc);
  function.setType(builder.getFunctionType(out.getType(), {}));
  bufferization::MaterializeInDestinationOp::create(
      builder, loc, /*result=*/Type(), result, out, /*restrict=*/true,
      /*writable=*/true);
  func::ReturnOp::create(builder, loc);
}

static LogicalResult runPipeline(ModuleOp module, StringRef text) {
  PassManager manager(module.getContext());
  if (failed(parsePassPipeline(text, manager)))
    return failure();
  return manager.run(module);
}

FailureOr<int64_t> Kernel::bufferize() {
  // Copies of a buffer to itself fold away.
  if (failed(runPipeline(*module,
                         "one-shot-bufferize{bufferize-function-boundaries "
                         "function-boundary-type-conversion="
                         "identity-layout-map},canonicalize,cse,"
                         "canonicalize")))
    return failure();
  int64_t copies = 0;
  module->walk([&](memref::CopyOp) { ++copies; });
  return copies;
}

template <typename T>
static FailureOr<std::vector<double>>
invoke(ExecutionEngine &engine, ArrayRef<int64_t> shape, int64_t count) {
  // The descriptor of a row-major memref: two pointers, the offset, the sizes
  // and the strides.
  std::vector<T> data(count + 1);
  std::vector<int64_t> descriptor{reinterpret_cast<int64_t>(data.data()),
                                  reinterpret_cast<int64_t>(data.data()), 0};
  llvm::append_range(descriptor, shape);
  for (size_t i = 1; i <= shape.size(); ++i) {
    int64_t stride = 1;
    for (int64_t size : shape.drop_front(i))
      stride *= size;
    descriptor.push_back(stride);
  }
  int64_t *argument = descriptor.data();
  if (llvm::Error error = engine.invoke("kernel", argument)) {
    llvm::errs() << llvm::toString(std::move(error)) << "\n";
    return failure();
  }
  return std::vector<double>(data.begin(), data.begin() + count);
}

FailureOr<std::vector<double>> Kernel::run() {
  if (failed(runPipeline(
          *module,
          "func.func(convert-linalg-to-loops),expand-strided-metadata,"
          "lower-affine,convert-scf-to-cf,convert-math-to-llvm,"
          "convert-math-to-libm,convert-arith-to-llvm,"
          "finalize-memref-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,"
          "reconcile-unrealized-casts")))
    return failure();
  auto engine = ExecutionEngine::create(*module);
  if (!engine) {
    llvm::errs() << llvm::toString(engine.takeError()) << "\n";
    return failure();
  }
  (*engine)->initialize();
  Type element = type.getElementType();
  ArrayRef<int64_t> shape = type.getShape();
  int64_t count = type.getNumElements();
  if (element.isF32())
    return invoke<float>(**engine, shape, count);
  if (element.isF64())
    return invoke<double>(**engine, shape, count);
  assert(element.isInteger(64) && "no such results");
  return invoke<int64_t>(**engine, shape, count);
}

Value attn::createConstant(OpBuilder &builder, Location loc,
                           RankedTensorType type, ArrayRef<double> elements) {
  SmallVector<Attribute> values;
  for (double element : elements) {
    if (type.getElementType().isFloat())
      values.push_back(builder.getFloatAttr(type.getElementType(), element));
    else
      values.push_back(builder.getIntegerAttr(type.getElementType(),
                                              static_cast<int64_t>(element)));
  }
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, values));
}
