//===- ShapeSizes.cpp - What the classes of dimensions say -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "passes/algebra/ShapeClasses.h"

using namespace mlir;
using namespace mlir::attn;

ShapeClasses::Id ShapeClasses::getClass(Value value, int64_t dim) const {
  auto it = dims.find(value);
  assert(it != dims.end() && "value is not of the analysed function");
  return find(it->second[dim]);
}

ShapeClasses::Id ShapeClasses::getAxisClass(Operation *product,
                                            char axis) const {
  auto it = axes.find({product, axis});
  assert(it != axes.end() && "product is not of the analysed function");
  return find(it->second);
}

std::string ShapeClasses::getName(Id id) const {
  const Info &entry = info(id);
  return entry.name.empty() ? "x" + std::to_string(find(id)) : entry.name;
}

SmallVector<ShapeClasses::SizeConstraint>
ShapeClasses::getSizeConstraints() const {
  // Static sizes that are equal need no check, dynamic ones of a static class
  // are checked against its size.
  SmallVector<SizeConstraint> constraints;
  for (const auto &[id, equal] : equalArguments)
    if (ShapedType::isDynamic(getStaticSize(id)))
      constraints.push_back(equal);
  for (const auto &[id, entry] : llvm::enumerate(infos)) {
    if (entry.parent != id || ShapedType::isDynamic(entry.size))
      continue;
    for (auto [value, dim] : entry.members) {
      auto argument = dyn_cast<BlockArgument>(value);
      bool ofFunction = argument && isa<FunctionOpInterface>(
                                        argument.getOwner()->getParentOp());
      if (ofFunction &&
          cast<RankedTensorType>(value.getType()).isDynamicDim(dim))
        constraints.push_back({{argument.getArgNumber(), dim},
                               std::nullopt,
                               entry.size,
                               argument.getLoc()});
    }
  }
  return constraints;
}

SmallVector<ShapeClasses::GroupConstraint>
ShapeClasses::getGroupConstraints() const {
  SmallVector<GroupConstraint> constraints;
  for (const Group &group : groups) {
    if (group.isSteps)
      continue;
    const Info &whole = info(group.whole);
    for (Id id : group.parts) {
      const Info &part = info(id);
      bool known =
          ShapedType::isStatic(whole.size) && ShapedType::isStatic(part.size);
      if (!known && whole.argument && part.argument)
        constraints.push_back({*whole.argument, *part.argument, group.loc});
    }
  }
  return constraints;
}

Value ShapeClasses::emitSize(OpBuilder &builder, Location loc, Id id,
                             function_ref<bool(Value)> available,
                             unsigned depth) const {
  const Info &entry = info(id);
  if (ShapedType::isStatic(entry.size))
    return arith::ConstantIndexOp::create(builder, loc, entry.size);
  for (bool arguments : {true, false})
    for (auto [value, dim] : entry.members)
      if (isa<BlockArgument>(value) == arguments && available(value))
        return builder.createOrFold<tensor::DimOp>(loc, value, dim);
  // r = (gr) / g; a group has no group in it.
  for (const Group &group : groups) {
    if (depth > 0 ||
        !llvm::is_contained(
            llvm::map_range(group.parts, [&](Id part) { return find(part); }),
            find(id)))
      continue;
    Value size = emitSize(builder, loc, group.whole, available, depth + 1);
    for (Id part : group.parts) {
      if (!size || find(part) == find(id))
        continue;
      Value other = emitSize(builder, loc, part, available, depth + 1);
      size = other ? builder.createOrFold<arith::DivUIOp>(loc, size, other)
                   : nullptr;
    }
    if (size)
      return size;
  }
  return nullptr;
}

static bool isFunctionArgument(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument &&
         isa<FunctionOpInterface>(argument.getOwner()->getParentOp());
}

Value ShapeClasses::materializeSize(OpBuilder &builder, Location loc,
                                    Id id) const {
  Block *block = builder.getInsertionBlock();
  DominanceInfo dominance;
  auto available = [&](Value value) {
    if (isFunctionArgument(value))
      return true;
    if (builder.getInsertionPoint() != block->end())
      return dominance.properlyDominates(value, &*builder.getInsertionPoint());
    return dominance.dominates(value.getParentBlock(), block);
  };
  return emitSize(builder, loc, id, available, 0);
}

Value ShapeClasses::materializeSize(OpBuilder &builder, Location loc, Id id,
                                    ArrayRef<Value> candidates) const {
  auto available = [&](Value value) {
    return isFunctionArgument(value) || llvm::is_contained(candidates, value);
  };
  return emitSize(builder, loc, id, available, 0);
}
