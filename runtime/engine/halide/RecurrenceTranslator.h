//===- RecurrenceTranslator.h - A recurrence for Halide -*- C++ -*-------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_HALIDE_RECURRENCETRANSLATOR_H
#define ATTN_RUNTIME_ENGINE_HALIDE_RECURRENCETRANSLATOR_H

#include "runtime/engine/halide/Translator.h"

namespace attn::halide {

/// Writes an attn.recurrence as one function of rows,
///
///     F[batch.., row, v]
///
/// whose rows are the state, what is corrected and what is read:
///
///     [0, K)           S[d, v]
///     [K, 2K)          M S, of a dense transition
///     from `erased`    u[t, v], initially r[t, v]
///     from `outputs`   o[t, query, v], initially the bonus
///     from `segments`  S[d, v] after each segment, where sequences are packed
///
/// and one update over a domain of phases, channels, passes and tokens, the
/// phases innermost: Halide orders the points of one domain, and those alone,
/// so that a token's state is there when it is read.
///
/// A block of channels d is a phase for each, S'[d] = T(S)[d] + .., and one for
/// each query, o += sum_d q[d] S[d]. Before that a pass makes M S and one
/// u -= sum_d p[d] S~[d], where there are such.
class RecurrenceTranslator {
public:
  RecurrenceTranslator(Translator &translator, mlir::attn::RecurrenceOp op)
      : t(translator), program(translator.program), op(op),
        kind(Translator::getKind(op.getElementType())) {}

  LogicalResult run();

private:
  /// An operand with named axes.
  struct Operand {
    Tensor tensor;
    EinsumOperand axes;
    bool isThere = false;

    bool has(char axis) const {
      return isThere && mlir::attn::Einsum::find(axes, axis) >= 0;
    }
  };

  LogicalResult collect();
  LogicalResult collect(Operand &operand, Value value, bool inMemory = true);
  Term get(const Operand &operand, const AxisTerms &at) {
    return t.read(operand.tensor, t.getIndex(operand.axes, at, sizes), kind);
  }
  /// A function of those axes: what is made once for all that lack others.
  Operand make(llvm::StringRef letters, llvm::function_ref<Term(AxisTerms)> at,
               llvm::StringRef hints = "root");
  Term constant(double value) { return program.constant(kind, value); }
  /// e^(x - max), zero for x = -inf.
  Term expDifference(Term x, Term max);

  void makeMaxima();
  void makeFactors();
  void makeBonus();
  void makeRows();
  void makeUpdate();
  void makeResults();

  /// Whether a token is the first, or the last, of its segment.
  Term isFirst(const AxisTerms &at);
  Term isLast(const AxisTerms &at);
  /// The same point in the token's segment.
  AxisTerms inSegment(const AxisTerms &at);
  Term getInitialState(const AxisTerms &at);
  Term getInitialMax(const AxisTerms &at);
  /// m before the token.
  Term getMaxBefore(const AxisTerms &at);
  /// An element of the rows.
  Term getRow(const AxisTerms &at, Term row);
  /// S before the token: the initial state at the start of a segment.
  Term getBefore(const AxisTerms &at, Term channel);
  Term getOutputRow(const AxisTerms &at, Term number);
  /// The queries that share a state, by number.
  void unpackQuery(AxisTerms &at, Term number);

  Translator &t;
  ProgramText &program;
  mlir::attn::RecurrenceOp op;
  Kind kind;
  AxisTerms sizes;
  std::string batch, queries;
  Term tokens, keys, values, numQueries;
  Operand transition, query, bonus, gate, eraseQuery, eraseKey, eraseInput,
      initialState, initialMax;
  SmallVector<Operand> writeKeys, writeValues;
  bool isDense = false;
  /// Packed sequences: the boundaries, and the segment of each token.
  Operand boundaries, segment;
  /// The running maximum m_n, at n + 1, and the bound on g.
  Operand maxima, bound;
  /// What a token multiplies the state by, and its own pairs; what a read of
  /// the state before it is multiplied by, for outputs and for erasures.
  Operand factor, weight, readFactor;
  /// The logarithm that outputs are divided by, and what it takes from them.
  Operand scale, scaleFactor;
  /// q . (w k) e^i of a token's own pairs.
  SmallVector<Operand> own;
  Tensor rows;
  Term erasedRow, outputRow, segmentRow;
};

} // namespace attn::halide

#endif // ATTN_RUNTIME_ENGINE_HALIDE_RECURRENCETRANSLATOR_H
