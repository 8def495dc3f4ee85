//===- Identity.cpp - phi(x) = x -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Attn.h"

using namespace mlir;
using namespace mlir::attn;

LogicalResult
IdentityAttr::verifyFeatureMap(function_ref<InFlightDiagnostic()> emitError,
                               int64_t, TypeRange operands) const {
  return verifyNoFeatureMapOperands(emitError, operands);
}

double IdentityAttr::getFlopsPerToken(int64_t, TypeRange) const { return 0; }

void IdentityAttr::evaluateRow(ArrayRef<double> x, const FeatureMapRow &,
                               MutableArrayRef<double> out) const {
  llvm::copy(x, out.begin());
}

bool IdentityAttr::isElementwise() const { return true; }

Value IdentityAttr::emitElement(OpBuilder &, Location, Value x) const {
  return x;
}
