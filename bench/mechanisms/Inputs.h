//===- Inputs.h - Arguments of a row, and what it has to return --- -*- C++
//-*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_BENCH_MECHANISMS_INPUTS_H
#define ATTN_BENCH_MECHANISMS_INPUTS_H

#include "Rows.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/array/Array.h"

namespace attn::bench {

/// Arguments of `tokens` tokens in f32, the same for a seed.
llvm::Expected<llvm::SmallVector<Array>>
drawInputs(const Row &row, const Graph &graph, int64_t tokens, uint64_t seed);

/// The arguments rounded to the types of a graph.
llvm::Expected<llvm::SmallVector<Array>>
convertInputs(llvm::ArrayRef<Array> inputs, const Graph &graph);

/// `count` tokens of all arguments from `begin` on.
llvm::Expected<llvm::SmallVector<Array>> cutInputs(llvm::ArrayRef<Array> inputs,
                                                   const Graph &graph,
                                                   int64_t begin,
                                                   int64_t count);

/// Uninitialised memory for the result of `tokens` tokens.
llvm::Expected<Array> createOutput(const Graph &graph, int64_t tokens);

/// `count` tokens of a result from `begin` on, or the whole placed there.
llvm::Expected<Array> cutOutput(const Array &output, const Graph &graph,
                                int64_t begin, int64_t count);
void placeOutput(const Array &part, Array &output, const Graph &graph,
                 int64_t begin);

/// The graph for inputs of the sizes of `piece`, with its recurrences' states
/// as arguments and results after its own; `states` are the initial ones.
llvm::Expected<Graph> exposeStates(const Graph &graph,
                                   llvm::ArrayRef<Array> piece,
                                   llvm::SmallVector<Array> &states);

/// What no result has: every byte 0x7f, a huge number in every type.
void poison(Array &array);

/// Bytes of all elements.
int64_t getBytes(llvm::ArrayRef<Array> arrays);

/// The f64 evaluation of a graph on a prefix of the inputs: what the first
/// tokens of a causal row's result are.
llvm::Expected<Array> evaluatePrefix(const Graph &graph,
                                     llvm::ArrayRef<Array> inputs,
                                     int64_t tokens);

} // namespace attn::bench

#endif // ATTN_BENCH_MECHANISMS_INPUTS_H
