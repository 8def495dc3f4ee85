//===- MemRefDescriptor.h - Arrays as kernels see them -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_MEMREFDESCRIPTOR_H
#define ATTN_RUNTIME_ENGINE_MEMREFDESCRIPTOR_H

#include "mlir/IR/TypeRange.h"
#include "runtime/array/Array.h"
#include <optional>

namespace attn {

/// What MLIR passes for a `memref` of identity layout: the words allocated,
/// aligned, offset, sizes[rank], strides[rank].
class MemRefDescriptor {
public:
  static int64_t getNumWords(int64_t rank) { return 3 + 2 * rank; }

  explicit MemRefDescriptor(const Array &array);

  void *getWords() { return words.data(); }

private:
  llvm::SmallVector<int64_t, 11> words;
};

/// The memory into which a `_mlir_ciface_` function writes its results: a
/// struct of descriptors and scalars, or a scalar alone.
class ResultBuffer {
public:
  /// `inPlace` has the argument that is a result, which the function does not
  /// return, or -1.
  static llvm::Expected<ResultBuffer> create(mlir::TypeRange results,
                                             llvm::ArrayRef<int64_t> inPlace);
  /// Of a function without results.
  ResultBuffer() = default;

  /// What the function returns: several values or an array, one scalar, or
  /// nothing.
  bool isStruct() const {
    return numReturned > 1 || (numReturned == 1 && !isScalar());
  }
  bool isScalar() const;
  void *getData() { return words.data(); }

  /// The arrays behind the descriptors, without a copy: each frees its memory
  /// by `release`, or shares it with the argument or the result that it
  /// aliases.
  llvm::SmallVector<Array> take(llvm::ArrayRef<Array> arguments,
                                void (*release)(void *)) const;

private:
  struct Field {
    ElementType type;
    /// None for a scalar.
    std::optional<int64_t> rank;
    int64_t offset;
    /// The argument that is this result, or -1.
    int64_t argument;
  };
  llvm::SmallVector<Field> fields;
  int64_t numReturned = 0;
  /// Words, for the alignment of the struct.
  llvm::SmallVector<int64_t> words;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_MEMREFDESCRIPTOR_H
