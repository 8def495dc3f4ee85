//===- Scan.cpp - scan, a user's own recurrence -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"

using namespace mlir;
using mlir::attn::EinsumDim;
using mlir::attn::EinsumOperand;
using mlir::attn::ScanOp;

namespace attn {

namespace {
/// The parts of a tensor that the tokens have.
struct Parts {
  SmallVector<int64_t> shape;    // of one part
  std::vector<int64_t> batch;    // where the batch indices start
  std::vector<int64_t> elements; // of one part, from its start
  int64_t token;                 // stride

  Parts(const EinsumOperand &axes, const PerAxis &sizes,
        ArrayRef<char> batchAxes) {
    PerAxis strides = getAxisStrides(axes, sizes);
    std::string outer(batchAxes.begin(), batchAxes.end());
    SmallVector<char> inner = getAxesBut(axes, outer + "n");
    for (char axis : inner)
      shape.push_back(sizes[axis]);
    batch = getOffsets(batchAxes, sizes, strides);
    elements = getOffsets(inner, sizes, strides);
    token = strides['n'];
  }

  int64_t getStart(int64_t index, int64_t n) const {
    return batch[index] + n * token;
  }
};
} // namespace

/// A part as an array of its own.
static llvm::Expected<Array> take(ScanOp op, const Array &from,
                                  const Parts &parts, int64_t batch,
                                  int64_t token) {
  llvm::Expected<Array> part = createResult(op, parts.shape);
  if (!part)
    return part;
  const double *in = getDoubles(from) + parts.getStart(batch, token);
  for (auto [i, offset] : llvm::enumerate(parts.elements))
    getDoubles(*part)[i] = in[offset];
  return part;
}

static void put(const Array &part, const Array &into, const Parts &parts,
                int64_t batch, int64_t token) {
  double *out = getDoubles(into) + parts.getStart(batch, token);
  for (auto [i, offset] : llvm::enumerate(parts.elements))
    out[offset] = getDoubles(part)[i];
}

llvm::Expected<SmallVector<Array>>
evaluateScan(ScanOp op, ArrayRef<Array> operands, BlockRunner runBlock) {
  llvm::Expected<PerAxis> sizes = solveAxes(op, operands);
  if (!sizes)
    return sizes.takeError();
  EinsumOperand stateAxes = op.getAxesOfState();
  SmallVector<char> batchAxes = getAxesBut(stateAxes, "dv");
  Parts stateParts(stateAxes, *sizes, batchAxes),
      outputParts(op.getAxesOfOutput(), *sizes, batchAxes);
  SmallVector<Parts> inputParts;
  for (unsigned i = 0; i < op.getInputs().size(); ++i)
    inputParts.emplace_back(op.getAxesOfInput(i), *sizes, batchAxes);

  SmallVector<Array> results;
  for (const EinsumOperand &axes : op.getAxesOfResults()) {
    llvm::Expected<Array> result = createResult(op, getShape(axes, *sizes));
    if (!result)
      return result.takeError();
    results.push_back(std::move(*result));
  }
  int64_t batches = countIndices(batchAxes, *sizes), tokens = (*sizes)['n'];
  for (int64_t batch = 0; batch < batches; ++batch) {
    // S = S0, or 0
    llvm::Expected<Array> state = createResult(op, stateParts.shape);
    if (!state)
      return state.takeError();
    std::fill_n(getDoubles(*state), state->getNumElements(), 0.0);
    if (op.getInitialState())
      state = take(op, operands.back(), stateParts, batch, 0);
    for (int64_t token = 0; state && token < tokens; ++token) {
      // S', o = body(S, inputs)
      SmallVector<Array> arguments{*state};
      for (auto [array, parts] : llvm::zip(operands, inputParts)) {
        llvm::Expected<Array> part = take(op, array, parts, batch, token);
        if (!part)
          return part.takeError();
        arguments.push_back(std::move(*part));
      }
      llvm::Expected<SmallVector<Array>> yielded =
          runBlock(op.getBody().front(), arguments);
      if (!yielded)
        return yielded.takeError();
      state = (*yielded)[0];
      put((*yielded)[1], results[0], outputParts, batch, token);
    }
    if (!state)
      return state.takeError();
    if (op.getFinalState())
      put(*state, results[1], stateParts, batch, 0);
  }
  return results;
}

} // namespace attn
