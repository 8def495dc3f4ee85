//===- Diagnostics.cpp - Diagnostics as errors -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/Diagnostics.h"
#include "mlir/IR/Diagnostics.h"
#include "runtime/array/Error.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn {
llvm::Error collectErrors(MLIRContext *context, StringRef fallback,
                          llvm::function_ref<LogicalResult()> action) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto collect = [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return failure();
    if (!text.empty())
      stream << '\n';
    stream << getText(diagnostic.getLocation()) << ": " << diagnostic;
    for (Diagnostic &note : diagnostic.getNotes())
      stream << '\n' << getText(note.getLocation()) << ": note: " << note;
    return success();
  };
  ScopedDiagnosticHandler handler(context, collect);
  if (succeeded(action()))
    return llvm::Error::success();
  return createError(text.empty() ? fallback : StringRef(text));
}

} // namespace attn
