//===- ShapeClasses.h - Dimensions of equal size -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_SHAPECLASSES_H
#define ATTN_PASSES_ALGEBRA_SHAPECLASSES_H

#include "dialect/Attn.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::attn {

/// The dimensions of a function's tensors, in classes that a correct run gives
/// one size. Products and other operations with named axes tie dimensions by
/// letters, each by itself in composite dimensions; other `attn` operations by
/// their shape rules; element-wise operations, casts and the results of
/// `scf.if` by position; and arguments by the attribute `attn.axes = "bhnd"`:
/// the same letter in two arguments is the same class.
class ShapeClasses {
public:
  /// A class. Valid for the analysis that gave it.
  using Id = unsigned;

  struct ArgumentDim {
    unsigned argument;
    int64_t dim;
  };
  /// Two sizes that a call must make equal; `rhs` is absent where the argument
  /// must have the static `size`. `loc` is the operation that ties them.
  struct SizeConstraint {
    ArgumentDim lhs;
    std::optional<ArgumentDim> rhs;
    int64_t size;
    Location loc;
  };
  /// `whole` must be a multiple of `part`: grouped heads.
  struct GroupConstraint {
    ArgumentDim whole, part;
    Location loc;
  };
  /// Two static sizes of one class that differ.
  struct Mismatch {
    Location loc;
    int64_t first, second;
  };

  /// Fails with a diagnostic where an `attn.axes` attribute cannot be read.
  static FailureOr<ShapeClasses> analyze(FunctionOpInterface func);

  /// The class of a dimension of a tensor that the function had when analysed.
  Id getClass(Value value, int64_t dim) const;
  /// The class of an axis of a product, or of another operation with named
  /// axes.
  Id getAxisClass(Operation *op, char axis) const;
  /// The static size, or kDynamic.
  int64_t getStaticSize(Id id) const { return info(id).size; }
  /// The letter by which the first operation names the class; a second class of
  /// the same letter is `n2`.
  std::string getName(Id id) const;

  ArrayRef<Mismatch> getMismatches() const { return mismatches; }
  /// What the sizes of the arguments of a call must satisfy.
  SmallVector<SizeConstraint> getSizeConstraints() const;
  SmallVector<GroupConstraint> getGroupConstraints() const;

  /// The size as an index value: a constant, or `tensor.dim` of an argument or
  /// of a value that dominates the insertion point. Null if there is none.
  Value materializeSize(OpBuilder &builder, Location loc, Id id) const;
  /// Likewise, from arguments and the values of `candidates` alone. Serves
  /// passes that erase other values.
  Value materializeSize(OpBuilder &builder, Location loc, Id id,
                        ArrayRef<Value> candidates) const;

private:
  struct Info {
    Id parent;
    unsigned rank = 0;
    int64_t size = ShapedType::kDynamic;
    SmallVector<std::pair<Value, int64_t>> members;
    std::optional<ArgumentDim> argument;
    std::string name;
  };
  /// The size of `whole` is the product of the sizes of `parts`.
  struct Group {
    Id whole;
    SmallVector<Id> parts;
    Location loc;
    /// The operation itself says how many times the part is taken.
    bool isSteps = false;
  };

  Id find(Id id) const;
  const Info &info(Id id) const { return infos[find(id)]; }
  Id addClass(int64_t size);
  void addValue(Value value);
  void setSize(Id id, int64_t size, Location loc);
  void unite(Id a, Id b, Location loc);
  void tie(Value a, int64_t i, Value b, int64_t j, Location loc);
  void tieAll(Value a, Value b, Location loc, int64_t except = -1);
  /// `b` has the dimensions of `a` but `without`.
  void tieReduced(Value a, Value b, int64_t without, Location loc);
  void tieDim(Id whole, ArrayRef<Id> axes, Location loc);
  /// `many` has some steps for each token of `few`.
  template <typename Op> void tieSteps(Op op, Value few, Value many);
  void closeGroups();
  LogicalResult addArgumentAxes(FunctionOpInterface func);
  void addProduct(ContractionOpInterface op);
  void addNamedAxes(NamedAxesOpInterface op);
  void addLetters(Operation *op, ArrayRef<EinsumOperand> letters);
  void addMask(MaskOp op);
  void addFeatureMap(FeatureMapOp op);
  template <typename Op> void addMapOperands(Op op);
  void addOperation(Operation *op);
  void nameAxis(Id id, char letter);
  Value emitSize(OpBuilder &builder, Location loc, Id id,
                 function_ref<bool(Value)> available, unsigned depth) const;

  SmallVector<Info> infos;
  DenseMap<Value, SmallVector<Id>> dims;
  DenseMap<std::pair<Operation *, char>, Id> axes;
  SmallVector<Group> groups;
  /// The class of each number of steps.
  DenseMap<int64_t, Id> stepCounts;
  SmallVector<Mismatch> mismatches;
  SmallVector<std::pair<Id, SizeConstraint>> equalArguments;
  llvm::MapVector<char, unsigned> letterUses;
};

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_SHAPECLASSES_H
