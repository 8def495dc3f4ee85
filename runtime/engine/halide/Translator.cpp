//===- Translator.cpp - From a graph to a program for Halide --------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/Translator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "runtime/engine/Signature.h"
#include "runtime/engine/halide/RecurrenceTranslator.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

//===----------------------------------------------------------------------===//
// Functions of the program
//===----------------------------------------------------------------------===//

Kind Translator::getKind(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (element.isF64())
    return Kind::F64;
  if (element.isF32())
    return Kind::F32;
  if (element.isF16())
    return Kind::F16;
  if (element.isBF16())
    return Kind::BF16;
  if (element.isInteger(1))
    return Kind::U8;
  if (element.isInteger(32))
    return Kind::I32;
  return Kind::I64;
}

SmallVector<Term> Translator::makeVars(size_t count) {
  SmallVector<Term> vars;
  for (size_t i = 0; i < count; ++i)
    vars.push_back(program.makeVar());
  return vars;
}

Tensor Translator::makeFunc(ArrayRef<Term> sizes, Element element,
                            StringRef hints) {
  SmallVector<Term> vars = makeVars(sizes.size());
  Term value = element(vars);
  Tensor tensor;
  tensor.kind = value.kind;
  tensor.sizes.assign(sizes.begin(), sizes.end());
  tensor.source = program.makeFunc(vars, sizes, value);
  if (!hints.empty()) {
    program.schedule(tensor.source, hints);
    scheduled.insert(tensor.source);
  }
  return tensor;
}

Term Translator::read(const Tensor &tensor, ArrayRef<Term> index, Kind kind) {
  return program.cast(program.load(tensor.source, tensor.kind, index), kind);
}

Tensor Translator::materialize(Tensor tensor, Kind kind) {
  if (tensor.kind != kind)
    return makeFunc(
        tensor.sizes,
        [&](ArrayRef<Term> index) { return read(tensor, index, kind); },
        "root");
  if (!tensor.isInput && scheduled.insert(tensor.source).second)
    program.schedule(tensor.source, "root");
  return tensor;
}

Tensor Translator::reduce(bool isSum, Kind kind, ArrayRef<Term> outerSizes,
                          Term size, Element element, StringRef hints) {
  constexpr int64_t kLanes = 16;
  Term identity = program.constant(
      kind, isSum ? 0 : -std::numeric_limits<double>::infinity());
  auto combine = [&](Term a, Term b) {
    return isSum ? program.add(a, b) : program.max(a, b);
  };
  auto addLoop = [&](const Tensor &into, Term extent, Element next) {
    SmallVector<Term> index(program.getVars(into.source));
    Term loop = program.makeLoop(program.makeDomain(extent), 0);
    SmallVector<Term> point(index);
    point.push_back(loop);
    Term sum = program.load(into.source, kind, index);
    program.update(into.source, index, combine(sum, next(point)));
  };
  auto identityAt = [&](ArrayRef<Term>) { return identity; };
  // Sums of as many elements as a vector has, side by side.
  std::optional<int64_t> known = program.getInteger(size);
  if (known && *known <= 2 * kLanes) {
    Tensor result = makeFunc(outerSizes, identityAt, hints);
    addLoop(result, size, element);
    return result;
  }
  SmallVector<Term> partSizes(outerSizes);
  Term lanes = program.integer(kLanes);
  partSizes.push_back(lanes);
  Tensor parts = makeFunc(partSizes, identityAt, hints);
  Term rounds =
      program.div(program.add(size, program.integer(kLanes - 1)), lanes);
  addLoop(parts, rounds, [&](ArrayRef<Term> index) {
    Term lane = index[index.size() - 2];
    Term at = program.add(program.mul(index.back(), lanes), lane);
    SmallVector<Term> point(index.drop_back(2));
    point.push_back(program.clamp(at, size));
    return program.select(program.lt(at, size), element(point), identity);
  });
  Tensor result = makeFunc(outerSizes, identityAt, hints);
  addLoop(result, lanes, [&](ArrayRef<Term> index) {
    return program.load(parts.source, kind, index);
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Named axes
//===----------------------------------------------------------------------===//

LogicalResult Translator::addSizes(Operation *op, AxisTerms &sizes,
                                   const EinsumOperand &axes,
                                   ArrayRef<Term> shape) {
  for (auto [dim, size] : llvm::zip_equal(axes, shape)) {
    SmallVector<char> unknown;
    Term known = program.integer(1);
    for (char axis : dim) {
      if (sizes.has(axis))
        known = program.mul(known, sizes.get(axis));
      else
        unknown.push_back(axis);
    }
    // (gr): one of them follows from the others.
    if (unknown.size() == 1)
      sizes.set(unknown.front(), program.div(size, known));
  }
  return success();
}

FailureOr<AxisTerms> Translator::getSizes(Operation *op,
                                          const mlir::attn::Einsum &einsum,
                                          const Tensor &lhs,
                                          const Tensor &rhs) {
  AxisTerms sizes;
  for (int pass = 0; pass < 2; ++pass)
    if (failed(addSizes(op, sizes, einsum.lhs, lhs.sizes)) ||
        failed(addSizes(op, sizes, einsum.rhs, rhs.sizes)))
      return failure();
  return sizes;
}

SmallVector<Term> Translator::getIndex(const EinsumOperand &axes,
                                       const AxisTerms &at,
                                       const AxisTerms &sizes) {
  SmallVector<Term> index;
  for (const EinsumDim &dim : axes) {
    Term position = at.get(dim.front());
    for (char axis : ArrayRef(dim).drop_front())
      position =
          program.add(program.mul(position, sizes.get(axis)), at.get(axis));
    index.push_back(position);
  }
  return index;
}

SmallVector<Term> Translator::getShape(const EinsumOperand &axes,
                                       const AxisTerms &sizes) {
  SmallVector<Term> shape;
  for (const EinsumDim &dim : axes) {
    Term size = program.integer(1);
    for (char axis : dim)
      size = program.mul(size, sizes.get(axis));
    shape.push_back(size);
  }
  return shape;
}

void Translator::unpack(const EinsumOperand &axes, ArrayRef<Term> index,
                        const AxisTerms &sizes, AxisTerms &at) {
  for (auto [dim, position] : llvm::zip_equal(axes, index)) {
    Term rest = position;
    for (char axis : llvm::reverse(ArrayRef(dim).drop_front())) {
      at.set(axis, program.mod(rest, sizes.get(axis)));
      rest = program.div(rest, sizes.get(axis));
    }
    at.set(dim.front(), rest);
  }
}

void Translator::moveInnermost(Tensor &tensor, EinsumOperand &axes, char axis) {
  int64_t dim = mlir::attn::Einsum::find(axes, axis);
  int64_t last = static_cast<int64_t>(axes.size()) - 1;
  if (dim < 0 || dim == last || axes[dim].size() != 1)
    return;
  SmallVector<Term> sizes(tensor.sizes);
  std::rotate(sizes.begin() + dim, sizes.begin() + dim + 1, sizes.end());
  std::rotate(axes.begin() + dim, axes.begin() + dim + 1, axes.end());
  Tensor from = tensor;
  tensor = makeFunc(
      sizes,
      [&](ArrayRef<Term> index) {
        SmallVector<Term> there(index);
        std::rotate(there.begin() + dim, there.end() - 1, there.end());
        return read(from, there, from.kind);
      },
      "root");
}

//===----------------------------------------------------------------------===//
// Values of the graph
//===----------------------------------------------------------------------===//

LogicalResult Translator::addArguments() {
  auto classes = ShapeClasses::analyze(function);
  if (failed(classes))
    return failure();
  llvm::DenseMap<std::pair<unsigned, int64_t>, Term> sizes;
  for (BlockArgument argument : function.getArguments()) {
    Type type = getElementTypeOrSelf(argument.getType());
    if (!type.isIntOrIndexOrFloat() ||
        isa<UnrankedTensorType>(argument.getType()))
      return emitError(function.getLoc(), "argument ")
             << argument.getArgNumber() << " has no form in Halide";
    Tensor tensor;
    tensor.kind = getKind(type);
    tensor.isInput = true;
    if (auto shaped = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t dim = 0; dim < shaped.getRank(); ++dim) {
        Extent extent = getExtent(function, *classes, argument, dim);
        if (!extent.place) {
          tensor.sizes.push_back(program.integer(extent.size));
          continue;
        }
        Term &size = sizes[{extent.place->argument, extent.place->dim}];
        if (!size) {
          size = program.makeSize();
          graph.sizes.push_back(*extent.place);
        }
        tensor.sizes.push_back(size);
      }
    // Arguments that nothing reads are no inputs.
    if (!argument.use_empty()) {
      tensor.source = program.makeInput(tensor.kind, tensor.sizes);
      graph.inputs.push_back(argument.getArgNumber());
    }
    tensors[argument] = tensor;
  }
  return success();
}

void Translator::setTensor(Value value, Tensor tensor) {
  (isQuadratic(value) ? scores : tensors)[value] = std::move(tensor);
}

FailureOr<Tensor> Translator::getTensor(Value value) {
  for (auto *values : {&tensors, &scores})
    if (auto found = values->find(value); found != values->end())
      return found->second;
  Operation *op = value.getDefiningOp();
  assert(op && isQuadratic(value) && "a value before it is computed");
  if (failed(translate(*op)))
    return failure();
  return scores.lookup(value);
}

void Translator::findQuadratic() {
  for (Operation &op : function.getBody().front()) {
    bool makesScores = isa<MaskOp, SoftmaxOp, NormalizeOp, CausalScoreOp>(op);
    if (auto product = dyn_cast<ContractionOpInterface>(op)) {
      int tokens = 0;
      for (const EinsumDim &dim : product.getSubscripts().result)
        tokens += llvm::count_if(dim, mlir::attn::Einsum::isTokenAxis);
      makesScores = tokens > 1;
    } else if (isa<ScaleOp, GateOp, FeatureMapOp, tensor::CastOp, DivideOp>(
                   op) ||
               op.getDialect()->getNamespace() == "arith" ||
               op.getDialect()->getNamespace() == "math") {
      makesScores |= llvm::any_of(op.getOperands(), [&](Value operand) {
        return isQuadratic(operand);
      });
    }
    if (makesScores)
      quadratic.insert(op.result_begin(), op.result_end());
  }
}

LogicalResult Translator::translate(Operation &op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](ContractionOpInterface o) { return translateProduct(o); })
      .Case([&](FeatureMapOp o) { return translateFeatureMap(o); })
      .Case([&](FeatureScaleOp o) { return translateFeatureScale(o); })
      .Case([&](MaskOp o) { return translateMask(o); })
      .Case([&](SoftmaxOp o) { return translateSoftmax(o); })
      .Case([&](NormalizeOp o) { return translateNormalize(o); })
      .Case([&](AppendOnesOp o) { return translateAppendOnes(o); })
      .Case([&](DivideByLastOp o) { return translateDivideByLast(o); })
      .Case([&](DivideOp o) { return translateDivide(o); })
      .Case([&](GateOp o) { return translateGate(o); })
      .Case(
          [&](RecurrenceOp o) { return RecurrenceTranslator(*this, o).run(); })
      .Case<ExpandStepsOp, TakeStepsOp>(
          [&](auto o) { return translateSteps(o); })
      .Case([&](arith::ConstantOp o) { return translateConstant(o); })
      .Case([&](tensor::CastOp o) -> LogicalResult {
        auto tensor = getTensor(o.getSource());
        if (failed(tensor))
          return failure();
        setTensor(o, *tensor);
        return success();
      })
      .Case<tensor::DimOp, tensor::ExtractOp, tensor::InsertOp>(
          [&](auto o) { return translateTensor(o); })
      .Case([&](func::ReturnOp o) { return addOutputs(o); })
      .Case<CausalScoreOp, SolveOp>([&](auto o) -> LogicalResult {
        return o.emitOpError("has no form in Halide without the linear one, "
                             "which was not derived: remarks say why");
      })
      .Default([&](Operation *o) { return translateElementwise(o); });
}

LogicalResult Translator::translateTensor(Operation *op) {
  auto source = getTensor(op->getOperand(0));
  if (failed(source))
    return failure();
  Tensor &tensor = *source;
  Value result = op->getResult(0);
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    if (std::optional<int64_t> index = dim.getConstantIndex()) {
      setTensor(result, makeFunc({}, [&](ArrayRef<Term>) {
                  return program.cast(tensor.sizes[*index], Kind::I64);
                }));
      return success();
    }
  } else if (auto insert = dyn_cast<tensor::InsertOp>(op);
             !insert || insert.getType().getRank() == 0) {
    // Tensors of rank 0 are scalars; an element of another is its load.
    SmallVector<Term> index;
    for (Value value : op->getOperands().drop_front(insert ? 2 : 1)) {
      auto place = getTensor(value);
      if (failed(place))
        return failure();
      index.push_back(program.clamp(read(*place, {}, Kind::I32),
                                    tensor.sizes[index.size()]));
    }
    setTensor(result, makeFunc({}, [&](ArrayRef<Term>) {
                return read(tensor, index, tensor.kind);
              }));
    return success();
  }
  return op->emitOpError("has no form in Halide");
}

LogicalResult Translator::addOutputs(func::ReturnOp op) {
  for (Value value : op.getOperands()) {
    if (isQuadratic(value) && !allowQuadratic)
      return op.emitError("scores that leave the function need a buffer of "
                          "queries times keys: permit it with "
                          "allow-quadratic, or return what is made of them");
    // Scores are computed anew for each output.
    scores.clear();
    auto tensor = getTensor(value);
    if (failed(tensor))
      return failure();
    Tensor result = makeFunc(tensor->sizes, [&](ArrayRef<Term> index) {
      return read(*tensor, index, tensor->kind);
    });
    program.output(result.source);
    graph.results.emplace_back(result.sizes.begin(), result.sizes.end());
  }
  scores.clear();
  return success();
}

FailureOr<TranslatedGraph> Translator::run() {
  if (!function.getBody().hasOneBlock())
    return function.emitError("expected a function of one block");
  findQuadratic();
  if (failed(addArguments()))
    return failure();
  for (Operation &op : function.getBody().front()) {
    // Where scores are read they are written anew.
    if (llvm::any_of(op.getResults(),
                     [&](Value result) { return isQuadratic(result); }))
      continue;
    scores.clear();
    if (failed(translate(op)))
      return failure();
  }
  return std::move(graph);
}

} // namespace attn::halide
