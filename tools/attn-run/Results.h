//===- Results.h - What becomes of the results of a run -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_RESULTS_H
#define ATTN_TOOLS_ATTN_RUN_RESULTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/array/NpyFile.h"
#include <optional>
#include <string>

namespace attn::tool {

/// The tolerance for the narrowest floating-point type that a function takes or
/// returns: 1e-10 for f64, 1e-5 for f32, 1e-2 for f16 and bf16.
double getDefaultTolerance(mlir::func::FuncOp function);

/// Prints `rel_err=` of each result (`rel_err[i]=` after the first), the
/// tolerance and what it is compared with; nothing where there is no error.
/// Fails if an error is above the tolerance or NaN, after all are printed.
llvm::Error reportErrors(llvm::ArrayRef<std::optional<double>> errors,
                         double tolerance, llvm::ArrayRef<std::string> names);

/// Compares results and reports the errors. Where `expected` is empty nothing
/// is compared.
llvm::Error compare(llvm::ArrayRef<Array> results,
                    llvm::ArrayRef<std::optional<Array>> expected,
                    double tolerance, llvm::ArrayRef<std::string> names);

/// Compares with the results of the f64 evaluation.
llvm::Error compareWithReference(mlir::ModuleOp module,
                                 mlir::func::FuncOp function,
                                 llvm::ArrayRef<Array> arguments,
                                 llvm::ArrayRef<Array> results,
                                 double tolerance);

/// Checks that the files can be there, before a long run.
llvm::Error checkOutputPaths(llvm::ArrayRef<std::string> paths);

/// Gives all files their names, or none.
llvm::Error keepFiles(llvm::MutableArrayRef<NpyWriter> files);

/// Writes all results, or none.
llvm::Error writeResults(llvm::ArrayRef<Array> results,
                         llvm::ArrayRef<std::string> paths);

/// "8x?x64xf32", as types write it.
std::string getShapeText(const Array &array);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_RESULTS_H
