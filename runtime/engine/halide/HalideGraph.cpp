//===- HalideGraph.cpp - A graph as a program for Halide ------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/halide/HalideGraph.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Passes.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/HostFunction.h"

using namespace mlir;

namespace attn::halide {

static void buildPipeline(OpPassManager &pm, const GraphOptions &options) {
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addNestedPass<func::FuncOp>(mlir::attn::createAttnAnalyzeScans());
  pm.addNestedPass<func::FuncOp>(mlir::attn::createAttnLinearize());
  if (!options.keepOrder) {
    mlir::attn::AttnReassociateOptions order;
    order.order = mlir::attn::OrderChoice::Linear;
    pm.addNestedPass<func::FuncOp>(mlir::attn::createAttnReassociate(order));
  }
  pm.addNestedPass<func::FuncOp>(mlir::attn::createAttnStabilize());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// The argument whose state `value` is after the call, or -1.
static int64_t getState(func::FuncOp function, Value value) {
  while (auto cast = value.getDefiningOp<tensor::CastOp>())
    value = cast.getSource();
  Value before;
  if (auto op = value.getDefiningOp<mlir::attn::RecurrenceOp>())
    before = value == op.getFinalState() ? op.getInitialState()
             : value == op.getFinalMax() ? op.getInitialMax()
                                         : Value();
  else if (auto op = value.getDefiningOp<tensor::InsertOp>())
    before = op.getDest();
  while (before && before.getDefiningOp<tensor::CastOp>())
    before = before.getDefiningOp<tensor::CastOp>().getSource();
  auto argument = dyn_cast_if_present<BlockArgument>(before);
  if (!argument || argument.getOwner() != &function.getBody().front() ||
      argument.getType() != value.getType() ||
      !function.getArgAttr(argument.getArgNumber(), mlir::attn::kStateAttrName))
    return -1;
  return argument.getArgNumber();
}

llvm::Expected<GraphProgram> writeProgram(ModuleOp module, StringRef entry,
                                          const GraphOptions &options,
                                          CompileTimes *times) {
  OwningOpRef<ModuleOp> copy(module.clone());
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  func::registerInlinerExtension(registry);
  context->appendDialectRegistry(registry);
  auto function = isolate(*copy, entry);
  if (!function)
    return function.takeError();
  std::string name = function->getSymName().str();
  GraphProgram result;
  Stopwatch derive(times ? &times->derive : nullptr);
  if (llvm::Error error = collectErrors(context, "the algebra failed", [&] {
        PassManager pm(context);
        buildPipeline(pm, options);
        return pm.run(*copy);
      }))
    return std::move(error);
  derive.stop();
  Stopwatch lower(times ? &times->lower : nullptr);
  auto derived = copy->lookupSymbol<func::FuncOp>(name);
  if (llvm::Error error =
          collectErrors(context, "the graph has no form in Halide", [&] {
            Translator translator(derived, options.allowQuadratic);
            auto graph = translator.run();
            if (failed(graph))
              return failure();
            result.graph = std::move(*graph);
            return success();
          }))
    return std::move(error);
  for (Value value : derived.getBody().front().getTerminator()->getOperands())
    result.states.push_back(getState(derived, value));
  return result;
}

} // namespace attn::halide
