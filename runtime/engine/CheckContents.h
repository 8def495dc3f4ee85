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
/// Keeps the function, which must stay as it is.
class ContentChecks {
public:
  /// An error where sizes can never agree.
  static llvm::Expected<ContentChecks> create(mlir::func::FuncOp function);

  /// The arguments have passed `checkArguments`.
  llvm::Error check(llvm::ArrayRef<Array> arguments) const;

private:
  ContentChecks(mlir::func::FuncOp function, mlir::attn::ShapeClasses classes)
      : function(function), classes(std::move(classes)) {}

  llvm::Error checkSizes(llvm::ArrayRef<Array> arguments) const;
  llvm::Error checkMask(mlir::attn::MaskOp op,
                        llvm::ArrayRef<Array> arguments) const;
  llvm::Error checkFeatureMap(mlir::attn::FeatureMapOp op,
                              llvm::ArrayRef<Array> arguments) const;
  /// Decays, gates, segments and steps.
  llvm::Error checkOperands(mlir::Operation *op,
                            llvm::ArrayRef<Array> arguments) const;
  llvm::Error checkRange(mlir::Operation *op, llvm::StringRef name,
                         mlir::Value value, double lo, double hi,
                         llvm::ArrayRef<Array> arguments) const;
  llvm::Error checkSegments(mlir::attn::RecurrenceOp op,
                            llvm::ArrayRef<Array> arguments) const;
  llvm::Error checkSteps(mlir::Location loc, mlir::Value few, mlir::Value many,
                         int64_t dim, int64_t steps,
                         llvm::ArrayRef<Array> arguments) const;
  /// What a value holds in this call, if that can be known before it runs.
  llvm::Expected<std::optional<Array>>
  getOperand(mlir::Value value, llvm::ArrayRef<Array> arguments) const;
  std::optional<int64_t> getSize(mlir::Value value, int64_t dim,
                                 llvm::ArrayRef<Array> arguments) const;

  mlir::func::FuncOp function;
  mlir::attn::ShapeClasses classes;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H
