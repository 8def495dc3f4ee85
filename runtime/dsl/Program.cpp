//===- Program.cpp - A function made of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/Program.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/Passes.h"
#include "passes/algebra/Explain.h"
#include "passes/algebra/ShapeClasses.h"
#include "runtime/aot/Ptx.h"
#include "runtime/array/Error.h"
#include "runtime/dsl/ArgumentAxes.h"
#include "runtime/dsl/GraphBuilder.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/ExposeStates.h"
#include "runtime/engine/GraphContext.h"

using namespace mlir;

namespace attn::dsl {

Program::Program(std::shared_ptr<MLIRContext> context, std::string name)
    : context(std::move(context)), name(std::move(name)) {}

/// The arguments that the inputs describe; reports an input that is none.
static FailureOr<SmallVector<const Node *>>
getArguments(MLIRContext *context, ArrayRef<Expr> inputs, SourceLine where) {
  SmallVector<const Node *> nodes;
  llvm::StringMap<const Node *> names;
  auto fail = [&](SourceLine line, const Twine &message) {
    emitError(GraphBuilder::getLocation(context, line), message);
    return failure();
  };
  for (auto [i, input] : llvm::enumerate(inputs)) {
    const Node *node = input.getNode();
    if (!node || !node->argument)
      return fail(node ? node->where : where,
                  "input " + Twine(i) + " of the program is no argument");
    for (const Dim &dim : node->argument->shape)
      if (dim.getFactor() < 0)
        return fail(node->where, "'" + node->argument->name +
                                     "' has a size of " + dim.str());
    if (!names.try_emplace(node->argument->name, node).second)
      return fail(node->where, "two inputs of the program are named '" +
                                   node->argument->name + "'");
    nodes.push_back(node);
  }
  return nodes;
}

/// Writes the function. It stays in the module if this fails.
static LogicalResult build(ModuleOp module, StringRef name,
                           ArrayRef<Expr> inputs, ArrayRef<Expr> outputs,
                           SourceLine where,
                           std::vector<std::vector<Dim>> &shapes) {
  MLIRContext *context = module.getContext();
  auto arguments = getArguments(context, inputs, where);
  if (failed(arguments))
    return failure();
  GraphBuilder builder(context);
  builder.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types;
  for (const Node *node : *arguments)
    types.push_back(builder.getType(node->argument->shape,
                                    builder.getElement(node->argument->type)));
  Location loc = GraphBuilder::getLocation(context, where);
  auto function = func::FuncOp::create(builder, loc, name,
                                       builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToStart(body);
  ArgumentAxes axes;
  for (auto [i, node] : llvm::enumerate(*arguments)) {
    const Argument &argument = *node->argument;
    BlockArgument value = body->getArgument(i);
    value.setLoc(GraphBuilder::getLocation(context, node->where));
    builder.set(inputs[i], {value, argument.shape});
    shapes.push_back(argument.shape);
    function.setArgAttr(i, kNameAttrName, builder.getStringAttr(argument.name));
    if (argument.isState)
      function.setArgAttr(i, mlir::attn::kStateAttrName, builder.getUnitAttr());
  }
  for (const Node *node : *arguments)
    axes.addSymbols(node->argument->shape);
  for (auto [i, node] : llvm::enumerate(*arguments))
    if (auto text = axes.name(node->argument->shape))
      function.setArgAttr(i, "attn.axes", builder.getStringAttr(*text));

  SmallVector<Value> results;
  for (const Expr &output : outputs) {
    FailureOr<Tensor> tensor = builder.get(output, where);
    if (failed(tensor))
      return failure();
    if (tensor->isTransposed) {
      emitError(loc, "only a product takes a transposed operand");
      return failure();
    }
    results.push_back(tensor->value);
  }
  func::ReturnOp::create(builder, loc, results);
  function.setFunctionType(
      builder.getFunctionType(types, ValueRange(results).getTypes()));
  return verify(module);
}

llvm::Expected<Program> Program::create(ArrayRef<Expr> inputs,
                                        ArrayRef<Expr> outputs,
                                        std::string name, SourceLine where) {
  Program program(createGraphContext(), std::move(name));
  MLIRContext *context = program.context.get();
  context->loadDialect<func::FuncDialect, arith::ArithDialect,
                       math::MathDialect, mlir::attn::AttnDialect>();
  program.module = ModuleOp::create(GraphBuilder::getLocation(context, where));
  llvm::Error error = collectErrors(context, "the graph cannot be built", [&] {
    return build(*program.module, program.name, inputs, outputs, where,
                 program.shapes);
  });
  if (error)
    return std::move(error);
  return program;
}

llvm::Expected<Program> Program::withStates() const {
  Program program(context, name);
  program.module = module->clone();
  program.shapes = shapes;
  auto function = program.module->lookupSymbol<func::FuncOp>(name);
  auto before = exposeStates(function);
  if (!before)
    return before.takeError();
  return program;
}

std::string Program::getText() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text;
}

std::string Program::getPlan(const llvm::StringMap<int64_t> &sizes) const {
  OwningOpRef<ModuleOp> copy(module->clone());
  auto function = copy->lookupSymbol<func::FuncOp>(name);
  // The plan names sizes by the axes of operations, not by symbols.
  llvm::StringMap<int64_t> byAxis;
  auto classes = mlir::attn::ShapeClasses::analyze(function);
  for (auto [i, shape] : llvm::enumerate(shapes))
    for (auto [dim, size] : llvm::enumerate(shape))
      if (auto it = sizes.find(size.getSymbol());
          succeeded(classes) && it != sizes.end())
        byAxis[classes->getName(classes->getClass(
            function.getArgument(i), dim))] = size.getFactor() * it->second;
  return mlir::attn::explainPlan(*copy, name,
                                 [&](StringRef axis) -> std::optional<int64_t> {
                                   auto it = byAxis.find(axis);
                                   if (it == byAxis.end())
                                     return std::nullopt;
                                   return it->second;
                                 });
}

llvm::Expected<std::string> Program::getPtx(StringRef chip) const {
  PtxOptions options;
  options.chip = chip.str();
  auto kernels = compileToPtx(*module, name, options);
  if (!kernels)
    return kernels.takeError();
  std::string text;
  for (const PtxModule &kernel : *kernels)
    text += kernel.text;
  return text;
}

llvm::Expected<std::shared_ptr<const Callable>>
Program::compile(StringRef target, CompileOptions options) const {
  options.entry = name;
  return ::attn::compile(*module, target, options);
}

llvm::Expected<SmallVector<Array>>
Program::evaluate(ArrayRef<Array> arguments) const {
  auto callable = compile("reference");
  if (!callable)
    return callable.takeError();
  return (*callable)->call(arguments);
}

llvm::Expected<std::shared_ptr<const Callable>> compile(ArrayRef<Expr> inputs,
                                                        ArrayRef<Expr> outputs,
                                                        StringRef target,
                                                        SourceLine where) {
  auto program = Program::create(inputs, outputs, "main", where);
  if (!program)
    return program.takeError();
  return program->compile(target);
}

llvm::Expected<SmallVector<Array>> evaluate(ArrayRef<Expr> inputs,
                                            ArrayRef<Expr> outputs,
                                            ArrayRef<Array> arguments,
                                            SourceLine where) {
  auto program = Program::create(inputs, outputs, "main", where);
  if (!program)
    return program.takeError();
  return program->evaluate(arguments);
}

} // namespace attn::dsl
