//===- ProgramText.h - Writes programs for the Halide plugin -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HALIDE_PROGRAMTEXT_H
#define ATTN_RUNTIME_ENGINE_HALIDE_PROGRAMTEXT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include <map>
#include <optional>
#include <string>

namespace attn::halide {

enum class Kind { I32, I64, B1, U8, F16, BF16, F32, F64 };

inline bool isFloat(Kind kind) { return kind >= Kind::F16; }

/// A scalar value of the program.
struct Term {
  int id = -1;
  Kind kind = Kind::I32;

  explicit operator bool() const { return id >= 0; }
};

/// A program as `runtime/halide/HalidePlugin.h` defines it. Dimensions stand in
/// the order of MLIR here, the innermost last; those of domains with the
/// innermost loop first, as there. Equal values are made once.
class ProgramText {
public:
  using Terms = llvm::ArrayRef<Term>;

  Term makeSize();
  Term makeVar();
  int makeInput(Kind kind, Terms extents);
  /// A constant array.
  int makeTable(Kind kind, llvm::ArrayRef<int64_t> shape,
                llvm::ArrayRef<double> elements);
  int makeDomain(Terms extents);
  Term makeLoop(int domain, int number);
  void where(int domain, Term condition);
  int makeFunc(Terms vars, Terms extents, Term value);
  /// The variables of a function, which its updates use.
  llvm::ArrayRef<Term> getVars(int func) const { return vars.at(func); }
  void update(int func, Terms indices, Term value);
  Term load(int source, Kind kind, Terms indices);
  void schedule(int func, llvm::StringRef hints);
  void output(int func);

  Term constant(Kind kind, double value);
  Term integer(int64_t value) { return constant(Kind::I32, value); }
  /// An operation of runtime/halide/Operations.cpp.
  Term make(llvm::StringRef operation, Kind kind, Terms operands);

  // Those of which integers are folded, and others that are written often.
  Term add(Term a, Term b);
  Term sub(Term a, Term b);
  Term mul(Term a, Term b);
  /// The quotient towards minus infinity of integers.
  Term div(Term a, Term b);
  Term mod(Term a, Term b);
  Term muladd(Term a, Term b, Term c) {
    return make("muladd", c.kind, {a, b, c});
  }
  Term max(Term a, Term b) { return make("max", a.kind, {a, b}); }
  Term min(Term a, Term b) { return make("min", a.kind, {a, b}); }
  Term lt(Term a, Term b) { return make("lt", Kind::B1, {a, b}); }
  Term le(Term a, Term b) { return make("le", Kind::B1, {a, b}); }
  Term eq(Term a, Term b) { return make("eq", Kind::B1, {a, b}); }
  Term both(Term a, Term b) { return make("and", Kind::B1, {a, b}); }
  Term negate(Term a) { return make("not", Kind::B1, {a}); }
  Term select(Term condition, Term a, Term b);
  Term cast(Term a, Kind kind);
  Term exp(Term a) { return make("exp", a.kind, {a}); }
  /// Moved into [0, size - 1].
  Term clamp(Term index, Term size);

  std::optional<int64_t> getInteger(Term term) const;
  /// A size that sums, products and quotients of `sizes` are.
  int64_t evaluate(Term size, llvm::ArrayRef<int64_t> sizes) const;
  const std::string &getText() const { return text; }

private:
  int addStatement(llvm::StringRef statement);
  Term addValue(llvm::StringRef statement, Kind kind);

  std::string text;
  int numIds = 0;
  llvm::StringMap<int> made;
  llvm::DenseMap<int, int64_t> integers;
  std::map<int, llvm::SmallVector<Term>> vars;
  /// How values of sizes are made: the number of a size, or operands.
  struct SizeOp {
    std::string operation;
    int a = 0, b = 0;
  };
  llvm::DenseMap<int, SizeOp> sizeOps;
  int numSizes = 0;
};

} // namespace attn::halide

#endif // ATTN_RUNTIME_ENGINE_HALIDE_PROGRAMTEXT_H
