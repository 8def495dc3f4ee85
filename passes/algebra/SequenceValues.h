//===- SequenceValues.h - Values of a token, for all tokens -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_SEQUENCEVALUES_H
#define ATTN_PASSES_ALGEBRA_SEQUENCEVALUES_H

#include "dialect/Attn.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::attn {

/// An axis: the letter that a scan gives it, or a number above all letters for
/// one without a letter. An operation that names axes gives these a free one.
using Axis = int;
using Axes = SmallVector<Axis, 4>;

inline bool hasAxis(ArrayRef<Axis> axes, Axis axis) {
  return llvm::is_contained(axes, axis);
}
inline bool isSubset(ArrayRef<Axis> few, ArrayRef<Axis> many) {
  return llvm::all_of(few, [&](Axis axis) { return hasAxis(many, axis); });
}

/// What a scan's region computes for a token, as a value of the graph for all
/// tokens and batch indices: a dimension for each axis. It is the same along
/// an axis that it has not.
struct SequenceValue {
  Value value;
  Axes axes;

  bool operator==(const SequenceValue &other) const {
    return value == other.value && axes == other.axes;
  }
  explicit operator bool() const { return value != nullptr; }
};

/// Writes the operations of a region on values of whole sequences, in front of
/// the scan.
class SequenceBuilder {
public:
  static constexpr Axis kToken = 'n', kKey = 'd', kValue = 'v';

  explicit SequenceBuilder(ScanOp scan);

  OpBuilder &getBuilder() { return builder; }
  Type getElementType() { return element; }
  void setLoc(Location newLoc) { loc = newLoc; }
  Location getLoc() { return loc; }

  /// The axes of a scan's operand. Letters that a recurrence or a product give
  /// a meaning of their own are replaced.
  Axes getAxes(const EinsumOperand &axes);
  /// A new axis without a letter.
  Axis createAxis(int64_t size);
  int64_t getSize(Axis axis) { return sizes.lookup(axis); }
  void setSize(Axis axis, int64_t size) { sizes[axis] = size; }
  bool isBatch(Axis axis) { return hasAxis(batch, axis); }
  /// The axes of the state besides d and v, and the token axis.
  ArrayRef<Axis> getBatchAxes() { return batch; }

  /// Axes as text, with the same letter for the same axis in all of them.
  SmallVector<std::string> getText(ArrayRef<Axes> operands);

  /// `a * b`, along all axes of both. The range is that of b.
  SequenceValue createGate(const SequenceValue &a, const SequenceValue &b,
                           FloatAttr lo = {}, FloatAttr hi = {});
  /// The product of a and b summed over an axis that both have.
  SequenceValue createContraction(const SequenceValue &a,
                                  const SequenceValue &b, Axis summed);
  SequenceValue createScale(const SequenceValue &a, double factor);
  SequenceValue createConstant(double value, ArrayRef<Axis> axes);
  /// The same value under other axes' names, as a value of its own.
  SequenceValue createCopy(const SequenceValue &a);
  /// An operation on single elements, for the axes of all operands together.
  FailureOr<SequenceValue> createElementwise(StringRef name,
                                             ArrayRef<NamedAttribute> attrs,
                                             ArrayRef<SequenceValue> operands,
                                             Type resultElement);
  /// `a + b`; a null one is zero.
  FailureOr<SequenceValue> createSum(const SequenceValue &a,
                                     const SequenceValue &b,
                                     double factorOfB = 1);
  template <typename Op>
  FailureOr<SequenceValue> create(ArrayRef<SequenceValue> operands) {
    return createElementwise(Op::getOperationName(), {}, operands, element);
  }

  /// The dimensions in the order of `axes`, repeated along those that are
  /// missing. `like` has the missing ones whose sizes are dynamic.
  FailureOr<SequenceValue> arrange(const SequenceValue &a, ArrayRef<Axis> axes,
                                   ArrayRef<SequenceValue> like);

  /// The number that all elements are.
  static std::optional<double> getSplat(Value value);
  /// The factors of a product that createGate has made.
  std::optional<std::pair<SequenceValue, SequenceValue>>
  getFactors(const SequenceValue &product);

  /// Why the last operation that failed did.
  const std::string &getReason() const { return reason; }

  /// Erases what was written and has no use.
  void eraseUnused();

private:
  RankedTensorType getType(ArrayRef<Axis> axes, Type elementType);
  Axes unite(ArrayRef<Axis> a, ArrayRef<Axis> b);
  /// An element-wise map of one value and constants, as a feature map.
  SequenceValue createMap(StringRef name, ArrayRef<NamedAttribute> attrs,
                          ArrayRef<SequenceValue> operands,
                          const SequenceValue &input);

  /// A product that was written.
  struct Product {
    SequenceValue a, b, result;
    FloatAttr lo, hi;
  };
  struct Recorder : OpBuilder::Listener {
    void notifyOperationInserted(Operation *op,
                                 OpBuilder::InsertPoint) override {
      operations.push_back(op);
    }
    SmallVector<Operation *> operations;
  };

  ScanOp scan;
  Recorder recorder;
  OpBuilder builder;
  Location loc;
  Type element;
  Axes batch;
  llvm::MapVector<Axis, int64_t> sizes;
  llvm::MapVector<char, Axis> replaced;
  SmallVector<Product> products;
  Axis next = 256;
  std::string reason;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_SEQUENCEVALUES_H
