//===- CheckContents.h - What only a call knows -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H
#define ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/engine/Signature.h"
#include "llvm/ADT/SmallBitVector.h"
#include <functional>
#include <vector>

namespace attn {

/// Which sizes of a function are equal; what is wrong with them as an error.
llvm::Expected<mlir::attn::ShapeClasses>
analyzeSizes(mlir::func::FuncOp function);

/// Checks of a graph's calls that its types leave open. Compiled code takes
/// them for granted.
///
/// - Sizes: dynamic sizes that must agree, steps that must be whole, the tokens
///   that a feature map reaches. Their cost does not grow with the arrays, and
///   a call that breaks one may leave its buffers: no call goes without them.
/// - Contents: masks, the signs of log decays, the ranges of gates, the
/// segments
///   of packed recurrences, the positions from which feature maps start. Their
///   cost is linear in the arrays that they read.
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

  const mlir::attn::ShapeClasses &getClasses() const { return classes; }

  /// The arguments have passed `checkArguments`; only their shapes are read.
  llvm::Error checkSizes(llvm::ArrayRef<Array> arguments) const {
    return runAll(sizeChecks, arguments);
  }
  /// The sizes are right. Those arguments are read of which `reads` says so.
  llvm::Error checkContents(llvm::ArrayRef<Array> arguments) const {
    return runAll(contentChecks, arguments);
  }
  bool hasContents() const { return !contentChecks.empty(); }
  bool reads(unsigned argument) const { return readArguments[argument]; }
  /// Both.
  llvm::Error check(llvm::ArrayRef<Array> arguments) const;

private:
  /// What may be wrong with the arguments of a call.
  using Check = std::function<llvm::Error(llvm::ArrayRef<Array>)>;
  /// What a value holds in a call.
  using Reader = std::function<llvm::Expected<Array>(llvm::ArrayRef<Array>)>;

  ContentChecks(mlir::func::FuncOp function, mlir::attn::ShapeClasses classes)
      : function(function), classes(std::move(classes)),
        readArguments(function.getNumArguments()) {}

  static llvm::Error runAll(const std::vector<Check> &checks,
                            llvm::ArrayRef<Array> arguments);
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
  /// Notes the arguments that are read. Null for what cannot be known before
  /// the graph runs.
  Reader getReader(mlir::Value value);
  std::optional<Extent> getSize(mlir::Value value, int64_t dim) const;

  mlir::func::FuncOp function;
  mlir::attn::ShapeClasses classes;
  std::vector<Check> sizeChecks, contentChecks;
  llvm::SmallBitVector readArguments;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CHECKCONTENTS_H
