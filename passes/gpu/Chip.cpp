//===- Chip.cpp - What GPUs of an architecture have -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/gpu/Chip.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::attn;

FailureOr<Chip> Chip::parse(Operation *op, StringRef name) {
  int64_t capability = 0;
  StringRef number = name;
  if (!number.consume_front("sm_") ||
      number.rtrim("af").getAsInteger(10, capability))
    return op->emitError("expected a chip such as sm_90, got '") << name << "'";
  return Chip(capability);
}

// Both from the table of technical specifications of CUDA.
int64_t Chip::getSharedBytes() const {
  switch (capability) {
  case 80:
  case 87:
    return 163 * 1024;
  case 90:
  case 100:
  case 103:
    return 227 * 1024;
  default:
    return 99 * 1024;
  }
}

int64_t Chip::getMultiprocessors() const {
  switch (capability) {
  case 80:
    return 108;
  case 90:
    return 132;
  case 100:
  case 103:
    return 148;
  case 120:
    return 170;
  default:
    return 84;
  }
}
