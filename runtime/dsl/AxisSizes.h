//===- AxisSizes.h - Sizes of named axes, with symbols -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_AXISSIZES_H
#define ATTN_RUNTIME_DSL_AXISSIZES_H

#include "runtime/dsl/GraphBuilder.h"
#include <map>

namespace attn::dsl {

/// What the dimensions of operands say of the axes that subscripts give them.
class AxisSizes {
public:
  explicit AxisSizes(GraphBuilder &builder) : builder(builder) {}

  /// Reads the axes of one tensor; reports text that cannot be read.
  mlir::FailureOr<mlir::attn::EinsumOperand> parse(llvm::StringRef axes);
  /// An operand and its axes; reports a rank or a size that disagrees.
  mlir::LogicalResult add(const mlir::attn::EinsumOperand &axes,
                          const Tensor &tensor);
  mlir::LogicalResult add(llvm::StringRef axes, const Tensor &tensor);
  /// Two axes that have one size.
  mlir::LogicalResult equate(char first, char second);
  /// The dimensions of a tensor with these axes; reports what no operand
  /// determines.
  mlir::FailureOr<std::vector<Dim>> get(const mlir::attn::EinsumOperand &axes);
  mlir::FailureOr<std::vector<Dim>> get(llvm::StringRef axes);

private:
  mlir::LogicalResult set(char axis, const Dim &size);
  /// Finds the one axis of a group that no operand has by itself.
  mlir::LogicalResult solveGroups();

  GraphBuilder &builder;
  std::map<char, Dim> sizes;
  std::vector<std::pair<mlir::attn::EinsumDim, Dim>> groups;
};

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_AXISSIZES_H
