//===- CheckContents.h - What only a call knows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H
#define ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/algebra/ShapeClasses.h"
#include "runtime/array/Array.h"
#include <functional>
#include <vector>

namespace attn {

/// Which sizes of a function are equal; what is wrong with them as an error.
llvm::Expected<mlir::attn::ShapeClasses>
analyzeSizes(mlir::func::FuncOp function);

/// Checks of a graph's calls that its types leave open: dynamic sizes that must
/// agree, the contents of masks, the reach of feature maps, the signs of log
/// decays, the ranges of gates, the segments of packed recurrences. Compiled
/// code takes them for granted.
///
/// Decays and gates whose range follows from the graph are not read: a NaN in
/// them propagates. Others are read where they are arguments, and evaluated
/// where the graph computes them in time linear in the tokens; what else there
/// is, in regions or behind products of scores, is not checked.
///
/// Everything that the graph decides is decided once, in create(): a call runs
/// what is left. Keeps the function, which must stay as it is.
class ContentChecks {
public:
  /// An error where sizes can never agree.
  static llvm::Expected<ContentChecks> create(mlir::func::FuncOp function);

  /// The arguments have passed `checkArguments`.
  llvm::Error check(llvm::ArrayRef<Array> arguments) const;

private:
  /// What may be wrong with the arguments of a call.
  using Check = std::function<llvm::Error(llvm::ArrayRef<Array>)>;
  /// What a value holds in a call.
  using Reader = std::function<llvm::Expected<Array>(llvm::ArrayRef<Array>)>;
  /// A size that is static or one of an argument.
  struct Size {
    int64_t size;
    std::optional<mlir::attn::ShapeClasses::ArgumentDim> place;

    int64_t get(llvm::ArrayRef<Array> arguments) const {
      return place ? arguments[place->argument].getShape()[place->dim] : size;
    }
  };

  ContentChecks(mlir::func::FuncOp function, mlir::attn::ShapeClasses classes)
      : function(function), classes(std::move(classes)) {}

  void addSizes();
  void addMask(mlir::attn::MaskOp op);
  void addFeatureMap(mlir::attn::FeatureMapOp op);
  /// Decays, gates, segments and steps.
  void addOperands(mlir::Operation *op);
  void addRange(mlir::Operation *op, llvm::StringRef name, mlir::Value value,
                double lo, double hi);
  void addSegments(mlir::attn::RecurrenceOp op);
  void addSteps(mlir::Location loc, mlir::Value few, mlir::Value many,
                int64_t dim, int64_t steps);
  /// Null for what cannot be known before the graph runs.
  Reader getReader(mlir::Value value) const;
  std::optional<Size> getSize(mlir::Value value, int64_t dim) const;

  mlir::func::FuncOp function;
  mlir::attn::ShapeClasses classes;
  std::vector<Check> checks;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H
