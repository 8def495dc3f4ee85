//===- Graph.cpp - A module in a context of its own ---------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Graph.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/AsmParser/AsmParserState.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "runtime/engine/Diagnostics.h"
#include "runtime/engine/GraphContext.h"
#include "runtime/engine/Signature.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace attn {

/// "q" of `%q` or `%q:2`; null for a number.
static StringAttr getName(MLIRContext *context, SMRange range) {
  if (!range.isValid())
    return nullptr;
  StringRef text(range.Start.getPointer(),
                 range.End.getPointer() - range.Start.getPointer());
  text.consume_front("%");
  text = text.split(':').first;
  if (text.empty() || llvm::isDigit(text.front()))
    return nullptr;
  return StringAttr::get(context, text);
}

/// The name of what defines a value.
static StringAttr getName(const AsmParserState &state, Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    const auto *block = state.getBlockDef(argument.getOwner());
    if (!block || argument.getArgNumber() >= block->arguments.size())
      return nullptr;
    return getName(value.getContext(),
                   block->arguments[argument.getArgNumber()].loc);
  }
  auto result = cast<OpResult>(value);
  const auto *definition = state.getOpDef(result.getOwner());
  // Several results of one name have none of their own.
  if (!definition || result.getOwner()->getNumResults() != 1 ||
      definition->resultGroups.empty())
    return nullptr;
  return getName(value.getContext(),
                 definition->resultGroups.front().definition.loc);
}

static void nameValues(func::FuncOp function, const AsmParserState &state) {
  if (function.isExternal())
    return;
  for (BlockArgument argument : function.getArguments())
    if (!function.getArgAttr(argument.getArgNumber(), kNameAttrName))
      if (StringAttr name = getName(state, argument))
        function.setArgAttr(argument.getArgNumber(), kNameAttrName, name);
  Operation *ret = function.getBody().front().getTerminator();
  for (auto [i, operand] : llvm::enumerate(ret->getOperands()))
    if (i < function.getNumResults() &&
        !function.getResultAttr(i, kNameAttrName))
      if (StringAttr name = getName(state, operand))
        function.setResultAttr(i, kNameAttrName, name);
}

Graph::Graph()
    : executor(std::make_unique<llvm::SingleThreadExecutor>(
          llvm::hardware_concurrency(1))),
      context(createGraphContext(MLIRContext::Threading::DISABLED)) {
  context->setThreadPool(*executor);
}

llvm::Expected<Graph> Graph::parse(StringRef text, StringRef name) {
  Graph graph;
  MLIRContext *context = graph.context.get();
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             llvm::SMLoc());
  AsmParserState state;
  if (llvm::Error error = collectErrors(context, "the text is no graph", [&] {
        Block block;
        if (failed(parseAsmSourceFile(sources, &block,
                                      ParserConfig(context, false), &state)))
          return failure();
        Location start = FileLineColLoc::get(context, name, 1, 1);
        graph.module =
            mlir::detail::constructContainerOpForParserIfNecessary<ModuleOp>(
                &block, context, start);
        return success(graph.module && succeeded(verify(*graph.module)));
      }))
    return std::move(error);
  for (auto function : graph.module->getOps<func::FuncOp>())
    nameValues(function, state);
  return graph;
}

std::string printGraph(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, OpPrintingFlags().enableDebugInfo(true, false));
  return text;
}

} // namespace attn
