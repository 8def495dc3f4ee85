//===- PackedCall.h - Memory as compiled code sees it -*- C++ -*- -------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_PACKEDCALL_H
#define ATTN_RUNTIME_ENGINE_PACKEDCALL_H

#include "runtime/engine/Jit.h"
#include "runtime/engine/Signature.h"

namespace attn {

/// One call of a `_mlir_ciface_` function in its packed form. Tensors are
/// descriptors of the words allocated, aligned, offset, sizes[rank],
/// strides[rank]; results that are not in an argument's place are returned, as
/// a struct of descriptors and scalars or a scalar alone.
///
/// Add all arguments, then all results, and run.
class PackedCall {
public:
  PackedCall(const Signature &signature, llvm::ArrayRef<int64_t> inPlace);
  PackedCall(const PackedCall &) = delete;

  void addArgument(const DLTensor &tensor);
  /// The memory of a result. It is used where the function has an argument for
  /// it: a result whose shape is not known in advance may be anything.
  void addResult(const DLTensor &tensor);
  /// An error if the function did not get the memory that it needs; nothing is
  /// returned then.
  llvm::Error run(const LoadedCode &code);

  /// Copies what was returned, if anything, to where it should be, and frees
  /// it; memory of this machine.
  void copyReturned(llvm::ArrayRef<DLTensor> arguments,
                    llvm::ArrayRef<DLTensor> results) const;
  /// The arrays behind what was returned, without a copy: each frees its memory
  /// by `release`, or shares it with the argument or the result that it
  /// aliases.
  void takeReturned(llvm::ArrayRef<Array> arguments,
                    llvm::MutableArrayRef<Array> results,
                    void (*release)(void *)) const;

private:
  /// A returned value and its byte in `returned`.
  struct Field {
    unsigned result;
    int64_t offset;
  };

  void addReturned();
  void addDescriptor(const DLTensor &tensor);

  const Signature &signature;
  llvm::SmallVector<Field, 1> fields;
  bool returnsScalar = false;
  unsigned numArguments = 0, numResults = 0;
  /// Descriptors, which stay where they are, and where each begins; scalars are
  /// where the caller has them.
  llvm::SmallVector<int64_t, 128> words;
  llvm::SmallVector<void *, 16> descriptors;
  /// Words, for the alignment of the struct.
  llvm::SmallVector<int64_t, 16> returned;
  void *returnedData = nullptr;
  /// Bytes that were not to be had, and the argument that is their address.
  int64_t missing = 0;
  int64_t *status = &missing;
  llvm::SmallVector<void *, 16> packed;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_PACKEDCALL_H
