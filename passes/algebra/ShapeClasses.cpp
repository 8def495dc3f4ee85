//===- ShapeClasses.cpp - Dimensions of equal size -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/ShapeClasses.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::attn;

//===----------------------------------------------------------------------===//
// Union-find
//===----------------------------------------------------------------------===//

ShapeClasses::Id ShapeClasses::find(Id id) const {
  while (infos[id].parent != id)
    id = infos[id].parent;
  return id;
}

ShapeClasses::Id ShapeClasses::addClass(int64_t size) {
  Id id = infos.size();
  infos.emplace_back();
  infos.back().parent = id;
  infos.back().size = size;
  return id;
}

void ShapeClasses::addValue(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return;
  SmallVector<Id> &ids = dims[value];
  for (int64_t i = 0; i < type.getRank(); ++i) {
    ids.push_back(addClass(type.getDimSize(i)));
    infos.back().members.push_back({value, i});
  }
}

void ShapeClasses::setSize(Id id, int64_t size, Location loc) {
  Info &entry = infos[find(id)];
  if (ShapedType::isDynamic(size))
    return;
  if (ShapedType::isStatic(entry.size) && entry.size != size)
    mismatches.push_back({loc, entry.size, size});
  else
    entry.size = size;
}

void ShapeClasses::unite(Id a, Id b, Location loc) {
  a = find(a);
  b = find(b);
  if (a == b)
    return;
  if (infos[a].rank < infos[b].rank)
    std::swap(a, b);
  Info &into = infos[a], &from = infos[b];
  into.rank = std::max(into.rank, from.rank + 1);
  from.parent = a;
  setSize(a, from.size, loc);
  into.members.append(from.members);
  if (into.argument && from.argument)
    equalArguments.push_back(
        {a, {*into.argument, from.argument, ShapedType::kDynamic, loc}});
  if (!into.argument)
    into.argument = from.argument;
  if (into.name.empty())
    into.name = from.name;
}

void ShapeClasses::tie(Value a, int64_t i, Value b, int64_t j, Location loc) {
  unite(getClass(a, i), getClass(b, j), loc);
}

void ShapeClasses::tieAll(Value a, Value b, Location loc, int64_t except) {
  auto left = dyn_cast<RankedTensorType>(a.getType());
  auto right = dyn_cast<RankedTensorType>(b.getType());
  if (!left || !right || left.getRank() != right.getRank())
    return;
  for (int64_t i = 0; i < left.getRank(); ++i)
    if (i != except)
      tie(a, i, b, i, loc);
}

void ShapeClasses::tieReduced(Value a, Value b, int64_t without, Location loc) {
  int64_t rank = cast<RankedTensorType>(a.getType()).getRank();
  for (int64_t i = 0, j = 0; i < rank; ++i)
    if (i != without)
      tie(a, i, b, j++, loc);
}

void ShapeClasses::tieDim(Id whole, ArrayRef<Id> parts, Location loc) {
  if (parts.size() == 1)
    unite(whole, parts.front(), loc);
  else
    groups.push_back({whole, SmallVector<Id>(parts), loc});
}

template <typename Op>
void ShapeClasses::tieSteps(Op op, Value few, Value many) {
  int64_t dim = op.getTokenDimension(), count = op.getSteps();
  tieAll(few, many, op.getLoc(), dim);
  auto [steps, isNew] = stepCounts.try_emplace(count, 0);
  if (isNew)
    steps->second = addClass(count);
  groups.push_back({getClass(many, dim),
                    {getClass(few, dim), steps->second},
                    op.getLoc(),
                    /*isSteps=*/true});
}

/// Two factorisations `w = x_1 .. x_k`, `w' = y_1 .. y_k`: equal parts make
/// equal wholes, and equal wholes with all parts but one equal make the last
/// part equal. To the fixed point.
void ShapeClasses::closeGroups() {
  bool changed = true;
  while (changed) {
    changed = false;
    for (const Group &a : groups)
      for (const Group &b : groups) {
        if (&a == &b || a.parts.size() != b.parts.size())
          continue;
        SmallVector<unsigned> differ;
        for (unsigned i = 0; i < a.parts.size(); ++i)
          if (find(a.parts[i]) != find(b.parts[i]))
            differ.push_back(i);
        bool sameWhole = find(a.whole) == find(b.whole);
        if (differ.empty() && !sameWhole) {
          unite(a.whole, b.whole, b.loc);
          changed = true;
        } else if (differ.size() == 1 && sameWhole) {
          unite(a.parts[differ[0]], b.parts[differ[0]], b.loc);
          changed = true;
        }
      }
  }
}

//===----------------------------------------------------------------------===//
// What ties dimensions
//===----------------------------------------------------------------------===//

/// Letters are numbered in the order of their first use, `n`, `n2`, ...
void ShapeClasses::nameAxis(Id id, char letter) {
  Info &entry = infos[find(id)];
  if (!entry.name.empty())
    return;
  unsigned count = ++letterUses[letter];
  entry.name = std::string(1, letter);
  if (count > 1)
    entry.name += std::to_string(count);
}

LogicalResult ShapeClasses::addArgumentAxes(FunctionOpInterface func) {
  DenseMap<char, Id> letters;
  for (BlockArgument argument : func.getArguments()) {
    Attribute attr = func.getArgAttr(argument.getArgNumber(), "attn.axes");
    if (!attr)
      continue;
    auto error = [&] {
      return func.emitError()
             << "'attn.axes' of argument " << argument.getArgNumber() << ": ";
    };
    auto text = dyn_cast<StringAttr>(attr);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!text || !type)
      return error() << "expected a string on a ranked tensor, got " << attr;
    // The syntax is that of one operand of subscripts.
    FailureOr<Einsum> einsum = Einsum::parse(text.str() + ",->", error);
    if (failed(einsum))
      return failure();
    if (static_cast<int64_t>(einsum->lhs.size()) != type.getRank())
      return error() << "expected " << type.getRank() << " dimensions for "
                     << type << ", got '" << text.getValue() << "'";
    for (auto [i, dim] : llvm::enumerate(einsum->lhs)) {
      SmallVector<Id> parts;
      for (char letter : dim) {
        auto [it, isNew] = letters.try_emplace(letter, 0);
        if (isNew)
          it->second = addClass(ShapedType::kDynamic);
        parts.push_back(it->second);
      }
      tieDim(getClass(argument, i), parts, argument.getLoc());
    }
  }
  return success();
}

/// `letters` has the axes of all operands, then of all results; none for one
/// without names.
void ShapeClasses::addLetters(Operation *op, ArrayRef<EinsumOperand> letters) {
  SmallVector<Value> values(op->getOperands());
  llvm::append_range(values, op->getResults());
  SmallVector<Einsum::NamedShape> shapes;
  std::string text;
  for (auto [operand, value] : llvm::zip_equal(letters, values)) {
    auto type = cast<RankedTensorType>(value.getType());
    if (static_cast<int64_t>(operand.size()) != type.getRank())
      continue;
    text += (text.empty() ? "" : ",") + toString(operand);
    shapes.push_back({operand, type.getShape()});
    for (auto [i, dim] : llvm::enumerate(operand)) {
      SmallVector<Id> parts;
      for (char letter : dim) {
        auto [it, isNew] = axes.try_emplace({op, letter}, 0);
        if (isNew)
          it->second = addClass(ShapedType::kDynamic);
        parts.push_back(it->second);
      }
      tieDim(getClass(value, i), parts, op->getLoc());
    }
  }
  // The parts of groups have no dimension of their own: their sizes follow
  // from the division that P5 checks.
  auto sizes =
      Einsum::solveAxisSizes(shapes, text, [op] { return op->emitOpError(); });
  if (succeeded(sizes))
    for (auto [letter, size] : *sizes)
      setSize(axes.lookup({op, letter}), size, op->getLoc());
}

void ShapeClasses::addProduct(ContractionOpInterface op) {
  Einsum einsum = op.getSubscripts();
  addLetters(op, {einsum.lhs, einsum.rhs, einsum.result});
}

void ShapeClasses::addNamedAxes(NamedAxesOpInterface op) {
  SmallVector<EinsumOperand> letters = op.getAxesOfOperands();
  letters.append(op.getAxesOfResults());
  addLetters(op, letters);
  if (auto equal = op.getEqualAxes())
    unite(getAxisClass(op, equal->first), getAxisClass(op, equal->second),
          op.getLoc());
}

void ShapeClasses::addMask(MaskOp op) {
  tieAll(op.getScores(), op.getResult(), op.getLoc());
  // Boolean operands broadcast to the scores from the right; a static size of
  // 1 is repeated. All others (cu_seqlens) have sizes of their own.
  int64_t rank = op.getType().getRank();
  for (Value operand : op.getMaskOperands()) {
    auto type = cast<RankedTensorType>(operand.getType());
    if (!type.getElementType().isInteger(1) || type.getRank() > rank)
      continue;
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (type.getDimSize(i) != 1)
        tie(op.getScores(), rank - type.getRank() + i, operand, i, op.getLoc());
  }
}

/// Leading dimensions of map operands are the last batch dimensions.
template <typename Op> void ShapeClasses::addMapOperands(Op op) {
  int64_t feature = op.getFeatureDimension();
  SmallVector<int64_t> batch;
  for (int64_t i = 0; i < op.getInput().getType().getRank(); ++i)
    if (i != feature && i != op.getTokenDimension())
      batch.push_back(i);
  for (Value operand : op.getMapOperands()) {
    int64_t leading = cast<RankedTensorType>(operand.getType()).getRank() - 2;
    int64_t offset = static_cast<int64_t>(batch.size()) - leading;
    for (int64_t i = 0; offset >= 0 && i < leading; ++i)
      tie(op.getInput(), batch[offset + i], operand, i, op.getLoc());
  }
}

void ShapeClasses::addFeatureMap(FeatureMapOp op) {
  tieAll(op.getInput(), op.getResult(), op.getLoc(),
         op.isElementwise() ? -1 : op.getFeatureDimension());
  addMapOperands(op);
}

void ShapeClasses::addOperation(Operation *op) {
  Location loc = op->getLoc();
  if (auto product = dyn_cast<ContractionOpInterface>(op))
    return addProduct(product);
  if (auto named = dyn_cast<NamedAxesOpInterface>(op))
    return addNamedAxes(named);
  if (auto mask = dyn_cast<MaskOp>(op))
    return addMask(mask);
  if (auto map = dyn_cast<FeatureMapOp>(op))
    return addFeatureMap(map);
  if (auto ones = dyn_cast<AppendOnesOp>(op))
    return tieAll(ones.getInput(), ones.getResult(), loc, ones.getDimension());
  if (auto divide = dyn_cast<DivideByLastOp>(op)) {
    tieAll(divide.getInput(), divide.getResult(), loc, divide.getDimension());
    if (divide.getLogScale())
      tieReduced(divide.getInput(), divide.getLogScale(), divide.getDimension(),
                 loc);
    return;
  }
  if (auto divide = dyn_cast<DivideOp>(op)) {
    for (Value operand : divide->getOperands())
      tieAll(operand, divide.getResult(), loc);
    return;
  }
  if (auto scale = dyn_cast<FeatureScaleOp>(op)) {
    tieReduced(scale.getInput(), scale.getResult(), scale.getFeatureDimension(),
               loc);
    return addMapOperands(scale);
  }
  if (auto steps = dyn_cast<ExpandStepsOp>(op))
    return tieSteps(steps, steps.getInput(), steps.getResult());
  if (auto steps = dyn_cast<TakeStepsOp>(op))
    return tieSteps(steps, steps.getResult(), steps.getInput());
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    for (Region &region : branch->getRegions())
      if (!region.empty())
        for (auto [result, value] :
             llvm::zip(op->getResults(),
                       region.front().getTerminator()->getOperands()))
          tieAll(result, value, loc);
    return;
  }
  // tieAll checks the ranks: scalars and index operands tie nothing.
  if (isa<ScaleOp, SoftmaxOp, NormalizeOp, tensor::CastOp>(op))
    return tieAll(op->getOperand(0), op->getResult(0), loc);
  if (op->hasTrait<OpTrait::Elementwise>())
    for (Value operand : op->getOperands())
      for (Value result : op->getResults())
        tieAll(operand, result, loc);
}

/// The axes by which an operation names classes. The default axes of a gate
/// mean nothing.
static SmallVector<EinsumOperand> getWrittenAxes(Operation *op) {
  if (auto product = dyn_cast<ContractionOpInterface>(op)) {
    Einsum einsum = product.getSubscripts();
    return {einsum.lhs, einsum.rhs};
  }
  auto named = dyn_cast<NamedAxesOpInterface>(op);
  auto gate = dyn_cast<GateOp>(op);
  if (!named || (gate && !gate.getEinsum()))
    return {};
  return named.getAxesOfOperands();
}

FailureOr<ShapeClasses> ShapeClasses::analyze(FunctionOpInterface func) {
  ShapeClasses classes;
  // 1. A class for each dimension.
  func->walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          classes.addValue(argument);
    for (Value result : op->getResults())
      classes.addValue(result);
  });
  if (!func.isExternal())
    for (BlockArgument argument : func.getArguments())
      if (isa<RankedTensorType>(argument.getType()))
        for (auto [i, id] : llvm::enumerate(classes.dims[argument]))
          classes.infos[id].argument =
              ArgumentDim{argument.getArgNumber(), static_cast<int64_t>(i)};
  // 2. Unite.
  if (!func.isExternal() && failed(classes.addArgumentAxes(func)))
    return failure();
  func->walk([&](Operation *op) { classes.addOperation(op); });
  classes.closeGroups();
  // 3. Names, in the order of the operations.
  func->walk([&](Operation *op) {
    for (const EinsumOperand &operand : getWrittenAxes(op))
      for (const EinsumDim &dim : operand)
        for (char letter : dim)
          classes.nameAxis(classes.axes.lookup({op, letter}), letter);
  });
  return classes;
}
