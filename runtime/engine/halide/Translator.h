//===- Translator.h - From a graph to a program for Halide -*- C++ -*---===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HALIDE_TRANSLATOR_H
#define ATTN_RUNTIME_ENGINE_HALIDE_TRANSLATOR_H

#include "dialect/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/algebra/ShapeClasses.h"
#include "runtime/engine/halide/ProgramText.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace attn::halide {

using mlir::ArrayRef;
using mlir::FailureOr;
using mlir::LogicalResult;
using mlir::Operation;
using mlir::SmallVector;
using mlir::Value;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;

/// A size that a call gives: a dimension of an argument.
using SizePlace = mlir::attn::ShapeClasses::ArgumentDim;

/// What the plugin compiles, and how a call finds its operands.
struct TranslatedGraph {
  ProgramText program;
  /// The sizes of the program, in order.
  SmallVector<SizePlace> sizes;
  /// The arguments that are its inputs, in order.
  SmallVector<unsigned> inputs;
  /// The sizes of each result.
  SmallVector<SmallVector<Term>> results;
};

/// An input or a function of the program as a tensor.
struct Tensor {
  int source = -1;
  Kind kind = Kind::F32;
  SmallVector<Term> sizes;
  /// An argument, not a function.
  bool isInput = false;
};

/// Indices and sizes by the letter of an axis.
struct AxisTerms {
  llvm::MapVector<char, Term> terms;

  bool has(char axis) const { return terms.count(axis) != 0; }
  Term get(char axis) const { return terms.lookup(axis); }
  void set(char axis, Term term) { terms[axis] = term; }
};

/// Writes each operation of a function, after the passes of the algebra, as
/// functions of a program. What has no form is an error of the operation.
class Translator {
public:
  Translator(mlir::func::FuncOp function, bool allowQuadratic)
      : function(function), allowQuadratic(allowQuadratic) {}

  FailureOr<TranslatedGraph> run();

private:
  friend class RecurrenceTranslator;
  /// A value at an index.
  using Element = llvm::function_ref<Term(ArrayRef<Term> index)>;

  // Values.
  LogicalResult addArguments();
  LogicalResult translate(Operation &op);
  LogicalResult translateTensor(Operation *op);
  LogicalResult addOutputs(mlir::func::ReturnOp op);
  FailureOr<Tensor> getTensor(Value value);
  void setTensor(Value value, Tensor tensor);
  /// Values with two token axes are written anew for whoever reads them.
  void findQuadratic();
  bool isQuadratic(Value value) const { return quadratic.contains(value); }
  static Kind getKind(mlir::Type type);

  // Functions.
  Tensor makeFunc(ArrayRef<Term> sizes, Element element,
                  llvm::StringRef hints = "");
  Term read(const Tensor &tensor, ArrayRef<Term> index, Kind kind);
  /// In memory, and in the kind that is computed with.
  Tensor materialize(Tensor tensor, Kind kind);
  SmallVector<Term> makeVars(size_t count);
  /// The combination of `element` over the last of its indices: a sum, or the
  /// largest.
  Tensor reduce(bool isSum, Kind kind, ArrayRef<Term> outerSizes, Term size,
                Element element, llvm::StringRef hints);
  llvm::StringRef getHints(Value value, llvm::StringRef hints) const {
    return isQuadratic(value) ? "tile" : hints;
  }

  // Named axes.
  LogicalResult addSizes(Operation *op, AxisTerms &sizes,
                         const EinsumOperand &axes, ArrayRef<Term> shape);
  /// The sizes of all axes of two operands: one may say what a group of the
  /// other needs.
  FailureOr<AxisTerms> getSizes(Operation *op, const mlir::attn::Einsum &einsum,
                                const Tensor &lhs, const Tensor &rhs);
  SmallVector<Term> getIndex(const EinsumOperand &axes, const AxisTerms &at,
                             const AxisTerms &sizes);
  SmallVector<Term> getShape(const EinsumOperand &axes, const AxisTerms &sizes);
  /// The indices of axes that dimensions name.
  void unpack(const EinsumOperand &axes, ArrayRef<Term> index,
              const AxisTerms &sizes, AxisTerms &at);
  /// A copy, if need be, in which an axis is the innermost one.
  void moveInnermost(Tensor &tensor, EinsumOperand &axes, char axis);

  // Products.
  LogicalResult translateProduct(mlir::attn::ContractionOpInterface op);
  Tensor sumProducts(const Tensor &lhs, const EinsumOperand &lhsAxes,
                     const Tensor &rhs, const EinsumOperand &rhsAxes,
                     const EinsumOperand &resultAxes, char summed,
                     const AxisTerms &sizes, Kind kind, llvm::StringRef hints);

  // Maps.
  LogicalResult translateFeatureMap(mlir::attn::FeatureMapOp op);
  LogicalResult translateFeatureScale(mlir::attn::FeatureScaleOp op);
  template <typename Op>
  FailureOr<Tensor> getLogFeatures(Op op, const Tensor &input, Kind kind);
  template <typename Op>
  FailureOr<Tensor> project(Op op, const Tensor &input, Kind kind);
  /// The sum of squares of a token's features, or their maximum.
  Tensor reduceFeatures(bool isSum, const Tensor &input, int64_t dim, Kind kind,
                        bool squares = false, double sign = 1);
  LogicalResult translateSteps(Operation *op);
  LogicalResult translateGate(mlir::attn::GateOp op);
  LogicalResult translateConstant(mlir::arith::ConstantOp op);
  LogicalResult translateElementwise(Operation *op);
  /// The scalar that a block without branches yields.
  FailureOr<Term> evaluateBlock(mlir::Block &block, Term argument);
  FailureOr<Term> evaluateScalar(Operation *op, ArrayRef<Term> operands);

  // Rows of scores and normalisers.
  LogicalResult translateMask(mlir::attn::MaskOp op);
  LogicalResult translateSoftmax(mlir::attn::SoftmaxOp op);
  LogicalResult translateNormalize(mlir::attn::NormalizeOp op);
  LogicalResult translateAppendOnes(mlir::attn::AppendOnesOp op);
  LogicalResult translateDivideByLast(mlir::attn::DivideByLastOp op);
  LogicalResult translateDivide(mlir::attn::DivideOp op);
  FailureOr<Term> getMaskCondition(mlir::attn::MaskOp op, ArrayRef<Term> index,
                                   ArrayRef<Tensor> operands);
  /// The number of the segment of each token, by cu_seqlens.
  Tensor getSegments(const Tensor &boundaries, Term tokens);

  mlir::func::FuncOp function;
  bool allowQuadratic;
  TranslatedGraph graph;
  ProgramText &program = graph.program;
  llvm::DenseMap<Value, Tensor> tensors, scores;
  llvm::DenseSet<Value> quadratic;
  /// Functions that have a hint.
  llvm::DenseSet<int> scheduled;
};

} // namespace attn::halide

#endif // ATTN_RUNTIME_ENGINE_HALIDE_TRANSLATOR_H
