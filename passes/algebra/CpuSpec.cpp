//===- CpuSpec.cpp - What a module says of its CPU -----------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/algebra/CpuSpec.h"
#include "mlir/Dialect/DLTI/DLTI.h"

using namespace mlir;
using namespace mlir::attn;

CpuSpec CpuSpec::get(Operation *op) {
  CpuSpec spec;
  auto read = [&](StringRef key, int64_t &value) {
    FailureOr<Attribute> entry = dlti::query(op, {kDevice, key});
    if (failed(entry))
      return;
    if (auto number = dyn_cast<IntegerAttr>(*entry); number && number.getInt())
      value = number.getInt();
  };
  read(kFirstCache, spec.firstCacheBytes);
  read(kVectorWidth, spec.vectorWidth);
  read(kVectorRegisters, spec.vectorRegisters);
  return spec;
}
