//===- ArgumentAxes.h - Letters for the sizes of arguments -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_ARGUMENTAXES_H
#define ATTN_RUNTIME_DSL_ARGUMENTAXES_H

#include "runtime/dsl/Dim.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"

namespace attn::dsl {

/// `attn.axes` of arguments: the same letter for the same size, by which
/// symbols are equal wherever they stand. A symbol of one letter is that
/// letter.
class ArgumentAxes {
public:
  /// The symbols of all arguments, before any is named.
  void addSymbols(llvm::ArrayRef<Dim> shape);
  /// The axes of an argument; none if it has no symbol, or if the alphabet does
  /// not suffice.
  std::optional<std::string> name(llvm::ArrayRef<Dim> shape);

private:
  /// A letter that stands for nothing yet, or 0.
  char takeFree();

  llvm::StringMap<char> symbols;
  /// Letters of numbers and of multiples, by their text.
  llvm::StringMap<char> others;
  std::string used;
};

} // namespace attn::dsl

#endif // ATTN_RUNTIME_DSL_ARGUMENTAXES_H
