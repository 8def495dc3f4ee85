//===- ArgumentAxes.cpp - Letters for the sizes of arguments -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/dsl/ArgumentAxes.h"
#include "llvm/ADT/STLExtras.h"

namespace attn::dsl {

char ArgumentAxes::takeFree() {
  for (char letter = 'a'; letter <= 'z'; ++letter)
    if (used.find(letter) == std::string::npos) {
      used += letter;
      return letter;
    }
  return 0;
}

void ArgumentAxes::addSymbols(llvm::ArrayRef<Dim> shape) {
  for (const Dim &dim : shape) {
    const std::string &symbol = dim.getSymbol();
    if (dim.isStatic() || symbols.count(symbol))
      continue;
    bool isLetter = symbol.size() == 1 && symbol[0] >= 'a' && symbol[0] <= 'z';
    symbols[symbol] = isLetter ? symbol[0] : 0;
    if (isLetter)
      used += symbol[0];
  }
}

std::optional<std::string> ArgumentAxes::name(llvm::ArrayRef<Dim> shape) {
  if (llvm::all_of(shape, [](const Dim &dim) { return dim.isStatic(); }))
    return std::nullopt;
  std::string text;
  for (const Dim &dim : shape) {
    bool isSymbol = !dim.isStatic() && dim.getFactor() == 1;
    char &known = isSymbol ? symbols[dim.getSymbol()] : others[dim.str()];
    // A letter stands once in an argument.
    bool isRepeated = known && text.find(known) != std::string::npos;
    char letter = known && !isRepeated ? known : takeFree();
    if (!letter)
      return std::nullopt;
    if (!known)
      known = letter;
    text += letter;
  }
  return text;
}

} // namespace attn::dsl
