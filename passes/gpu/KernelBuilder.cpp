//===- KernelBuilder.cpp - A kernel and its launch -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace mlir::attn;

/// Shared memory that a launch gives the size of.
static constexpr char kShared[] = "shared";

KernelBuilder::KernelBuilder(ModuleOp module, StringRef name,
                             Operation *launchPoint)
    : host(launchPoint), entry(module.getContext()),
      loc(launchPoint->getLoc()) {
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  kernels = gpu::GPUModuleOp::create(b, loc, name);
  SymbolTable(module).insert(kernels);
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  b.getUnitAttr());
  b.setInsertionPointToStart(kernels.getBody());
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  LLVM::GlobalOp::create(b, loc, bytes, /*isConstant=*/false,
                         LLVM::Linkage::External, kShared, Attribute(),
                         /*alignment=*/128, /*addrSpace=*/3);
  function = gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType({}, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  entry.setInsertionPointToStart(&function.getBody().front());
  auto end = gpu::ReturnOp::create(entry, loc);
  entry.setInsertionPoint(end);
}

Value KernelBuilder::addArgument(Value operand) {
  operands.push_back(operand);
  return function.getBody().front().addArgument(operand.getType(), loc);
}

Value KernelBuilder::pass(Value number) {
  Value &argument = passed[number];
  if (!argument)
    argument = addArgument(number);
  return argument;
}

OpFoldResult KernelBuilder::pass(OpFoldResult number) {
  if (auto value = dyn_cast<Value>(number))
    return pass(value);
  return number;
}

OpFoldResult KernelBuilder::passSize(Value shaped, int64_t dim) {
  auto type = cast<ShapedType>(shaped.getType());
  if (!type.isDynamicDim(dim))
    return host.getIndexAttr(type.getDimSize(dim));
  Value &size = sizes[{shaped, dim}];
  if (!size) {
    Operation *op;
    if (isa<MemRefType>(type))
      op = memref::DimOp::create(host, loc, shaped, dim);
    else
      op = tensor::DimOp::create(host, loc, shaped, dim);
    hostOps.push_back(op);
    size = op->getResult(0);
  }
  return pass(size);
}

Value KernelBuilder::passPointer(Value tensorOrBuffer) {
  Value &pointer = pointers[tensorOrBuffer];
  if (pointer)
    return pointer;
  DenseElementsAttr constant;
  if (matchPattern(tensorOrBuffer, m_Constant(&constant))) {
    // Constants are the kernel's.
    OpBuilder b = OpBuilder::atBlockBegin(kernels.getBody());
    Type element = constant.getElementType();
    int64_t count = constant.getNumElements();
    auto global = LLVM::GlobalOp::create(
        b, loc, LLVM::LLVMArrayType::get(element, count), /*isConstant=*/true,
        LLVM::Linkage::Internal, ("constant" + Twine(pointers.size())).str(),
        constant.reshape(RankedTensorType::get({count}, element)),
        /*alignment=*/16, /*addrSpace=*/1);
    b.setInsertionPointToStart(&function.getBody().front());
    pointer = LLVM::AddressOfOp::create(b, loc, global);
    return pointer;
  }
  Value buffer = tensorOrBuffer;
  if (auto type = dyn_cast<RankedTensorType>(buffer.getType())) {
    auto view = bufferization::ToBufferOp::create(
        host, loc, MemRefType::get(type.getShape(), type.getElementType()),
        buffer, /*read_only=*/true);
    hostOps.push_back(view);
    buffer = view;
  }
  auto address =
      memref::ExtractAlignedPointerAsIndexOp::create(host, loc, buffer);
  hostOps.push_back(address);
  OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
  Value number =
      arith::IndexCastOp::create(b, loc, b.getI64Type(), addArgument(address));
  pointer = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext(), 1), number);
  return pointer;
}

Value KernelBuilder::getSharedMemory() {
  return LLVM::AddressOfOp::create(
      entry, loc, LLVM::LLVMPointerType::get(entry.getContext(), 3), kShared);
}

void KernelBuilder::launch(Value blocks, int64_t threads, int64_t sharedBytes) {
  // Templates have been evaluated: nothing is left of them.
  Block &body = function.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op) ||
        (isa<UnrealizedConversionCastOp>(op) && op.use_empty()))
      op.erase();
  function.setFunctionType(host.getFunctionType(body.getArgumentTypes(), {}));
  function.setKnownBlockSizeAttr(
      host.getDenseI32ArrayAttr({int32_t(threads), 1, 1}));
  SmallVector<Value> all{
      blocks, arith::ConstantIndexOp::create(host, loc, threads),
      arith::ConstantIndexOp::create(host, loc, sharedBytes)};
  llvm::append_range(all, operands);
  // A call of a function without a body, which deallocation can be told of:
  // attn-launch-forall makes a launch of it.
  auto module = kernels->getParentOfType<ModuleOp>();
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto stub =
      func::FuncOp::create(b, loc, (kernels.getName() + "_launch").str(),
                           b.getFunctionType(ValueRange(all).getTypes(), {}));
  stub.setPrivate();
  SymbolTable(module).insert(stub);
  auto call = func::CallOp::create(host, loc, stub, all);
  call->setAttr(kKernelAttrName,
                SymbolRefAttr::get(kernels.getNameAttr(),
                                   FlatSymbolRefAttr::get(function)));
}

void attn::emitLaunch(func::CallOp call) {
  auto kernel = call->getAttrOfType<SymbolRefAttr>(kKernelAttrName);
  OpBuilder b(call);
  Location loc = call.getLoc();
  ValueRange operands = call.getOperands();
  Value one = arith::ConstantIndexOp::create(b, loc, 1),
        shared =
            arith::IndexCastOp::create(b, loc, b.getI32Type(), operands[2]);
  gpu::LaunchFuncOp::create(
      b, loc, kernel, gpu::KernelDim3{operands[0], one, one},
      gpu::KernelDim3{operands[1], one, one}, shared, operands.drop_front(3));
  call.erase();
}

void KernelBuilder::erase() {
  for (Operation *op : llvm::reverse(hostOps))
    if (op->use_empty())
      op->erase();
  kernels->erase();
}
