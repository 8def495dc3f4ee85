//===- CausalScore.cpp - causal_score -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/reference/Axes.h"
#include "runtime/reference/Contents.h"
#include <cmath>

using namespace mlir;
using mlir::attn::CausalScoreOp;
using mlir::attn::EinsumOperand;

namespace attn {

namespace {
/// An operand, or 1 or 0 throughout where it is not there.
struct Operand {
  const double *data = nullptr;
  std::vector<int64_t> batch;     // where each batch index starts
  int64_t token = 0, feature = 0; // strides
};
} // namespace

llvm::Expected<Array> evaluateCausalScore(CausalScoreOp op,
                                          ArrayRef<Array> operands) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  llvm::Expected<PerAxis> sizes = solveAxes(op, operands);
  if (!sizes)
    return sizes.takeError();
  EinsumOperand resultAxes = op.getAxesOfResults().front();
  llvm::Expected<Array> result = createResult(op, getShape(resultAxes, *sizes));
  if (!result)
    return result;
  char query = op.getQueryAxis(), key = op.getKeyAxis(),
       feature = op.getFeatureAxis();
  SmallVector<char> batch = getAxesBut(resultAxes, std::string{query, key});

  // 1. Where the elements lie.
  Operand all[5]; // lhs, rhs, decay, bonus, log_gate
  auto &[lhs, rhs, decay, bonus, gate] = all;
  bool isThere[] = {true, true, op.getDecay() != nullptr,
                    op.getBonus() != nullptr, op.getLogGate() != nullptr};
  SmallVector<EinsumOperand> axes = op.getAxesOfOperands();
  for (unsigned i = 0, next = 0; i < 5; ++i) {
    if (!isThere[i])
      continue;
    PerAxis strides = getAxisStrides(axes[next], *sizes);
    bool ofKey = &all[i] == &rhs || &all[i] == &gate;
    all[i] = {getDoubles(operands[next]), getOffsets(batch, *sizes, strides),
              strides[ofKey ? key : query], strides[feature]};
    if (&all[i] == &decay && !op.getUnbounded())
      if (auto wrong = findOutside("decay", operands[next], -infinity, 0))
        return createError(op, *wrong);
    ++next;
  }

  // 2. Column by column: s_d = sum_{r=m+1..n} g[r, d] grows down the rows.
  int64_t tokens = (*sizes)[query], features = (*sizes)[feature];
  bool oneDecay = decay.feature == 0;
  bool exclusive = op.getExclusive(), strict = op.getStrict();
  double *out = getDoubles(*result);
  int64_t batches = countIndices(batch, *sizes);
  forBlocks(batches * tokens, 8, [&](int64_t begin, int64_t end) {
    SmallVector<double> sums(features), weights(features);
    for (int64_t column = begin; column < end; ++column) {
      int64_t b = column / tokens, m = column % tokens;
      const double *k = rhs.data + rhs.batch[b] + m * rhs.token;
      double factor =
          gate.data ? std::exp(gate.data[gate.batch[b] + m * gate.token]) : 1;
      std::fill(sums.begin(), sums.end(), 0.0);
      for (int64_t n = 0; n < tokens; ++n) {
        double &score = out[(b * tokens + n) * tokens + m];
        score = 0;
        if (n < m || (n == m && strict))
          continue;
        // W_d[n, m]
        if (n == m && bonus.data) {
          const double *u = bonus.data + bonus.batch[b] + n * bonus.token;
          for (int64_t d = 0; d < features; ++d)
            weights[d] = u[d * bonus.feature];
        } else if (n == m || !decay.data) {
          std::fill(weights.begin(), weights.end(), 1.0);
        } else {
          const double *g = decay.data + decay.batch[b] + n * decay.token;
          for (int64_t d = 0; d < features; ++d) {
            double before = sums[d];
            sums[d] += g[d * decay.feature];
            weights[d] = oneDecay && d > 0
                             ? weights[0]
                             : std::exp(exclusive ? before : sums[d]);
          }
        }
        const double *q = lhs.data + lhs.batch[b] + n * lhs.token;
        for (int64_t d = 0; d < features; ++d)
          score += q[d * lhs.feature] * k[d * rhs.feature] * weights[d];
        score *= factor;
      }
    }
  });
  return result;
}

} // namespace attn
