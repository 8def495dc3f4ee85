//===- EntryPoint.cpp - The C function around a lowered one -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/EntryPoint.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "runtime/array/Error.h"

using namespace mlir;

namespace attn {
namespace {

class EntryBuilder {
public:
  EntryBuilder(LLVM::LLVMFuncOp kernel, TypeRange argumentTypes,
               const CInterface &interface)
      : b(kernel.getLoc(), kernel.getContext()), kernel(kernel),
        interface(interface) {
    unsigned next = 0;
    for (Type type : argumentTypes) {
      firstOperands.push_back(next);
      auto shaped = dyn_cast<ShapedType>(type);
      next += shaped ? 3 + 2 * shaped.getRank() : 1;
    }
  }

  void build(ModuleOp module);

private:
  Type getParameterType(const CValue &value) {
    if (!value.isValue)
      return LLVM::LLVMPointerType::get(b.getContext());
    return kernel.getArgumentTypes()[firstOperands[value.operand]];
  }
  Value getInt(int64_t number) {
    return LLVM::ConstantOp::create(b, b.getI64IntegerAttr(number));
  }
  Value getSize(const CSize &size) {
    return size.parameter < 0 ? getInt(size.size) : sizes[size.parameter];
  }
  Value compare(LLVM::ICmpPredicate predicate, Value x, Value y) {
    return LLVM::ICmpOp::create(b, predicate, x, y);
  }
  /// The first of the parameters that is wrong, from 1, or 0.
  Value checkAll();
  /// Whether a relation of sizes does not hold.
  Value isBroken(const CRelation &relation);
  /// Fills in the operands that a tensor or a number has.
  void setOperands(const CValue &value, Value parameter);

  ImplicitLocOpBuilder b;
  LLVM::LLVMFuncOp kernel;
  const CInterface &interface;
  SmallVector<Value> sizes, parameters, operands;
  /// Where the operands of each argument begin.
  SmallVector<unsigned> firstOperands;
};

} // namespace

Value EntryBuilder::isBroken(const CRelation &relation) {
  Value whole = getSize(relation.whole), part = getSize(relation.part);
  if (relation.factor != 0)
    return compare(LLVM::ICmpPredicate::ne, whole,
                   LLVM::MulOp::create(b, part, getInt(relation.factor)));
  // No part leaves no whole.
  Value zero = getInt(0);
  Value isZero = compare(LLVM::ICmpPredicate::eq, part, zero);
  Value divisor = LLVM::SelectOp::create(b, isZero, getInt(1), part);
  Value rest = LLVM::SRemOp::create(b, whole, divisor);
  return compare(LLVM::ICmpPredicate::ne,
                 LLVM::SelectOp::create(b, isZero, whole, rest), zero);
}

Value EntryBuilder::checkAll() {
  Type i32 = b.getI32Type();
  Value wrong = LLVM::ConstantOp::create(b, b.getI32IntegerAttr(0));
  // The last one first: the first one that is wrong decides.
  auto report = [&](Value isWrong, int64_t position) {
    Value code = LLVM::ConstantOp::create(
        b, i32, b.getI32IntegerAttr(static_cast<int32_t>(position)));
    wrong = LLVM::SelectOp::create(b, isWrong, code, wrong);
  };
  Value zero = getInt(0);
  Value null =
      LLVM::ZeroOp::create(b, LLVM::LLVMPointerType::get(b.getContext()));
  for (size_t i = interface.values.size(); i-- > 0;) {
    const CValue &value = interface.values[i];
    if (value.isValue)
      continue;
    Value count = getInt(1);
    for (const CSize &size : value.shape)
      count = LLVM::MulOp::create(b, count, getSize(size));
    Value isNull = compare(LLVM::ICmpPredicate::eq, parameters[i], null);
    Value isThere = compare(LLVM::ICmpPredicate::ne, count, zero);
    report(LLVM::AndOp::create(b, isNull, isThere), sizes.size() + i + 1);
  }
  for (const CRelation &relation : llvm::reverse(interface.relations))
    report(isBroken(relation),
           1 + (relation.whole.parameter >= 0 ? relation.whole.parameter
                                              : relation.part.parameter));
  for (size_t i = sizes.size(); i-- > 0;)
    report(compare(LLVM::ICmpPredicate::slt, sizes[i], zero), i + 1);
  return wrong;
}

void EntryBuilder::setOperands(const CValue &value, Value parameter) {
  unsigned first = firstOperands[value.operand];
  operands[first] = parameter;
  if (value.isValue)
    return;
  // allocated, aligned, offset, sizes, strides
  operands[first + 1] = parameter;
  operands[first + 2] = getInt(0);
  Value stride = getInt(1);
  int64_t rank = value.shape.size();
  for (int64_t d = rank; d-- > 0;) {
    Value size = getSize(value.shape[d]);
    operands[first + 3 + d] = size;
    operands[first + 3 + rank + d] = stride;
    stride = LLVM::MulOp::create(b, stride, size);
  }
}

void EntryBuilder::build(ModuleOp module) {
  b.setInsertionPointToEnd(module.getBody());
  Type i64 = b.getI64Type(), i32 = b.getI32Type();
  SmallVector<Type> types(interface.sizes.size(), i64);
  for (const CValue &value : interface.values)
    types.push_back(getParameterType(value));
  auto function = LLVM::LLVMFuncOp::create(
      b, interface.name, LLVM::LLVMFunctionType::get(i32, types));
  Block *entry = function.addEntryBlock(b);
  Block *call = b.createBlock(&function.getBody());
  Block *refuse = b.createBlock(&function.getBody());
  for (size_t i = 0; i < types.size(); ++i)
    (i < interface.sizes.size() ? sizes : parameters)
        .push_back(entry->getArgument(i));

  b.setInsertionPointToEnd(entry);
  Value wrong = checkAll();
  Value zero = LLVM::ConstantOp::create(b, b.getI32IntegerAttr(0));
  LLVM::CondBrOp::create(b, compare(LLVM::ICmpPredicate::eq, wrong, zero), call,
                         refuse);
  b.setInsertionPointToEnd(refuse);
  LLVM::ReturnOp::create(b, wrong);

  b.setInsertionPointToEnd(call);
  // What nothing describes is the memory of a result that a state holds.
  operands.resize(kernel.getNumArguments());
  for (auto [operand, type] :
       llvm::zip_equal(operands, kernel.getArgumentTypes()))
    operand = LLVM::ZeroOp::create(b, type);
  SmallVector<std::pair<const CValue *, Value>> returned;
  Value status = LLVM::AllocaOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()), i64, getInt(1));
  LLVM::StoreOp::create(b, getInt(0), status);
  operands.back() = status;
  for (auto [value, parameter] :
       llvm::zip_equal(interface.values, parameters)) {
    if (value.operand >= 0)
      setOperands(value, parameter);
    else
      returned.push_back({&value, parameter});
  }
  auto results = LLVM::CallOp::create(b, kernel, operands);
  for (auto [i, entryPair] : llvm::enumerate(returned)) {
    Value result = results.getResult();
    if (returned.size() > 1)
      result = LLVM::ExtractValueOp::create(b, result, i);
    LLVM::StoreOp::create(b, result, entryPair.second);
  }
  // Bytes that were not to be had.
  Value missing = LLVM::LoadOp::create(b, i64, status);
  Value isComplete = compare(LLVM::ICmpPredicate::eq, missing, getInt(0));
  Value noMemory = LLVM::ConstantOp::create(b, b.getI32IntegerAttr(-1));
  LLVM::ReturnOp::create(
      b, LLVM::SelectOp::create(b, isComplete, zero, noMemory).getResult());
}

llvm::Error addEntryPoint(ModuleOp module, StringRef entry,
                          TypeRange argumentTypes,
                          const CInterface &interface) {
  auto kernel = module.lookupSymbol<LLVM::LLVMFuncOp>(entry);
  for (auto function : llvm::to_vector(module.getOps<LLVM::LLVMFuncOp>())) {
    if (function.isExternal())
      continue;
    function.setLinkage(LLVM::Linkage::Internal);
    // A point is in no name of C.
    auto name =
        StringAttr::get(module.getContext(), "attn." + function.getSymName());
    if (failed(SymbolTable::replaceAllSymbolUses(function, name, module)))
      return createError(function.getLoc(),
                         "'" + function.getSymName() + "' cannot be renamed");
    function.setSymNameAttr(name);
  }
  if (module.lookupSymbol(interface.name))
    return createError(kernel.getLoc(),
                       "the C function cannot be named '" + interface.name +
                           "': the code calls another of that name");
  EntryBuilder(kernel, argumentTypes, interface).build(module);
  return llvm::Error::success();
}

} // namespace attn
