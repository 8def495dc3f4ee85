//===- CostModel.h - Costs as polynomials in sizes -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_COSTMODEL_H
#define ATTN_PASSES_ALGEBRA_COSTMODEL_H

#include "mlir/IR/Builders.h"
#include <map>
#include <string>
#include <vector>

namespace mlir::attn {

/// A polynomial in the sizes of shape classes, such as `2*b*h*n*m*d`.
class Polynomial {
public:
  /// The symbols of a product of sizes, sorted, repeated for powers.
  using Monomial = std::vector<unsigned>;

  Polynomial(double constant = 0);
  static Polynomial symbol(unsigned id);

  Polynomial &operator+=(const Polynomial &other);
  Polynomial operator+(const Polynomial &other) const;
  Polynomial operator*(const Polynomial &other) const;

  bool isConstant() const;
  double evaluate(function_ref<double(unsigned)> size) const;
  /// Arithmetic in f64 that evaluates the polynomial at run time; `size` gives
  /// the f64 value of a symbol. f64 does not overflow where i64 would.
  Value emit(OpBuilder &builder, Location loc,
             function_ref<Value(unsigned)> size) const;
  /// Highest degree first.
  std::string str(function_ref<std::string(unsigned)> name) const;

private:
  std::map<Monomial, double> terms;
};

/// What an order of products costs.
struct Cost {
  Polynomial flops;
  /// Bytes read and written.
  Polynomial bytes;
  /// Bytes of all intermediates and the result: an upper bound on what is held
  /// at one time besides the inputs.
  Polynomial held;

  Cost &operator+=(const Cost &other);
  /// flops + intensity * bytes: the time in units of one flop.
  Polynomial getTime(double flopsPerByte) const;
};

/// The model.
///
/// time = flops / F + bytes / B, in units of 1 / F: flops + (F / B) bytes.
/// F / B is the option `flops-per-byte`. Its default, 16, is a modest core:
/// about 100 Gflop/s in f32 vectors and 6 GB/s from memory.
///
/// A product of operands with the axes X and Y costs 2 |X u Y| flops. It reads
/// its operands and writes its result once, unless scores take part: values
/// with two token axes are never stored. They cost no bytes, but they live for
/// a tile of `kRowTile` rows, so each operand without the row axis (keys,
/// values) is read again for every tile.
///
/// The crossover. One head, N queries, M keys, width D of keys and V of values,
/// flops alone:
///   (Q K^T) V : 2 N M D + 2 N M V
///   Q (K^T V) : 2 M D V + 2 N D V
/// The second wins where N M (D + V) > (N + M) D V. For N = M and D = V this is
/// N > D: attention is linearised as soon as there are more tokens than
/// features. The bytes move this point a little: the state costs 8 D V bytes,
/// reading keys and values again 4 M (D + V) bytes a row tile.
constexpr int64_t kRowTile = 64;
/// Row maximum, exponential, sum and division of one score.
constexpr double kSoftmaxFlops = 20;
/// Sum and division of one score.
constexpr double kNormalizeFlops = 2;

/// The number of tiles of rows, rounded up; `n/64 + 1` where n is a symbol.
Polynomial getRowTiles(const Polynomial &rows);

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_COSTMODEL_H
