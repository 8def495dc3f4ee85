//===- AxisNames.cpp - Common names for the axes of several operations ----===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/AxisNames.h"

using namespace mlir;
using namespace mlir::attn;

/// Letters that recurrences give a meaning, and token letters.
static constexpr StringLiteral kReserved = "ndvsetm";

char AxisNames::create(char wanted) {
  auto isFree = [&](char letter) {
    return !kReserved.contains(letter) && !StringRef(used).contains(letter);
  };
  static constexpr StringLiteral kLetters = "bhgrcfijklopquwxyza";
  if (!isFree(wanted))
    wanted = *llvm::find_if(kLetters, isFree);
  used.push_back(wanted);
  return wanted;
}

LogicalResult AxisNames::match(const EinsumOperand &local,
                               const EinsumOperand &named, Renaming &renaming) {
  EinsumOperand resolved = resolve(named);
  if (local.size() != resolved.size())
    return failure();
  for (auto [own, common] : llvm::zip_equal(local, resolved)) {
    if (own.size() == 1) {
      auto [it, isNew] = renaming.try_emplace(own[0], common);
      if (!isNew && it->second != common)
        return failure();
    } else if (own.size() == common.size()) {
      for (auto [letter, name] : llvm::zip_equal(own, common)) {
        auto [it, isNew] = renaming.try_emplace(letter, EinsumDim{name});
        if (!isNew && it->second != EinsumDim{name})
          return failure();
      }
    } else if (common.size() == 1) {
      // One axis so far, a group for this operation.
      EinsumDim group;
      for (char letter : own) {
        auto [it, isNew] = renaming.try_emplace(letter, EinsumDim{});
        if (isNew)
          it->second = {create(letter)};
        if (it->second.size() != 1)
          return failure();
        group.push_back(it->second[0]);
      }
      splits[common[0]] = group;
    } else {
      return failure();
    }
  }
  return success();
}

EinsumOperand AxisNames::rename(const EinsumOperand &local,
                                Renaming &renaming) {
  EinsumOperand result;
  for (const EinsumDim &dim : local) {
    EinsumDim &names = result.emplace_back();
    for (char letter : dim) {
      auto [it, isNew] = renaming.try_emplace(letter, EinsumDim{});
      if (isNew)
        it->second = {create(letter)};
      names.append(it->second);
    }
  }
  return result;
}

EinsumOperand AxisNames::resolve(const EinsumOperand &axes) const {
  EinsumOperand result;
  for (const EinsumDim &dim : axes) {
    EinsumDim &names = result.emplace_back();
    for (char letter : dim) {
      auto it = splits.find(letter);
      if (it == splits.end())
        names.push_back(letter);
      else
        names.append(it->second);
    }
  }
  return result;
}
