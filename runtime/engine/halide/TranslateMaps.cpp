//===- TranslateMaps.cpp - Feature maps -----------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/engine/halide/Translator.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::attn;

namespace attn::halide {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An index without one of its dimensions, and one with it.
static SmallVector<Term> drop(ArrayRef<Term> index, int64_t dim) {
  SmallVector<Term> rest(index);
  rest.erase(rest.begin() + dim);
  return rest;
}
static SmallVector<Term> replace(ArrayRef<Term> index, int64_t dim, Term term) {
  SmallVector<Term> there(index);
  there[dim] = term;
  return there;
}

Tensor Translator::reduceFeatures(bool isSum, const Tensor &input, int64_t dim,
                                  Kind kind, bool squares, double sign) {
  return reduce(
      isSum, kind, drop(input.sizes, dim), input.sizes[dim],
      [&](ArrayRef<Term> index) {
        SmallVector<Term> there(index.drop_back());
        there.insert(there.begin() + dim, index.back());
        Term x = read(input, there, kind);
        if (squares)
          return program.mul(x, x);
        return sign < 0 ? program.mul(program.constant(kind, sign), x) : x;
      },
      "root");
}

/// W x for each token: the features replace those of the input.
template <typename Op>
FailureOr<Tensor> Translator::project(Op op, const Tensor &input, Kind kind) {
  auto weights = getTensor(op.getMapOperands().front());
  if (failed(weights))
    return failure();
  int64_t rank = input.sizes.size(), weightRank = weights->sizes.size(),
          featureDim = op.getFeatureDimension(),
          tokenDim = op.getTokenDimension();
  // Letters: dimensions by position, "y" is the feature that is summed.
  EinsumOperand inputAxes, resultAxes, weightAxes;
  AxisTerms sizes;
  SmallVector<char> batch;
  for (int64_t dim = 0; dim < rank; ++dim) {
    char letter = dim == featureDim ? 'y' : 'a' + dim;
    // A token axis makes it a sum over features, not over tokens.
    if (dim == tokenDim)
      letter = 'n';
    else if (dim != featureDim)
      batch.push_back(letter);
    sizes.set(letter, input.sizes[dim]);
    inputAxes.push_back({letter});
    resultAxes.push_back({dim == featureDim ? 'z' : letter});
  }
  // Leading dimensions of W are the last batch dimensions.
  for (char letter : ArrayRef(batch).take_back(weightRank - 2))
    weightAxes.push_back({letter});
  weightAxes.push_back({'z'});
  weightAxes.push_back({'y'});
  sizes.set('z', weights->sizes[weightRank - 2]);
  Tensor x = materialize(input, kind), w = materialize(*weights, kind);
  moveInnermost(w, weightAxes, resultAxes.back().front());
  return sumProducts(x, inputAxes, w, weightAxes, resultAxes, 'y', sizes, kind,
                     "product");
}

/// psi of an exponential map, phi = exp(psi).
template <typename Op>
FailureOr<Tensor> Translator::getLogFeatures(Op op, const Tensor &input,
                                             Kind kind) {
  if (isa<ExpAttr>(*FailureOr<Attribute>(op.getMapAttr())))
    return input;
  if (!isa<FavorAttr>(op.getMapAttr()))
    return op.emitOpError("has a map without a form in Halide");
  int64_t dim = op.getFeatureDimension();
  auto product = project(op, input, kind);
  if (failed(product))
    return failure();
  Tensor norm =
      reduceFeatures(/*isSum=*/true, input, dim, kind, /*squares=*/true);
  // psi = W x - (|x|^2 / 2 + log(m) / 2)
  int64_t m = program.getInteger(product->sizes[dim]).value_or(1);
  Term half = program.constant(kind, 0.5),
       logScale = program.constant(kind, std::log(double(m)) / 2);
  return makeFunc(
      product->sizes,
      [&](ArrayRef<Term> index) {
        Term square = read(norm, drop(index, dim), kind);
        Term shift = program.add(program.mul(square, half), logScale);
        return program.sub(read(*product, index, kind), shift);
      },
      "root");
}

LogicalResult Translator::translateFeatureScale(FeatureScaleOp op) {
  auto input = getTensor(op.getInput());
  if (failed(input))
    return failure();
  Kind kind = getKind(op.getType());
  auto psi = getLogFeatures(op, materialize(*input, kind), kind);
  if (failed(psi))
    return failure();
  setTensor(op.getResult(), reduceFeatures(/*isSum=*/false, *psi,
                                           op.getFeatureDimension(), kind));
  return success();
}

LogicalResult Translator::translateFeatureMap(FeatureMapOp op) {
  if (op.isElementwise())
    return translateElementwise(op);
  auto given = getTensor(op.getInput());
  if (failed(given))
    return failure();
  if (isQuadratic(op.getResult()))
    return op.emitOpError("of rows of scores has no form in Halide");
  Kind kind = getKind(op.getType());
  Tensor input = materialize(*given, kind);
  int64_t dim = op.getFeatureDimension(), tokenDim = op.getTokenDimension();
  Term width = input.sizes[dim];
  Attribute map = *op.getMap();
  SmallVector<Term> shape(input.sizes);
  auto set = [&](Tensor tensor) {
    setTensor(op.getResult(), std::move(tensor));
    return success();
  };
  auto constant = [&](double value) { return program.constant(kind, value); };

  if (op.getMap()->isExponential()) {
    auto psi = getLogFeatures(op, input, kind);
    if (failed(psi))
      return failure();
    if (op.getStabilize() == Stabilize::None)
      return set(makeFunc(
          psi->sizes,
          [&](ArrayRef<Term> index) {
            return program.exp(read(*psi, index, kind));
          },
          "root"));
    // phi = exp(psi - max), the largest of the token or of the sequence.
    Tensor max = reduceFeatures(/*isSum=*/false, *psi, dim, kind);
    bool isOfToken = op.getStabilize() == Stabilize::Token;
    int64_t tokenOfRow = tokenDim - (tokenDim > dim);
    if (!isOfToken)
      max = reduceFeatures(/*isSum=*/false, max, tokenOfRow, kind);
    return set(makeFunc(
        psi->sizes,
        [&](ArrayRef<Term> index) {
          SmallVector<Term> row = drop(index, dim);
          if (!isOfToken)
            row = drop(row, tokenOfRow);
          Term shift = read(max, row, kind);
          shift = program.select(program.eq(shift, constant(-kInfinity)),
                                 constant(0), shift);
          return program.exp(program.sub(read(*psi, index, kind), shift));
        },
        "root"));
  }

  if (auto norm = dyn_cast<L2NormAttr>(map)) {
    Tensor sum =
        reduceFeatures(/*isSum=*/true, input, dim, kind, /*squares=*/true);
    Term eps = constant(norm.getEps().getValueAsDouble());
    return set(makeFunc(
        shape,
        [&](ArrayRef<Term> index) {
          Term square = program.add(eps, read(sum, drop(index, dim), kind));
          Term length = program.make("sqrt", kind, square);
          return program.select(
              program.eq(square, constant(0)), constant(0),
              program.make("div", kind, {read(input, index, kind), length}));
        },
        "root"));
  }

  if (auto cosformer = dyn_cast<CosformerAttr>(map)) {
    std::optional<Tensor> start;
    if (op.getStart()) {
      auto value = getTensor(op.getStart());
      if (failed(value))
        return failure();
      start = *value;
    }
    // cos and sin of pi i / 2M
    auto getWeights = [&](StringRef function) {
      return makeFunc(
          input.sizes[tokenDim],
          [&](ArrayRef<Term> index) {
            Term position = index[0];
            if (start)
              position = program.add(position, read(*start, {}, Kind::I32));
            Term step =
                constant(llvm::numbers::pi / (2.0 * cosformer.getMaxLen()));
            return program.make(
                function, kind,
                program.mul(program.cast(position, kind), step));
          },
          "root");
    };
    Tensor cosines = getWeights("cos"), sines = getWeights("sin");
    shape[dim] = program.mul(width, program.integer(2));
    return set(makeFunc(
        shape,
        [&](ArrayRef<Term> index) {
          Term i = program.mod(index[dim], width);
          Term relu = program.max(read(input, replace(index, dim, i), kind),
                                  constant(0));
          Term weight = program.select(program.lt(index[dim], width),
                                       read(cosines, index[tokenDim], kind),
                                       read(sines, index[tokenDim], kind));
          return program.mul(relu, weight);
        },
        "root"));
  }

  if (isa<Taylor2Attr>(map)) {
    double size = program.getInteger(width).value_or(1);
    Term linear = constant(std::pow(size, -0.25)),
         square = constant(1 / std::sqrt(2 * size));
    shape[dim] = program.add(program.add(program.mul(width, width), width),
                             program.integer(1));
    return set(makeFunc(
        shape,
        [&](ArrayRef<Term> index) {
          // [1, x_i, x_i x_j]
          auto x = [&](Term i) {
            return read(input, replace(index, dim, program.clamp(i, width)),
                        kind);
          };
          Term f = index[dim], one = program.integer(1);
          Term pair = program.max(program.sub(f, program.add(width, one)),
                                  program.integer(0));
          Term first = program.mul(square, x(program.div(pair, width)));
          Term product = program.mul(first, x(program.mod(pair, width)));
          Term single = program.mul(linear, x(program.sub(f, one)));
          Term rest = program.select(program.le(f, width), single, product);
          return program.select(program.lt(f, one), constant(1), rest);
        },
        "root"));
  }

  if (isa<HedgehogAttr>(map)) {
    Tensor y = input;
    if (!op.getMapOperands().empty()) {
      auto projected = project(op, input, kind);
      if (failed(projected))
        return failure();
      y = *projected;
    }
    Term m = y.sizes[dim];
    // e^(y - max y) and e^(max(-y) - ...), each over its sum.
    SmallVector<Tensor> exps, sums;
    for (double sign : {1.0, -1.0}) {
      Tensor max = reduceFeatures(/*isSum=*/false, y, dim, kind,
                                  /*squares=*/false, sign);
      exps.push_back(makeFunc(
          y.sizes,
          [&](ArrayRef<Term> index) {
            Term x = program.mul(constant(sign), read(y, index, kind));
            return program.exp(
                program.sub(x, read(max, drop(index, dim), kind)));
          },
          "root"));
      sums.push_back(reduceFeatures(/*isSum=*/true, exps.back(), dim, kind));
    }
    shape[dim] = program.mul(m, program.integer(2));
    return set(makeFunc(
        shape,
        [&](ArrayRef<Term> index) {
          SmallVector<Term> row = drop(index, dim),
                            there =
                                replace(index, dim, program.mod(index[dim], m));
          SmallVector<Term> parts;
          for (int i : {0, 1})
            parts.push_back(program.make(
                "div", kind,
                {read(exps[i], there, kind), read(sums[i], row, kind)}));
          return program.select(program.lt(index[dim], m), parts[0], parts[1]);
        },
        "root"));
  }
  return op.emitOpError("has a map without a form in Halide");
}

LogicalResult Translator::translateSteps(Operation *op) {
  auto input = getTensor(op->getOperand(0));
  if (failed(input))
    return failure();
  Tensor &tensor = *input;
  auto expand = dyn_cast<ExpandStepsOp>(op);
  auto take = dyn_cast<TakeStepsOp>(op);
  int64_t steps = expand ? expand.getSteps() : take.getSteps(),
          dim = expand ? expand.getTokenDimension() : take.getTokenDimension();
  Kind kind = getKind(op->getResult(0).getType());
  Term count = program.integer(steps), last = program.integer(steps - 1);
  SmallVector<Term> sizes(tensor.sizes);
  sizes[dim] =
      expand ? program.mul(sizes[dim], count) : program.div(sizes[dim], count);
  setTensor(
      op->getResult(0), makeFunc(sizes, [&](ArrayRef<Term> index) {
        Term t = index[dim];
        if (take)
          return read(
              tensor,
              replace(index, dim, program.add(program.mul(t, count), last)),
              kind);
        Term token = program.clamp(program.div(t, count), tensor.sizes[dim]);
        return program.select(program.eq(program.mod(t, count), last),
                              read(tensor, replace(index, dim, token), kind),
                              program.constant(kind, 0));
      }));
  return success();
}

} // namespace attn::halide
