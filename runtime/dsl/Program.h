//===- Program.h - A function made of expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_PROGRAM_H
#define ATTN_RUNTIME_DSL_PROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/dsl/Expr.h"
#include "runtime/engine/Compile.h"
#include "llvm/ADT/StringMap.h"

namespace attn::dsl {

/// A graph: a function that takes the inputs of expressions and returns their
/// values. It owns its IR. One thread may use it, and those made of it, at a
/// time; what it compiles outlives it and may be called by any number of
/// threads.
class Program {
public:
  /// Builds the IR of `outputs` as a function of `inputs`, each an `input` or a
  /// `state`, and verifies it. What is wrong with an expression is an error
  /// "file:line: ..." at the line that wrote it.
  static llvm::Expected<Program> create(llvm::ArrayRef<Expr> inputs,
                                        llvm::ArrayRef<Expr> outputs,
                                        std::string name = "main",
                                        SourceLine where = {});

  /// The same for a step: states of the recurrences in it become arguments and
  /// results behind its own (attn-expose-state), updated in place by calls.
  llvm::Expected<Program> withStates() const;

  /// The graph as MLIR text.
  std::string getText() const;
  /// The plan, as attn-run's --explain prints it, for sizes of symbols by their
  /// names; costs are polynomials where one is missing.
  std::string getPlan(const llvm::StringMap<int64_t> &sizes = {}) const;
  /// The kernels for an NVIDIA GPU, `sm_90`, as PTX, one module after the
  /// other.
  llvm::Expected<std::string> getPtx(llvm::StringRef chip) const;

  /// Compiles for a target, as Compile.h describes it; `options.entry` does not
  /// matter. The callable needs nothing of the program.
  llvm::Expected<std::shared_ptr<const Callable>>
  compile(llvm::StringRef target = "cpu", CompileOptions options = {}) const;
  /// The literal f64 evaluation; results are f64.
  llvm::Expected<llvm::SmallVector<Array>>
  evaluate(llvm::ArrayRef<Array> arguments) const;

  mlir::ModuleOp getModule() const { return *module; }
  llvm::StringRef getName() const { return name; }

private:
  Program(std::shared_ptr<mlir::MLIRContext> context, std::string name);

  /// Programs made of each other share it.
  std::shared_ptr<mlir::MLIRContext> context;
  /// A handle: reading it changes nothing.
  mutable mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string name;
  /// The sizes of the arguments, without those of states that were exposed.
  std::vector<std::vector<Dim>> shapes;
};

/// The program of these expressions, compiled for a target.
llvm::Expected<std::shared_ptr<const Callable>>
compile(llvm::ArrayRef<Expr> inputs, llvm::ArrayRef<Expr> outputs,
        llvm::StringRef target = "cpu", SourceLine where = {});
/// The program of these expressions, evaluated in f64.
llvm::Expected<llvm::SmallVector<Array>>
evaluate(llvm::ArrayRef<Expr> inputs, llvm::ArrayRef<Expr> outputs,
         llvm::ArrayRef<Array> arguments, SourceLine where = {});

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_PROGRAM_H
