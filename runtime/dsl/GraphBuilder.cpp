//===- GraphBuilder.cpp - From expressions to operations -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/GraphBuilder.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;

namespace attn::dsl {

std::string describe(const Tensor &tensor) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << tensor.getType().getElementType() << " [";
  llvm::interleaveComma(tensor.dims, stream,
                        [&](const Dim &dim) { stream << dim.str(); });
  stream << ']';
  return text;
}

Expr makeExpr(SourceLine where, std::vector<Expr> operands, SingleEmitter emit,
              bool takesTransposed) {
  auto node = std::make_shared<Node>();
  node->takesTransposed = takesTransposed;
  node->where = where;
  node->operands = std::move(operands);
  node->emit = [emit = std::move(emit)](
                   GraphBuilder &builder,
                   ArrayRef<Tensor> operands) -> FailureOr<Tensors> {
    FailureOr<Tensor> result = emit(builder, operands);
    if (failed(result))
      return failure();
    return Tensors{std::move(*result)};
  };
  return Expr(std::move(node));
}

Location GraphBuilder::getLocation(MLIRContext *context, SourceLine where) {
  return FileLineColLoc::get(context, where.file, where.line, /*column=*/0);
}

FailureOr<Tensor> GraphBuilder::get(const Expr &expr, SourceLine user) {
  // Depth first, without recursion: an expression may be as deep as a program
  // is long.
  struct Visit {
    const Node *node;
    size_t next;
  };
  SmallVector<Visit> stack;
  auto fail = [&](SourceLine where, const Twine &message) {
    mlir::emitError(getLocation(context, where), message);
    return failure();
  };
  auto push = [&](const Expr &operand, SourceLine where) -> LogicalResult {
    if (!operand.getNode())
      return fail(where, "an operand is an expression without a value");
    if (!scopes.back().count(operand.getNode()))
      stack.push_back({operand.getNode(), 0});
    return success();
  };
  auto read = [&](const Expr &operand, SourceLine where) -> FailureOr<Tensor> {
    const Tensor &tensor =
        scopes.back().find(operand.getNode())->second[operand.getResult()];
    if (!tensor.value)
      return fail(where, "the operation has no such result");
    return tensor;
  };
  if (failed(push(expr, user)))
    return failure();
  while (!stack.empty()) {
    Visit &visit = stack.back();
    const Node *node = visit.node;
    if (visit.next < node->operands.size()) {
      if (failed(push(node->operands[visit.next++], node->where)))
        return failure();
      continue;
    }
    stack.pop_back();
    if (scopes.back().count(node))
      continue;
    SmallVector<Tensor> operands;
    for (const Expr &operand : node->operands) {
      FailureOr<Tensor> tensor = read(operand, node->where);
      if (failed(tensor))
        return failure();
      if (tensor->isTransposed && !node->takesTransposed)
        return fail(node->where, "only a product takes a transposed operand");
      operands.push_back(std::move(*tensor));
    }
    loc = getLocation(context, node->where);
    FailureOr<Tensors> results = node->emit(*this, operands);
    if (failed(results))
      return failure();
    scopes.back()[node] = std::move(*results);
  }
  return read(expr, user);
}

Attribute GraphBuilder::parseAny(StringRef text) {
  // The parser knows places in the text alone.
  std::string message = "cannot be read";
  Attribute attribute;
  {
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      message = diagnostic.str();
      return success();
    });
    attribute = parseAttribute(text, context);
  }
  if (!attribute)
    error() << "'" << text << "': " << message;
  return attribute;
}

RankedTensorType GraphBuilder::getType(ArrayRef<Dim> dims, Type element) {
  SmallVector<int64_t> shape;
  for (const Dim &dim : dims)
    shape.push_back(dim.isStatic() ? dim.getFactor() : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

Type GraphBuilder::getElement(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return getF64Type();
  case ElementType::F32:
    return getF32Type();
  case ElementType::F16:
    return getF16Type();
  case ElementType::BF16:
    return getBF16Type();
  case ElementType::I64:
    return getI64Type();
  case ElementType::I32:
    return getI32Type();
  case ElementType::I1:
    return getI1Type();
  }
  llvm_unreachable("element type without a name");
}

Type GraphBuilder::getWideElement(ArrayRef<Tensor> operands) {
  for (const Tensor &operand : operands)
    if (operand.getType().getElementType().isF64())
      return getF64Type();
  return getF32Type();
}

} // namespace attn::dsl
