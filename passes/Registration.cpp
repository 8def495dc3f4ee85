//===- Registration.cpp - All passes by name -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

namespace {
using namespace mlir;
using namespace mlir::attn;
// The generated registration has the name that the public one takes.
namespace generated {
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"
} // namespace generated
} // namespace

void mlir::attn::registerAttnPasses() { generated::registerAttnPasses(); }
