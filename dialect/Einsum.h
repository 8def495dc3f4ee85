//===- Einsum.h - Subscripts of a product -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_DIALECT_EINSUM_H
#define ATTN_DIALECT_EINSUM_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

namespace mlir::attn {

/// The axes of one dimension: one letter, or several, slowest first, for a
/// composite dimension such as the grouped heads `(gr)`.
using EinsumDim = SmallVector<char, 2>;
/// The axes of one operand, a dimension each.
using EinsumOperand = SmallVector<EinsumDim, 4>;

/// The roles that the axes of a product have.
struct EinsumRoles {
  SmallVector<char> batch;      // lhs, rhs and result
  SmallVector<char> lhsFree;    // lhs and result
  SmallVector<char> rhsFree;    // rhs and result
  SmallVector<char> contracted; // lhs and rhs
};

/// Subscripts such as `b(gr)nd,bgmd->b(gr)nm`: what each dimension of the
/// operands and of the result of a product stands for.
struct Einsum {
  EinsumOperand lhs, rhs, result;

  /// Reads subscripts; says what is wrong with them through `emitError`.
  static FailureOr<Einsum> parse(StringRef text,
                                 function_ref<InFlightDiagnostic()> emitError);

  /// Reads the axes of one operand, likewise.
  static LogicalResult
  parseOperand(StringRef text, EinsumOperand &operand,
               function_ref<InFlightDiagnostic()> emitError);

  /// The default subscripts run out of letters above this rank.
  static constexpr int64_t kMaxRank = 18;
  /// `..nd,..md->..nm`, with grouped heads where the static sizes differ.
  static Einsum forScore(RankedTensorType lhs, RankedTensorType rhs);
  /// `..nm,..mv->..nv`, likewise.
  static Einsum forApply(RankedTensorType lhs, RankedTensorType rhs);

  EinsumRoles getRoles() const;
  std::string str() const;

  /// `n`, `m`, `s` and `t` name token axes; all others batch or features.
  static bool isTokenAxis(char axis);
  /// The dimension of `operand` that is `axis` alone or holds it, or -1.
  static int64_t find(const EinsumOperand &operand, char axis);
  /// Sizes of all axes that the shapes determine, kDynamic for the others.
  /// Fails through `emitError` where two static sizes disagree.
  FailureOr<SmallVector<std::pair<char, int64_t>>>
  getAxisSizes(ArrayRef<int64_t> lhsShape, ArrayRef<int64_t> rhsShape,
               ArrayRef<int64_t> resultShape,
               function_ref<InFlightDiagnostic()> emitError) const;

  /// Axes and the shape that they name.
  struct NamedShape {
    EinsumOperand axes;
    ArrayRef<int64_t> shape;
  };
  /// The same for any number of tensors, which have as many dimensions as axes.
  /// `text` is what the diagnostic quotes.
  static FailureOr<SmallVector<std::pair<char, int64_t>>>
  solveAxisSizes(ArrayRef<NamedShape> operands, StringRef text,
                 function_ref<InFlightDiagnostic()> emitError);
};

/// The text of one operand's axes, `b(gr)nd`.
std::string toString(const EinsumOperand &operand);

} // namespace mlir::attn

#endif // ATTN_DIALECT_EINSUM_H
