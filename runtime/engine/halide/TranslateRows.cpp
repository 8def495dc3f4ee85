//===- TranslateRows.cpp - Rows of scores, and normalisers ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/Translator.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

Tensor Translator::getSegments(const Tensor &boundaries, Term tokens) {
  // s for each token from cu[s] on; the last s that says so is right.
  Tensor segments = makeFunc(
      tokens, [&](ArrayRef<Term>) { return program.integer(0); }, "root");
  Term count = program.sub(boundaries.sizes.front(), program.integer(1));
  // Loops over tokens, and over segments around them.
  int domain = program.makeDomain({tokens, count});
  Term token = program.makeLoop(domain, 0),
       segment = program.makeLoop(domain, 1);
  Term begin = read(boundaries, segment, Kind::I32),
       end = read(boundaries, program.add(segment, program.integer(1)),
                  Kind::I32);
  program.where(domain,
                program.both(program.le(begin, token), program.lt(token, end)));
  program.update(segments.source, token, segment);
  return segments;
}

FailureOr<Term> Translator::getMaskCondition(MaskOp op, ArrayRef<Term> index,
                                             ArrayRef<Tensor> operands) {
  Term n = index[index.size() - 2], m = index.back();
  Attribute mask = op.getMask();
  if (isa<FullAttr>(mask))
    return program.eq(program.integer(0), program.integer(0));
  if (auto causal = dyn_cast<CausalAttr>(mask))
    return program.le(m, program.add(n, program.integer(causal.getOffset())));
  if (isa<StrictlyCausalAttr>(mask))
    return program.lt(m, n);
  if (auto window = dyn_cast<SlidingWindowAttr>(mask)) {
    Term first = program.sub(n, program.integer(window.getLeft())),
         last = program.add(n, program.integer(window.getRight()));
    return program.both(program.le(first, m), program.le(m, last));
  }
  if (isa<PackedAttr>(mask))
    // The segments of queries and of keys, by token.
    return program.eq(read(operands.front(), n, Kind::I32),
                      read(operands.back(), m, Kind::I32));
  if (isa<DenseAttr>(mask)) {
    SmallVector<Term> there;
    auto type = cast<RankedTensorType>(op.getMaskOperands().front().getType());
    for (auto [at, size] :
         llvm::zip_equal(index.take_back(type.getRank()), type.getShape()))
      there.push_back(size == 1 ? program.integer(0) : at);
    Term element = program.load(operands.front().source, Kind::U8, there);
    return program.negate(program.eq(element, program.constant(Kind::U8, 0)));
  }
  return op.emitOpError("has a mask without a form in Halide");
}

LogicalResult Translator::translateMask(MaskOp op) {
  auto input = getTensor(op.getScores());
  if (failed(input))
    return failure();
  Tensor &tensor = *input;
  SmallVector<Tensor> operands;
  for (auto [i, value] : llvm::enumerate(op.getMaskOperands())) {
    auto operand = getTensor(value);
    if (failed(operand))
      return failure();
    operands.push_back(*operand);
    if (isa<PackedAttr>(op.getMask())) {
      bool isOfKeys = i == 1 || op.getMaskOperands().size() == 1;
      operands.back() = getSegments(
          *operand, tensor.sizes[tensor.sizes.size() - (isOfKeys ? 1 : 2)]);
    }
  }
  Term fill = program.constant(tensor.kind, op.getFill().convertToDouble());
  bool isKnown = true;
  Tensor result = makeFunc(tensor.sizes, [&](ArrayRef<Term> index) {
    auto condition = getMaskCondition(op, index, operands);
    isKnown = succeeded(condition);
    Term value = read(tensor, index, tensor.kind);
    return isKnown ? program.select(*condition, value, fill) : value;
  });
  setTensor(op.getResult(), result);
  return success(isKnown);
}

//===----------------------------------------------------------------------===//
// Softmax and normalisers
//===----------------------------------------------------------------------===//

/// x / (eps + y), zero where the divisor is; with a floor f the divisor is
/// eps + max(|y|, f e^-m).
template <typename Op>
static Term divide(ProgramText &program, Op op, Term x, Term y, Term logScale) {
  Kind kind = x.kind;
  Term zero = program.constant(kind, 0);
  if (std::optional<APFloat> given = op.getFloor()) {
    Term floor = program.constant(kind, given->convertToDouble());
    if (logScale)
      floor = program.mul(floor, program.exp(program.sub(zero, logScale)));
    // The floor of a NaN is the NaN.
    y = program.max(program.make("abs", kind, y), floor);
  }
  Term divisor =
      program.add(program.constant(kind, op.getEps().convertToDouble()), y);
  return program.select(program.eq(divisor, zero), zero,
                        program.make("div", kind, {x, divisor}));
}

LogicalResult Translator::translateSoftmax(SoftmaxOp op) {
  auto input = getTensor(op.getScores());
  if (failed(input))
    return failure();
  Tensor &scores = *input;
  Kind kind = scores.kind;
  ArrayRef<Term> outer = ArrayRef(scores.sizes).drop_back();
  Term size = scores.sizes.back(), zero = program.constant(kind, 0);
  Tensor most = reduce(
      /*isSum=*/false, kind, outer, size,
      [&](ArrayRef<Term> index) { return read(scores, index, kind); }, "tile");
  // e = exp(s - max), zero in a row that is -inf throughout.
  Tensor exps = makeFunc(
      scores.sizes,
      [&](ArrayRef<Term> index) {
        Term max = read(most, index.drop_back(), kind);
        Term e = program.exp(program.sub(read(scores, index, kind), max));
        return program.select(
            program.eq(max, program.constant(kind, -kInfinity)), zero, e);
      },
      "tile");
  Tensor sum = reduce(
      /*isSum=*/true, kind, outer, size,
      [&](ArrayRef<Term> index) { return read(exps, index, kind); }, "tile");
  Tensor result = makeFunc(
      scores.sizes,
      [&](ArrayRef<Term> index) {
        Term divisor = read(sum, index.drop_back(), kind);
        return program.select(
            program.eq(divisor, zero), zero,
            program.make("div", kind, {read(exps, index, kind), divisor}));
      },
      "tile");
  setTensor(op.getResult(), result);
  return success();
}

LogicalResult Translator::translateNormalize(NormalizeOp op) {
  auto input = getTensor(op.getScores());
  if (failed(input))
    return failure();
  Tensor &scores = *input;
  Kind kind = scores.kind;
  Tensor sum = reduce(
      /*isSum=*/true, kind, ArrayRef(scores.sizes).drop_back(),
      scores.sizes.back(),
      [&](ArrayRef<Term> index) { return read(scores, index, kind); }, "tile");
  Tensor result = makeFunc(
      scores.sizes,
      [&](ArrayRef<Term> index) {
        return divide(program, op, read(scores, index, kind),
                      read(sum, index.drop_back(), kind), Term());
      },
      "tile");
  setTensor(op.getResult(), result);
  return success();
}

LogicalResult Translator::translateAppendOnes(AppendOnesOp op) {
  auto input = getTensor(op.getInput());
  if (failed(input))
    return failure();
  Tensor &tensor = *input;
  int64_t dim = op.getDimension();
  Kind kind = getKind(op.getType());
  SmallVector<Term> sizes(tensor.sizes);
  Term size = sizes[dim];
  sizes[dim] = program.add(size, program.integer(1));
  Tensor result = makeFunc(
      sizes,
      [&](ArrayRef<Term> index) {
        SmallVector<Term> there(index);
        there[dim] = program.clamp(index[dim], size);
        return program.select(program.lt(index[dim], size),
                              read(tensor, there, kind),
                              program.constant(kind, 1));
      },
      "root");
  setTensor(op.getResult(), result);
  return success();
}

LogicalResult Translator::translateDivideByLast(DivideByLastOp op) {
  auto input = getTensor(op.getInput());
  if (failed(input))
    return failure();
  Tensor &tensor = *input;
  std::optional<Tensor> scale;
  if (op.getLogScale()) {
    auto logScale = getTensor(op.getLogScale());
    if (failed(logScale))
      return failure();
    scale = *logScale;
  }
  int64_t dim = op.getDimension();
  Kind kind = tensor.kind;
  SmallVector<Term> sizes(tensor.sizes);
  Term last = program.sub(sizes[dim], program.integer(1));
  sizes[dim] = last;
  Tensor result = makeFunc(sizes, [&](ArrayRef<Term> index) {
    SmallVector<Term> there(index), row(index);
    there[dim] = last;
    row.erase(row.begin() + dim);
    Term logScale = scale ? read(*scale, row, kind) : Term();
    return divide(program, op, read(tensor, index, kind),
                  read(tensor, there, kind), logScale);
  });
  setTensor(op.getResult(), result);
  return success();
}

LogicalResult Translator::translateDivide(DivideOp op) {
  auto x = getTensor(op.getNumerator()), y = getTensor(op.getDenominator());
  if (failed(x) || failed(y))
    return failure();
  std::optional<Tensor> scale;
  if (op.getLogScale()) {
    auto logScale = getTensor(op.getLogScale());
    if (failed(logScale))
      return failure();
    scale = *logScale;
  }
  Kind kind = x->kind;
  Tensor result = makeFunc(x->sizes, [&](ArrayRef<Term> index) {
    return divide(program, op, read(*x, index, kind), read(*y, index, kind),
                  scale ? read(*scale, index, kind) : Term());
  });
  setTensor(op.getResult(), result);
  return success();
}

} // namespace attn::halide
