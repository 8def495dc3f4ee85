//===- GraphBuilder.h - From expressions to operations -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_GRAPHBUILDER_H
#define ATTN_RUNTIME_DSL_GRAPHBUILDER_H

#include "dialect/Attn.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "runtime/dsl/Expr.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>

namespace attn::dsl {

/// The value of an expression in a graph under construction.
struct Tensor {
  mlir::Value value;
  std::vector<Dim> dims;
  /// The two last dimensions are tokens.
  bool isScores = false;
  /// A product takes the two last dimensions the other way round.
  bool isTransposed = false;

  mlir::RankedTensorType getType() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  int64_t getRank() const { return static_cast<int64_t>(dims.size()); }
};

class GraphBuilder;
using Tensors = llvm::SmallVector<Tensor, 1>;
/// Writes the operation of a node whose operands have values; reports what is
/// wrong.
using Emitter = std::function<mlir::FailureOr<Tensors>(
    GraphBuilder &, llvm::ArrayRef<Tensor> operands)>;

/// An argument of a program.
struct Argument {
  std::string name;
  std::vector<Dim> shape;
  ElementType type;
  bool isState;
};

/// What an expression is: an argument, or the operation that makes it.
struct Node {
  SourceLine where;
  std::vector<Expr> operands;
  Emitter emit;
  std::optional<Argument> argument;
  /// Products alone take operands that are transposed.
  bool takesTransposed = false;
};

/// An expression of one result, and the form of its emitter.
using SingleEmitter = std::function<mlir::FailureOr<Tensor>(
    GraphBuilder &, llvm::ArrayRef<Tensor> operands)>;
Expr makeExpr(SourceLine where, std::vector<Expr> operands, SingleEmitter emit,
              bool takesTransposed = false);

/// "f32 [8, n, 64]"
std::string describe(const Tensor &tensor);

/// Writes the operations of expressions, each once, at the locations of their
/// source lines. Diagnostics go to the context.
class GraphBuilder : public mlir::OpBuilder {
public:
  explicit GraphBuilder(mlir::MLIRContext *context)
      : OpBuilder(context), loc(mlir::UnknownLoc::get(context)) {
    scopes.emplace_back();
  }

  static mlir::Location getLocation(mlir::MLIRContext *context,
                                    SourceLine where);

  /// The value of an expression; its operations are written where they are not
  /// there yet.
  mlir::FailureOr<Tensor> get(const Expr &expr, SourceLine user);
  /// Gives an expression a value: arguments of functions and regions.
  void set(const Expr &expr, Tensor tensor) {
    scopes.back()[expr.getNode()] = {std::move(tensor)};
  }
  /// Inside a region that sees nothing of what is around it.
  void pushScope() { scopes.emplace_back(); }
  void popScope() { scopes.pop_back(); }

  /// An error at the node that is being written.
  mlir::InFlightDiagnostic error() { return mlir::emitError(loc); }
  mlir::Location getLoc() const { return loc; }

  /// Reads an attribute of the dialect; reports what is wrong with the text.
  template <typename Attr> mlir::FailureOr<Attr> parse(llvm::StringRef text) {
    mlir::Attribute any = parseAny(text);
    if (!any)
      return mlir::failure();
    if (auto attribute = llvm::dyn_cast<Attr>(any))
      return attribute;
    return error() << "'" << text << "' is not what the operation takes";
  }

  mlir::RankedTensorType getType(llvm::ArrayRef<Dim> dims, mlir::Type element);
  mlir::Type getElement(ElementType type);
  /// f64 if an operand is, else f32: the element type of results.
  mlir::Type getWideElement(llvm::ArrayRef<Tensor> operands);
  /// Null for no text.
  mlir::StringAttr getText(llvm::StringRef text) {
    return text.empty() ? mlir::StringAttr() : getStringAttr(text);
  }

  /// Writes an operation whose one result has these dimensions and element
  /// type, and verifies it.
  template <typename Op, typename... Args>
  mlir::FailureOr<Tensor> make(std::vector<Dim> dims, mlir::Type element,
                               bool isScores, Args &&...args) {
    auto op = Op::create(*this, loc, getType(dims, element),
                         std::forward<Args>(args)...);
    if (mlir::failed(mlir::verify(op)))
      return mlir::failure();
    return Tensor{op->getResult(0), std::move(dims), isScores};
  }

private:
  mlir::Attribute parseAny(llvm::StringRef text);

  mlir::Location loc;
  llvm::SmallVector<llvm::DenseMap<const Node *, Tensors>, 2> scopes;
};

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_GRAPHBUILDER_H
