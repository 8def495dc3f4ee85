//===- CpuSpec.h - What a module says of its CPU -*- C++ -*- -------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_PASSES_ALGEBRA_CPUSPEC_H
#define ATTN_PASSES_ALGEBRA_CPUSPEC_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::attn {

/// The entries of the device `CPU` in the `dlti.target_system_spec` around an
/// operation, which attn-describe-cpu writes, and what stands for those that
/// are not there.
struct CpuSpec {
  static constexpr StringLiteral kDevice = "CPU",
                                 kFirstCache = "L1_cache_size_in_bytes",
                                 kVectorWidth = "max_vector_op_width",
                                 kVectorRegisters = "vector_registers";

  int64_t firstCacheBytes = 32 * 1024;
  /// In bits.
  int64_t vectorWidth = 512;
  int64_t vectorRegisters = 32;

  static CpuSpec get(Operation *op);
  /// Writes down the entries that the module does not have yet.
  using Entry = std::pair<StringRef, int64_t>;
  static void add(ModuleOp module, ArrayRef<Entry> entries);

  /// The f32 elements of a vector.
  int64_t getLanes() const { return vectorWidth / 32; }
  /// Elements of a row that a map handles at once: vectors enough to hide
  /// latencies, and registers left for constants.
  int64_t getMapLength() const { return getLanes() * (vectorRegisters / 8); }
};

} // namespace mlir::attn

#endif // ATTN_PASSES_ALGEBRA_CPUSPEC_H
