//===- AffineState.h - Values that are affine in a state ----*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_AFFINESTATE_H
#define ATTN_PASSES_ALGEBRA_AFFINESTATE_H

#include "passes/algebra/SequenceValues.h"
#include <memory>
#include <variant>
#include <vector>

namespace mlir::attn {

struct StateValue;

/// x[i] y[j]: a key and a value, once it is known which axis is d.
struct OuterProduct {
  SequenceValue x, y;
};

/// A value that does not depend on the state.
struct LocalValue {
  /// Null if it is known by its terms alone, or for zero.
  SequenceValue value;
  /// The axes of the dimensions that it has in the region.
  Axes tile;
  /// The terms, if it is a sum of outer products.
  SmallVector<OuterProduct> outer;
};

/// factor * z * (query^T X), with z the product of the value factors.
struct StateReadTerm {
  SequenceValue query;
  double factor = 1;
  SmallVector<SequenceValue> valueFactors;
  std::shared_ptr<const StateValue> state;
};

/// A sum of reads, and a local value: affine in the state, with the axis v and
/// without d.
struct VectorValue {
  SmallVector<StateReadTerm> reads;
  LocalValue local;
  Axes tile;
};

/// T(S) = c * S, c the product of the factors, or M S.
struct StateTransition {
  SmallVector<SequenceValue> factors;
  SequenceValue matrix;
  /// What multiplied by the last factor.
  Operation *op = nullptr;

  bool isIdentity() const { return factors.empty() && !matrix; }
  bool operator==(const StateTransition &other) const;
  /// Whether a factor has one of the axes d, v.
  bool hasAxis(Axis axis) const;
};

/// key u^T, where u reads transitions of the state alone.
struct StateCorrection {
  SequenceValue key;
  VectorValue vector;
  Operation *op;
};

/// T(S) + sum k v^T + sum b u^T: affine in the state, with the axes d and v.
struct StateValue {
  /// Absent in what is yet to be added to the state.
  std::optional<StateTransition> transition;
  SmallVector<OuterProduct> writes;
  std::vector<StateCorrection> corrections;
  Axes tile;
};

using AffineValue =
    std::variant<LocalValue, VectorValue, std::shared_ptr<const StateValue>>;

/// Computes with values that are affine in the state. What is not affine, or
/// has no place in a recurrence, fails with a reason.
class AffineAlgebra {
public:
  explicit AffineAlgebra(SequenceBuilder &sequences) : sequences(sequences) {}

  /// The operation that is interpreted, for reasons and locations.
  void setOperation(Operation *op);

  FailureOr<AffineValue> add(AffineValue a, AffineValue b, double factorOfB);
  FailureOr<AffineValue> scale(const AffineValue &a, double factor);
  /// The product with subscripts; a null result means element by element.
  FailureOr<AffineValue> multiply(AffineValue a, AffineValue b,
                                  const Einsum *einsum, FloatAttr lo = {},
                                  FloatAttr hi = {});
  FailureOr<AffineValue> contract(AffineValue a, AffineValue b,
                                  const Einsum &einsum);
  /// The read as reads of transitions of the state and a local value.
  FailureOr<VectorValue> expand(const StateReadTerm &read);
  FailureOr<VectorValue> add(VectorValue a, const VectorValue &b,
                             double factorOfB);

  /// A local value as a sum, a read `M S` with a matrix as a transition.
  FailureOr<std::shared_ptr<const StateValue>> getState(AffineValue value);

  /// Other names for the axes that a local value has in the region.
  LocalValue rename(const LocalValue &value, ArrayRef<Axis> tile);

  const std::string &getReason() const { return reason; }
  LogicalResult refuse(const Twine &why) {
    reason = why.str();
    return failure();
  }

private:
  FailureOr<VectorValue> scale(VectorValue a, const LocalValue &factor);
  FailureOr<std::shared_ptr<const StateValue>> scale(StateValue a,
                                                     const LocalValue &factor);
  FailureOr<LocalValue> multiplyLocals(const LocalValue &a, const LocalValue &b,
                                       ArrayRef<Axis> tile, FloatAttr lo = {},
                                       FloatAttr hi = {});
  FailureOr<std::shared_ptr<const StateValue>>
  makeCorrection(const VectorValue &vector, const LocalValue &key,
                 ArrayRef<Axis> tile);
  /// The axes of both operands' dimensions, one for each letter; the axes of
  /// the result's dimensions.
  FailureOr<Axes> bind(AffineValue &a, AffineValue &b, const Einsum &einsum);
  FailureOr<SequenceValue> getSequence(const LocalValue &value);
  FailureOr<LocalValue> addLocals(const LocalValue &a, const LocalValue &b,
                                  double factorOfB);
  LocalValue scaleLocal(const LocalValue &a, double factor);
  /// Other names for the dimensions of b: those of a.
  LogicalResult unify(AffineValue &a, AffineValue &b);

  SequenceBuilder &sequences;
  Operation *op = nullptr;
  std::string reason;
};

/// The axes of a value's dimensions in the region.
ArrayRef<Axis> getTile(const AffineValue &value);
inline bool isLocal(const AffineValue &value) {
  return std::holds_alternative<LocalValue>(value);
}

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_AFFINESTATE_H
