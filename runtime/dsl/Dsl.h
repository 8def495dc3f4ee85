//===- Dsl.h - Graphs as C++ expressions -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_DSL_DSL_H
#define ATTN_RUNTIME_DSL_DSL_H

#include "runtime/dsl/Causal.h"
#include "runtime/dsl/FeatureMaps.h"
#include "runtime/dsl/Products.h"
#include "runtime/dsl/Program.h"
#include "runtime/dsl/Recurrence.h"
#include "runtime/dsl/Scores.h"

#endif // ATTN_RUNTIME_DSL_DSL_H
