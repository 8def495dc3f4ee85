//===- Expr.h - Values of a graph as C++ expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_EXPR_H
#define ATTN_RUNTIME_DSL_EXPR_H

#include "runtime/array/Array.h"
#include "runtime/dsl/Dim.h"
#include <memory>
#include <string>
#include <vector>

namespace attn::dsl {

/// A line of the program that writes an expression. As a defaulted last
/// parameter it is the line of the call.
struct SourceLine {
  SourceLine(const char *file = __builtin_FILE(), int line = __builtin_LINE())
      : file(file), line(line) {}

  const char *file;
  int line;
};

struct Node;

/// A tensor of a graph that is not there yet: a cheap handle of a shared,
/// immutable node. Copies are the same value. Nothing is computed or checked
/// before a Program is made of it; what is wrong is then an error that names
/// the line that wrote the expression. Any number of threads may use one.
class Expr {
public:
  /// No value: using it is an error of the program.
  Expr() = default;
  Expr(std::shared_ptr<const Node> node, unsigned result = 0)
      : node(std::move(node)), result(result) {}

  const Node *getNode() const { return node.get(); }
  unsigned getResult() const { return result; }

private:
  std::shared_ptr<const Node> node;
  unsigned result = 0;
};

/// An operand of an operator: an expression, and the line of the operator.
struct Operand {
  Operand(Expr expr, SourceLine where = {})
      : expr(std::move(expr)), where(where) {}

  Expr expr;
  SourceLine where;
};

/// An argument of the program, by default of f32. Its name appears in errors
/// and in the IR.
Expr input(std::string name, std::vector<Dim> shape,
           ElementType type = ElementType::F32, SourceLine where = {});
/// An argument that the program updates in place: a result that is made of it
/// is written into its memory (`attn.state`).
Expr state(std::string name, std::vector<Dim> shape,
           ElementType type = ElementType::F32, SourceLine where = {});
/// A tensor of numbers in row-major order, f32 if no other type is given.
Expr constant(std::vector<double> values, std::vector<Dim> shape,
              ElementType type = ElementType::F32, SourceLine where = {});

/// x^T of the two last dimensions. It is an operand of a product, not a copy:
/// nothing else takes it.
Expr transpose(Expr x, SourceLine where = {});

/// The matrix product of the two last dimensions; all others are batch, and
/// grouped heads share keys as in `attn.score`. By what is transposed:
///
///   q * transpose(k)   attn.score, a score for each query and key
///   scores * v         attn.apply, rows weighed by scores
///   transpose(k) * v   attn.contract, a sum over tokens
///   q * s              attn.contract, rows of q times a matrix s
Expr operator*(Operand lhs, Operand rhs);
/// attn.scale
Expr operator*(double factor, Operand x);
Expr operator*(Operand x, double factor);
Expr operator/(Operand x, double divisor);
Expr operator-(Operand x);
/// Element by element, for two tensors of one type.
Expr operator+(Operand lhs, Operand rhs);
Expr operator-(Operand lhs, Operand rhs);

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_EXPR_H
