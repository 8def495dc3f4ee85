//===- GraphContext.cpp - A context for graphs ----------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/GraphContext.h"
#include "passes/RegisterDialects.h"

std::unique_ptr<mlir::MLIRContext>
attn::createGraphContext(mlir::MLIRContext::Threading threading) {
  mlir::DialectRegistry registry;
  mlir::attn::registerDialects(registry);
  auto context = std::make_unique<mlir::MLIRContext>(registry, threading);
  context->printOpOnDiagnostic(false);
  return context;
}
